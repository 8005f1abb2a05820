package sorter

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alignpipe/alignpipe/internal/bamrec"
)

func TestCompareNames(t *testing.T) {
	ascending := []string{"", "00", "0", "01", "01a", "1", "1b", "02", "2", "010", "10", "9999999999999999999999", "10000000000000000000000",
		":", "a", "a00", "a0", "a01", "a1", "a2", "a10", "a10:3", "a10:20", "aa", "b-1", "b1"}
	for i, a := range ascending {
		for j, b := range ascending {
			got := compareNames([]byte(a), []byte(b))
			if (i < j) != (got < 0) || (i == j) != (got == 0) {
				t.Errorf("compareNames(%q, %q) = %d", a, b, got)
			}
		}
	}
}

// namedRec is a record of a read without a place.
func namedRec(rng *rand.Rand, name string, size int) []byte {
	seq := bytes.Repeat([]byte("ACGT"), size/4+1)[:size]
	qual := bytes.Repeat([]byte{byte(40 + rng.IntN(20))}, size)
	return bamrec.Append(nil, &bamrec.Record{Name: []byte(name), Flag: 4, Ref: -1, Pos: -1, MateRef: -1, MatePos: -1, Seq: seq, Qual: qual, ClipTo: size})
}

// namedItems have equal names, names that differ in zeros, and some records longer than a frame.
func namedItems(seed uint64, n, frame int) []item {
	rng := rand.New(rand.NewPCG(seed, 7))
	items := make([]item, n)
	for i := range items {
		name := fmt.Sprintf("A%d:%0*d:%d", rng.IntN(12), 1+rng.IntN(3), rng.IntN(300), rng.IntN(4))
		if rng.IntN(10) == 0 {
			name = strings.Repeat("9", 1+rng.IntN(30)) + "x"
		}
		size := rng.IntN(40)
		if rng.IntN(100) == 0 {
			size = frame + rng.IntN(3*frame)
		}
		items[i] = item{Unplaced, uint64(i), namedRec(rng, name, size)}
	}
	return items
}

func byName(items []item) []item {
	want := slices.Clone(items)
	slices.SortStableFunc(want, func(a, b item) int { return compareNames(nameOf(a.rec), nameOf(b.rec)) })
	return want
}

// TestNameOrder: the order depends on names and ordinals alone, whatever is spilled.
func TestNameOrder(t *testing.T) {
	tune := tiny
	tune.frame = 512 // holds a reference with a name
	items := namedItems(31, 3_000, tune.frame)
	want := byName(items)
	for _, workers := range []int{1, 3} {
		for _, factor := range []int64{1, 3, 500} {
			s := newTest(t, Config{Workers: workers, MemBytes: factor * tune.minMem(workers), Order: Name}, tune)
			if err := sortAll(s, items, want); err != nil {
				t.Errorf("workers=%d memory=%d: %v", workers, factor, err)
			}
			if st := s.Stats(); (st.SpilledRuns == 0) != (factor == 500) && factor != 3 {
				t.Errorf("workers=%d memory=%d: %+v", workers, factor, st)
			}
		}
	}
	checkGoroutines(t)
}

// TestNamesAsSamtools sorts the names of awkward reads as samtools does.
func TestNamesAsSamtools(t *testing.T) {
	samtools, err := exec.LookPath("samtools")
	if err != nil {
		t.Skip("samtools is not installed")
	}
	rng := rand.New(rand.NewPCG(32, 1))
	names := map[string]bool{}
	for len(names) < 3000 {
		name := make([]byte, 1+rng.IntN(12))
		for i := range name {
			name[i] = "00012399:._aZ"[rng.IntN(13)]
		}
		names[string(name)] = true
	}
	path := filepath.Join(t.TempDir(), "in.sam")
	var sam strings.Builder
	var items []item
	for name := range names {
		fmt.Fprintf(&sam, "%s\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI\n", name)
		items = append(items, item{rec: namedRec(rng, name, 1)})
	}
	if err := os.WriteFile(path, []byte(sam.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(samtools, "sort", "-n", "-O", "sam", path)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := byName(items)
	for scan := bufio.NewScanner(bytes.NewReader(out)); scan.Scan(); {
		if name, _, _ := strings.Cut(scan.Text(), "\t"); !strings.HasPrefix(scan.Text(), "@") {
			if got := string(nameOf(want[0].rec)); got != name {
				t.Fatalf("%q where samtools has %q", got, name)
			}
			want = want[1:]
		}
	}
	if len(want) > 0 {
		t.Errorf("%d names are missing", len(want))
	}
}

// TestNamesBeyondTheRecord: a record whose name would end beyond it, or that is too short to have one, has
// none, whatever lies behind it in a buffer.
func TestNamesBeyondTheRecord(t *testing.T) {
	rng := rand.New(rand.NewPCG(33, 1))
	var items []item
	for i := range 200 {
		rec := namedRec(rng, fmt.Sprintf("r%d", rng.IntN(50)), 8)
		switch i % 3 {
		case 0:
			rec[nameLen] = 200
		case 1:
			rec = makeRec(rng, 4+rng.IntN(34))
		}
		items = append(items, item{Unplaced, uint64(i), rec})
	}
	for _, factor := range []int64{1, 100} {
		s := newTest(t, Config{MemBytes: factor * tiny.minMem(1), Order: Name}, tiny)
		if err := sortAll(s, items, byName(items)); err != nil {
			t.Errorf("memory=%d: %v", factor, err)
		}
	}
}
