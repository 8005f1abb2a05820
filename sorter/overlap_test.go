package sorter

import (
	"context"
	"sync"
	"testing"

	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/internal/vfs/faultfs"
)

// TestAddGoesOnWhileARunIsWritten holds the disk up: until the other buffer is full too, Add does not wait.
func TestAddGoesOnWhileARunIsWritten(t *testing.T) {
	held, begun := make(chan struct{}), make(chan struct{})
	var once sync.Once
	fs := faultfs.New(vfs.OS, func(o faultfs.Op) error {
		if o.Kind == "create" {
			once.Do(func() { close(begun) })
			<-held
		}
		return nil
	})
	s := newTest(t, Config{FS: fs, MemBytes: 2 * tiny.minMem(1)}, tiny)
	items := makeItems(41, 4_000)
	sl := s.Slab(0)
	added := 0
	add := func() {
		it := items[added]
		if err := sl.Add(context.Background(), it.key, it.ord, it.rec); err != nil {
			t.Fatal(err)
		}
		added++
	}
	for sl.spilling == nil {
		add()
	}
	<-begun // the spill is under way, and stands still
	before := added
	for b := sl.buffers[sl.cur]; b.fits(len(items[added].rec), 0); {
		add()
	}
	if added-before < 20 {
		t.Errorf("only %d records were taken while a run was written", added-before)
	}
	if sl.spilling == nil || s.Stats().SpilledRuns > 0 {
		t.Error("the run was written although the disk stood still")
	}
	close(held)
	for added < len(items) {
		add()
	}
	m, err := s.Merge(context.Background())
	if err == nil {
		err = drain(m, inOrder(items))
	}
	if err != nil {
		t.Error(err)
	}
}

// TestNothingIsSpilledBeforeThreeQuarters: nothing is written before three quarters of the memory are in use.
func TestNothingIsSpilledBeforeThreeQuarters(t *testing.T) {
	s := newTest(t, Config{MemBytes: 10 * tiny.minMem(1)}, tiny)
	sl := s.Slab(0)
	items := makeItems(42, 20_000)
	used := 0
	for _, it := range items {
		if err := sl.Add(context.Background(), it.key, it.ord, it.rec); err != nil {
			t.Fatal(err)
		}
		if sl.spilling != nil {
			break
		}
		used += 2*entryBytes + ordBytes + len(it.rec)
	}
	if all := len(sl.buffers[0].mem) + len(sl.buffers[1].mem); used < all*7/10 || sl.spilling == nil {
		t.Errorf("spilled with %d bytes of %d in use", used, all)
	}
}
