package sorter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/internal/vfs/faultfs"
)

func TestOrderDoesNotDependOnWorkersMemoryOrFanIn(t *testing.T) {
	items := makeItems(1, 10_000)
	want := inOrder(items)
	var cuts []Key
	for _, workers := range []int{1, 2, 7} {
		for _, factor := range []int64{1, 3, 200} {
			for _, files := range []int{2, 3, 1000} {
				t.Run(fmt.Sprintf("workers=%d,memory=%d,files=%d", workers, factor, files), func(t *testing.T) {
					tune := tiny
					tune.files = files
					s := newTest(t, Config{Workers: workers, MemBytes: factor * tune.minMem(workers)}, tune)
					if err := sortAll(s, items, want); err != nil {
						t.Fatal(err)
					}
					st, inMemory := s.Stats(), factor == 200
					if st.Records != int64(len(items)) || (st.SpilledBytes == 0) != (st.SpilledRuns == 0) {
						t.Errorf("stats %+v", st)
					}
					if factor != 3 && (st.SpilledRuns == 0) != inMemory { // 3 is enough for 7 workers
						t.Errorf("stats %+v", st)
					}
					if files < 4 && st.SpilledRuns > 4 && st.MergedRuns == 0 {
						t.Errorf("no intermediate merge: %+v", st)
					}
					got := s.Cuts(13)
					if cuts == nil {
						cuts = got
					}
					if !slices.Equal(got, cuts) {
						t.Errorf("cuts %x, were %x", got, cuts)
					}
				})
			}
		}
	}
	checkGoroutines(t)
}

func TestInputOrder(t *testing.T) {
	items := makeItems(2, 3_000)
	for _, factor := range []int64{1, 100} {
		s := newTest(t, Config{Workers: 3, MemBytes: factor * tiny.minMem(3), Order: Input}, tiny)
		if err := sortAll(s, items, items); err != nil {
			t.Errorf("memory=%d: %v", factor, err)
		}
	}
}

func TestNoFileIsMadeWhenAllFits(t *testing.T) {
	items := makeItems(3, 2_000)
	none := faultfs.New(vfs.OS, nil)
	s := newTest(t, Config{FS: none, Workers: 2, MemBytes: 64 << 20}, standard)
	if err := errors.Join(sortAll(s, items, inOrder(items)), s.Close()); err != nil {
		t.Error(err)
	}
	if n := none.Ops(); n > 0 {
		t.Errorf("%d file operations", n)
	}
}

func TestNothingToSort(t *testing.T) {
	s := newTest(t, Config{Workers: 3, MemBytes: MinMem(3)}, standard)
	if err := sortAll(s, nil, nil); err != nil {
		t.Error(err)
	}
	if cuts := s.Cuts(4); !slices.Equal(cuts, []Key{Unplaced, Unplaced, Unplaced}) {
		t.Errorf("cuts %x", cuts)
	}
}

// TestLongRecords has records longer than a frame, than a slab, and as long as memory allows.
func TestLongRecords(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for _, workers := range []int{1, 3} {
		mem := 3 * tiny.minMem(workers)
		most := int(tiny.maxRecord(workers, mem))
		slab := int((mem-tiny.histogramBytes()-tiny.reserve(workers, mem))/int64(2*workers)) &^ (pageBytes - 1) // one buffer of it
		overhead := ordBytes + 2*entryBytes
		for _, n := range []int{slab - overhead - 1, slab - overhead, slab - overhead + 1, slab + 1, most - 1, most} {
			t.Run(fmt.Sprintf("workers=%d,len=%d", workers, n), func(t *testing.T) {
				items := makeItems(5, 600)
				for _, i := range []int{0, 149, 150, 151, 599} {
					items[i].rec = makeRec(rng, min(n, most))
				}
				s := newTest(t, Config{Workers: workers, MemBytes: mem}, tiny)
				if err := sortAll(s, items, inOrder(items)); err != nil {
					t.Fatal(err)
				}
				if st := s.Stats(); st.Records != int64(len(items)) {
					t.Errorf("stats %+v", st)
				}
			})
		}
	}
}

