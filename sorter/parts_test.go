package sorter

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestKeyOrder(t *testing.T) {
	ascending := []struct {
		ref, pos int32
		reverse  bool
	}{
		{0, 0, false}, {0, 0, true}, {0, 1, false}, {0, math.MaxInt32, true}, {1, 0, false},
		{1, 5, false}, {1, 5, true}, {math.MaxInt32, math.MaxInt32, true}, {-1, -1, false},
	}
	last := Key(0)
	for i, c := range ascending {
		k := KeyOf(c.ref, c.pos, c.reverse)
		if i > 0 && k <= last {
			t.Errorf("%+v: key %x is not above %x", c, k, last)
		}
		if k.Ref() != c.ref || k.Pos() != c.pos || k.Reverse() != c.reverse {
			t.Errorf("%+v: key %x reads %d %d %v", c, k, k.Ref(), k.Pos(), k.Reverse())
		}
		last = k
	}
	if last != Unplaced || KeyOf(2, -1, false) != KeyOf(2, 0, false) {
		t.Error("records without a place or position")
	}
}

func TestRadixSort(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 255, 256, 257, 5000} {
		for _, mask := range []Key{0, 1, 0xff, 0xff00, 0xff00ff, 1 << 63, 0x1ffffffff, ^Key(0)} {
			a := make([]entry, n)
			or, and := Key(0), Unplaced
			for i := range a {
				a[i] = entry{0xabcd<<20 ^ Key(rng.Uint64())&mask, uint64(i)}
				or |= a[i].key
				and &= a[i].key
			}
			want := slices.Clone(a)
			slices.SortFunc(want, func(x, y entry) int {
				if x.key < y.key || x.key == y.key && x.at < y.at {
					return -1
				}
				return 1
			})
			if got := radixSort(a, make([]entry, n), or^and); !slices.Equal(got, want) {
				t.Errorf("n=%d mask=%x: wrong order", n, mask)
			}
		}
	}
}

func TestLoserTreeMerges(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for k := 1; k <= 17; k++ {
		var want []leaf
		lists := make([][]leaf, k)
		for i := range lists {
			for n := rng.IntN(20); n > 0; n-- {
				key := [...]uint64{0, 1, 2, math.MaxUint64}[rng.IntN(4)]
				lists[i] = append(lists[i], leaf{key, [...]uint64{0, 7, math.MaxUint64}[rng.IntN(3)], uint64(i)})
			}
			slices.SortFunc(lists[i], compareLeaves)
			want = append(want, lists[i]...)
		}
		slices.SortFunc(want, compareLeaves)
		head := func(i int) leaf {
			if len(lists[i]) == 0 {
				return exhausted(i, k)
			}
			l := lists[i][0]
			lists[i] = lists[i][1:]
			return l
		}
		leaves := make([]leaf, k)
		for i := range leaves {
			leaves[i] = head(i)
		}
		var got []leaf
		for tree := newLoserTree(leaves, nil); tree.first.src < uint64(k); {
			got = append(got, tree.first)
			i := int(tree.first.src)
			tree.replace(i, head(i))
		}
		if !slices.Equal(got, want) {
			t.Errorf("k=%d: got %v, want %v", k, got, want)
		}
	}
}

func compareLeaves(a, b leaf) int {
	switch {
	case a.before(b):
		return -1
	case b.before(a):
		return 1
	}
	return 0
}

// TestCutsDependOnTheKeysOnly adds the same keys in several orders and portions.
func TestCutsDependOnTheKeysOnly(t *testing.T) {
	for _, spread := range []int32{3, 100, 1 << 20, math.MaxInt32} {
		rng := rand.New(rand.NewPCG(5, uint64(spread)))
		keys := make([]Key, 20_000)
		for i := range keys {
			keys[i] = KeyOf(rng.Int32N(4), rng.Int32N(spread), rng.IntN(2) == 0)
		}
		var want []Key
		var shift uint
		for trial := range 5 {
			cuts, s := cutsOf(t, rng, keys, 1+trial*7)
			if trial == 0 {
				want, shift = cuts, s
				checkBalance(t, keys, cuts, s)
			}
			if !slices.Equal(cuts, want) || s != shift {
				t.Errorf("spread=%d trial=%d: cuts %x, were %x", spread, trial, cuts, want)
			}
		}
	}
}

func cutsOf(t *testing.T, rng *rand.Rand, keys []Key, portions int) ([]Key, uint) {
	s := newTest(t, Config{MemBytes: tiny.minMem(1)}, tuning{frame: tiny.frame, slab: tiny.slab, cells: 256})
	keys = append(slices.Clone(keys), Unplaced, Unplaced)
	rng.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for part := range slices.Chunk(keys, len(keys)/portions+1) {
		slices.Sort(part)
		sorted := make([]entry, len(part))
		for i, k := range part {
			sorted[i].key = k
		}
		s.hist.add(sorted)
	}
	return s.Cuts(8), s.hist.shift
}

// checkBalance allows each part to differ from its share by the largest cell at either end.
func checkBalance(t *testing.T, keys, cuts []Key, shift uint) {
	t.Helper()
	cells := map[Key]int{}
	largest := 0
	parts := make([]int, len(cuts)+1)
	for _, k := range keys {
		cells[k>>shift]++
		largest = max(largest, cells[k>>shift])
		n, found := slices.BinarySearch(cuts, k)
		for found && n < len(cuts) && cuts[n] == k {
			n++
		}
		parts[n]++
	}
	if len(cells) > 256 || !slices.IsSorted(cuts) {
		t.Errorf("%d cells, cuts %x", len(cells), cuts)
	}
	for i, n := range parts {
		if share := len(keys) / len(parts); n > share+largest+1 || n < share-largest-1 {
			t.Errorf("part %d has %d records, its share is %d, a cell has up to %d", i, n, share, largest)
		}
	}
}

func TestCutsOfFewKeys(t *testing.T) {
	s := newTest(t, Config{MemBytes: tiny.minMem(1)}, tiny)
	s.hist.add([]entry{{key: KeyOf(1, 9, false)}, {key: KeyOf(1, 9, true)}})
	for n, want := range map[int]int{-1: 0, 0: 0, 1: 0, 2: 1, 5: 4} {
		if cuts := s.Cuts(n); len(cuts) != want || !slices.IsSorted(cuts) {
			t.Errorf("Cuts(%d) = %x", n, cuts)
		}
	}
}
