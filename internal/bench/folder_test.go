package bench

import (
	"testing"
	"time"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// TestFolderHasAllCeilings measures with small transfers: each has a value or a reason.
func TestFolderHasAllCeilings(t *testing.T) {
	dir := t.TempDir()
	f := Folder{Path: dir}
	e := effort{repeats: 2, transfer: time.Millisecond, maxTransfer: 4 * mebi}
	if err := measureFolder(t.Context(), vfs.OS, &f, e); err != nil {
		t.Fatal(err)
	}
	empty(t, dir)
	want := map[string]int{nameWrite: 3, nameRead: 3, nameDirectWrite: 1, nameDirectRead: 1, nameRandom: 1, nameSync: 1}
	for _, c := range f.Ceilings {
		want[c.Name]--
		for _, v := range c.Values {
			switch {
			case v.Figure == nil && v.Reason == "":
				t.Errorf("%s: neither a value nor a reason", c.Name)
			case v.Figure != nil && (v.Figure.Low <= 0 || v.Figure.Repeats != e.repeats):
				t.Errorf("%s: %+v", c.Name, v.Figure)
			}
		}
	}
	for name, left := range want {
		if left != 0 {
			t.Errorf("%s: %d too few", name, left)
		}
	}
}

func TestMemoryHasBothNumbersOfThreads(t *testing.T) {
	cs, err := measureMemory(t.Context(), 3, effort{repeats: 2, chaseBytes: mebi, copyBytes: mebi})
	if err != nil {
		t.Fatal(err)
	}
	if len(cs) != 3 || cs[1].Streams != 1 || cs[2].Streams != 3 {
		t.Errorf("ceilings %+v", cs)
	}
}