func TestARecordBeyondMemoryNamesWhatWouldDo(t *testing.T) {
	mem := tiny.minMem(2)
	rec := makeRec(rand.New(rand.NewPCG(6, 6)), int(tiny.maxRecord(2, mem))+1)
	s := newTest(t, Config{Workers: 2, MemBytes: mem}, tiny)
	err := s.Slab(1).Add(context.Background(), 1, 1, rec)
	var short *MemoryError
	if !errors.As(err, &short) || short.Have != mem || short.Record != int64(len(rec)) {
		t.Fatalf("Add = %v", err)
	}
	if _, merr := s.Merge(context.Background()); !errors.As(merr, &short) {
		t.Errorf("Merge after a failed Add = %v", merr)
	}
	again := newTest(t, Config{Workers: 2, MemBytes: short.Least}, tiny)
	items := []item{{1, 1, rec}, {0, 2, rec}, {2, 3, rec}}
	if err := sortAll(again, items, inOrder(items)); err != nil {
		t.Errorf("with the memory named: %v", err)
	}
}

func TestTooLittleMemoryIsRefused(t *testing.T) {
	for _, workers := range []int{1, 2, 64} {
		_, err := New(Config{FS: vfs.OS, Dir: t.TempDir(), Workers: workers, MemBytes: MinMem(workers) - 1})
		var short *MemoryError
		if !errors.As(err, &short) || short.Least != MinMem(workers) {
			t.Errorf("workers=%d: New = %v", workers, err)
		}
		newTest(t, Config{Workers: workers, MemBytes: MinMem(workers)}, standard)
	}
}

func TestMisuseIsAnError(t *testing.T) {
	ctx, rec := context.Background(), []byte{1, 0, 0, 0, 7}
	for name, add := range map[string]func(*Slab) error{
		"ordinal not ascending": func(sl *Slab) error {
			return errors.Join(sl.Add(ctx, 1, 5, rec), sl.Add(ctx, 1, 5, rec))
		},
		"block_size too large": func(sl *Slab) error { return sl.Add(ctx, 1, 1, []byte{2, 0, 0, 0, 7}) },
		"no block_size":        func(sl *Slab) error { return sl.Add(ctx, 1, 1, []byte{0, 0}) },
		"after Merge": func(sl *Slab) error {
			_, err := sl.sorter.Merge(ctx)
			return errors.Join(err, sl.Add(ctx, 1, 1, rec))
		},
		"after Close": func(sl *Slab) error { return errors.Join(sl.sorter.Close(), sl.Add(ctx, 1, 1, rec)) },
		"Merge after Close": func(sl *Slab) error {
			err := sl.sorter.Close()
			_, merr := sl.sorter.Merge(ctx)
			return errors.Join(err, merr)
		},
		"Merge twice": func(sl *Slab) error {
			_, err := sl.sorter.Merge(ctx)
			_, again := sl.sorter.Merge(ctx)
			return errors.Join(err, again)
		},
	} {
		s := newTest(t, Config{MemBytes: tiny.minMem(1)}, tiny)
		if add(s.Slab(0)) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestNextAfterTheEnd(t *testing.T) {
	items := makeItems(7, 500)
	s := newTest(t, Config{MemBytes: tiny.minMem(1)}, tiny)
	if err := addAll(s, items); err != nil {
		t.Fatal(err)
	}
	m, err := s.Merge(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := drain(m, inOrder(items)); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Next(); err != io.EOF {
		t.Errorf("Next at the end = %v", err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Errorf("Close twice: %v", err)
	}
	if _, err := m.Next(); !errors.Is(err, errClosed) {
		t.Errorf("Next after Close = %v", err)
	}
}

func TestCancellation(t *testing.T) {
	items := makeItems(8, 4_000)
	ctx, cancel := context.WithCancel(context.Background())
	s := newTest(t, Config{Workers: 2, MemBytes: tiny.minMem(2)}, tiny)
	if err := addAll(s, items); err != nil {
		t.Fatal(err)
	}
	m, err := s.Merge(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m.Next()
	cancel()
	for err == nil {
		_, err = m.Next()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Next = %v", err)
	}
	s2 := newTest(t, Config{MemBytes: tiny.minMem(1)}, tiny)
	for err = nil; err == nil && len(items) > 0; items = items[1:] {
		err = s2.Slab(0).Add(ctx, items[0].key, items[0].ord, items[0].rec)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Add = %v", err)
	}
	checkGoroutines(t)
}

// TestRunsGoWhenMerged sees that intermediate merges do not double the use of the disk.
func TestRunsGoWhenMerged(t *testing.T) {
	items := makeItems(9, 6_000)
	tune := tiny
	tune.files = 2
	s := newTest(t, Config{MemBytes: tune.minMem(1)}, tune)
	if err := addAll(s, items); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Merge(context.Background()); err != nil {
		t.Fatal(err)
	}
	left, _ := os.ReadDir(s.cfg.Dir)
	if st := s.Stats(); len(left) != 2 || st.MergedRuns == 0 {
		t.Errorf("%d files, %+v", len(left), st)
	}
}
