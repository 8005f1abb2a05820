package sorter

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
)

// TestRangesMakeTheWhole: merges of ranges side by side give each record once, in order, whatever was
// spilled; and what is stable stays.
func TestRangesMakeTheWhole(t *testing.T) {
	items := makeItems(21, 3_000)
	want := inOrder(items)
	for _, mem := range []int64{tiny.minMem(2), 4 * tiny.minMem(2), 64 << 20} {
		for _, parts := range []int{1, 2, 7, 40} {
			t.Run(fmt.Sprintf("mem=%d,parts=%d", mem, parts), func(t *testing.T) {
				s := newTest(t, Config{Workers: 2, MemBytes: mem}, tiny)
				if err := addAll(s, items); err != nil {
					t.Fatal(err)
				}
				if err := s.Prepare(context.Background()); err != nil {
					t.Fatal(err)
				}
				got := make([][]item, parts)
				eachRange(t, s, parts, func(part int, m *Merger) {
					got[part] = collect(t, m)
				})
				same(t, slices.Concat(got...), want)
				if err := s.Complete(); err != nil {
					t.Error(err)
				}
			})
		}
	}
	checkGoroutines(t)
}

// eachRange merges the ranges between the cuts, as many at once as the sorter allows.
func eachRange(t *testing.T, s *Sorter, parts int, use func(int, *Merger)) {
	t.Helper()
	cuts := s.Cuts(parts)
	var wg sync.WaitGroup
	slots := make(chan struct{}, s.Mergers(0))
	for part := range parts {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			m, err := s.Part(context.Background(), cuts, part)
			if err != nil {
				t.Error(err)
				return
			}
			use(part, m)
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// collect drains m. Stable records are kept as they are, others copied.
func collect(t *testing.T, m *Merger) (got []item) {
	for {
		it, err := m.Next()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Error(err)
			return got
		}
		if !it.Stable {
			it.Rec = slices.Clone(it.Rec)
		}
		got = append(got, item{key: it.Key, ord: it.Ord, rec: it.Rec})
	}
}

func same(t *testing.T, got, want []item) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i].key != want[i].key || got[i].ord != want[i].ord || string(got[i].rec) != string(want[i].rec) {
			t.Fatalf("record %d differs", i)
		}
	}
}

// TestPartsAtTheEdges: cuts at the least and the greatest key, equal ones, and no records at all.
func TestPartsAtTheEdges(t *testing.T) {
	for _, keys := range [][]Key{nil, {0}, {Unplaced}, {0, 0, 1, 1, 5, Unplaced - 1, Unplaced, Unplaced}} {
		s := newTest(t, Config{MemBytes: tiny.minMem(1)}, tiny)
		for i, k := range keys {
			if err := s.Slab(0).Add(context.Background(), k, uint64(i), []byte{0, 0, 0, 0}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Prepare(context.Background()); err != nil {
			t.Fatal(err)
		}
		cuts := []Key{0, 0, 1, 2, Unplaced, Unplaced}
		var got []Key
		for part := range len(cuts) + 1 {
			m, err := s.Part(context.Background(), cuts, part)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range collect(t, m) {
				if part > 0 && it.key < cuts[part-1] || part < len(cuts) && it.key >= cuts[part] {
					t.Errorf("key %x in part %d", it.key, part)
				}
				got = append(got, it.key)
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
		if !slices.Equal(got, keys) {
			t.Errorf("keys %x, want %x", got, keys)
		}
	}
}

// TestCompleteMissesWhatNobodyMerged: a range left out is noticed.
func TestCompleteMissesWhatNobodyMerged(t *testing.T) {
	items := makeItems(22, 500)
	s := newTest(t, Config{MemBytes: tiny.minMem(1)}, tiny)
	if err := addAll(s, items); err != nil {
		t.Fatal(err)
	}
	if err := s.Prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	m, err := s.Part(context.Background(), s.Cuts(2), 0)
	if err != nil {
		t.Fatal(err)
	}
	collect(t, m)
	if s.Complete() == nil {
		t.Error("half of the records are enough")
	}
}

// TestMergersLeaveFilesToTheCaller: the runs of all merges and the caller's files stay within the limit.
func TestMergersLeaveFilesToTheCaller(t *testing.T) {
	tune := tiny
	tune.files = 10
	s := newTest(t, Config{MemBytes: 64 << 20}, tune)
	for i := range uint64(3) {
		if err := s.Slab(0).Add(context.Background(), Key(i), i, []byte{0, 0, 0, 0}); err != nil {
			t.Fatal(err)
		}
		if err := spillNow(s.Slab(0)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	for files, want := range map[int]int{0: 3, 1: 3, 2: 2, 4: 2, 5: 1, 10: 1, 100: 1} {
		if got := s.Mergers(files); got != want {
			t.Errorf("Mergers(%d) = %d, want %d", files, got, want)
		}
	}
}

// TestOnlyCoordinateOrderHasParts: ranges of keys mean nothing where keys do not give the order.
func TestOnlyCoordinateOrderHasParts(t *testing.T) {
	for _, order := range []Order{Input, Name} {
		s := newTest(t, Config{MemBytes: tiny.minMem(1), Order: order}, tiny)
		for i, k := range []Key{5, 1, 9} {
			if err := s.Slab(0).Add(context.Background(), k, uint64(i), []byte{0, 0, 0, 0}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Prepare(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Part(context.Background(), []Key{2}, 0); err == nil {
			t.Errorf("order %d: a part by keys", order)
		}
		m, err := s.Part(context.Background(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := collect(t, m); len(got) != 3 {
			t.Errorf("order %d: %d records of 3", order, len(got))
		}
	}
}
