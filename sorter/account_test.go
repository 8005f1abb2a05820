package sorter

import (
	"context"
	"testing"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// TestReadersOfAllMergesCount: the capacity of the stage that reads is that of all merges open at once.
func TestReadersOfAllMergesCount(t *testing.T) {
	st := meter.NewStage("merge-read", meter.KindDeviceRead, 1)
	s := newTest(t, Config{Workers: 2, MemBytes: 8 * tiny.minMem(2), MergeReadStage: st}, tiny)
	if err := addAll(s, makeItems(51, 20_000)); err != nil {
		t.Fatal(err)
	}
	if err := s.Prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	if s.Mergers(0) < 3 || s.Stats().SpilledRuns == 0 {
		t.Fatalf("%d mergers, %+v", s.Mergers(0), s.Stats())
	}
	cuts := s.Cuts(4)
	var open []*Merger
	for i := range 3 {
		m, err := s.Part(context.Background(), cuts, i)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, m)
	}
	for _, m := range open {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	if m, err := s.Part(context.Background(), cuts, 3); err != nil || m.Close() != nil {
		t.Error(err)
	}
	if n := st.Snapshot().Workers; n != 6 {
		t.Errorf("a capacity of %d for three merges with two readers each", n)
	}
}

// TestWaitsLieWithinTheCaller: only waits of Add are the caller's; in Prepare and Close it has left its stage.
func TestWaitsLieWithinTheCaller(t *testing.T) {
	for _, merge := range []bool{true, false} {
		st := meter.NewStage("call", meter.KindCPU, 1)
		s := newTest(t, Config{MemBytes: 2 * tiny.minMem(1), CallStage: st}, tiny)
		for _, it := range makeItems(52, 20) {
			if err := s.Slab(0).Add(context.Background(), it.key, it.ord, it.rec); err != nil {
				t.Fatal(err)
			}
		}
		sl := s.Slab(0)
		release := make(chan struct{})
		end := make(chan spillEnd, 1)
		b := sl.buffers[sl.cur]
		go func() {
			<-release
			r, err := b.spill(s.life)
			end <- spillEnd{r, err}
		}()
		sl.spilling = end
		done := make(chan error)
		go func() {
			if merge {
				done <- s.Prepare(context.Background())
			} else {
				done <- s.Close()
			}
		}()
		close(release)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if ns := st.Snapshot().WaitTotalNS(); ns != 0 {
			t.Errorf("merge=%v: %d ns charged to a caller that has left", merge, ns)
		}
	}
}
