package deflate

import (
	"container/heap"
	"math/rand/v2"
	"testing"
)

// kraft returns the code space that lens take, in units of 1<<-15.
func kraft(lens []uint8) int {
	sum := 0
	for _, n := range lens {
		if n > 0 {
			sum += 1 << (maxCodeBits - n)
		}
	}
	return sum
}

// fibonacci returns n frequencies that make the deepest tree.
func fibonacci(n int) []uint32 {
	f := make([]uint32, n)
	for i := range f {
		f[i] = 1
		if i > 1 {
			f[i] = f[i-1] + f[i-2]
		}
	}
	return f
}

func TestLengthsAreACompleteCodeWithinTheLimit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var h huffman
	for range 20_000 {
		limit, n := maxCodeBits, 2+rng.IntN(litLenCount-1)
		if rng.IntN(4) == 0 {
			limit, n = preCodeBits, 2+rng.IntN(18)
		}
		freq := make([]uint32, n)
		for i := range freq {
			freq[i] = rng.Uint32N(1 << rng.IntN(12))
		}
		if rng.IntN(10) == 0 {
			freq = fibonacci(min(n, 24))
			rng.Shuffle(len(freq), func(i, j int) { freq[i], freq[j] = freq[j], freq[i] })
		}
		lens := make([]uint8, len(freq))
		h.lengths(lens, freq, limit)
		used := 0
		for s, f := range freq {
			if f > 0 {
				used++
			}
			if int(lens[s]) > limit || f > 0 && lens[s] == 0 || f == 0 && lens[s] > 0 && used > 1 {
				t.Fatalf("symbol %d of frequency %d has %d bits", s, f, lens[s])
			}
		}
		if used >= 2 && kraft(lens) != 1<<maxCodeBits {
			t.Fatalf("%d symbols take %d/%d of the code space", used, kraft(lens), 1<<maxCodeBits)
		}
	}
}

func TestFewSymbolsHaveACodeOfOneBit(t *testing.T) {
	var h huffman
	for _, freq := range [][]uint32{{0, 0, 0, 0}, {0, 0, 9, 0}, {7, 0, 0, 0}} {
		lens := make([]uint8, len(freq))
		h.lengths(lens, freq, maxCodeBits)
		for s, f := range freq {
			if f > 0 && lens[s] != 1 {
				t.Errorf("%v: lengths are %v", freq, lens)
			}
		}
		if kraft(lens) == 0 {
			t.Errorf("%v: no code at all", freq)
		}
	}
}

type weights []int

func (w weights) Len() int           { return len(w) }
func (w weights) Less(i, j int) bool { return w[i] < w[j] }
func (w weights) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *weights) Push(x any)        { *w = append(*w, x.(int)) }
func (w *weights) Pop() any {
	old := *w
	last := old[len(old)-1]
	*w = old[:len(old)-1]
	return last
}

// leastCost returns the bits of the best code without a limit.
func leastCost(freq []uint32) (cost int) {
	w := weights{}
	for _, f := range freq {
		if f > 0 {
			heap.Push(&w, int(f))
		}
	}
	for len(w) > 1 {
		sum := heap.Pop(&w).(int) + heap.Pop(&w).(int)
		cost += sum
		heap.Push(&w, sum)
	}
	return cost
}

func TestLengthsAreOptimalWhereTheLimitIsFar(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	var h huffman
	for range 3000 {
		freq := make([]uint32, 2+rng.IntN(280))
		for i := range freq {
			freq[i] = 1 + rng.Uint32N(200) // a tree of depth 15 needs more than 200*280
		}
		lens := make([]uint8, len(freq))
		h.lengths(lens, freq, maxCodeBits)
		cost := 0
		for s, f := range freq {
			cost += int(f) * int(lens[s])
		}
		if want := leastCost(freq); cost != want {
			t.Fatalf("%d bits where %d do", cost, want)
		}
	}
}

func TestCanonicalCodesArePrefixFree(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	var h huffman
	for range 200 {
		freq := make([]uint32, 2+rng.IntN(280))
		for i := range freq {
			freq[i] = rng.Uint32N(1 << rng.IntN(16))
		}
		lens, codes := make([]uint8, len(freq)), make([]uint16, len(freq))
		h.lengths(lens, freq, maxCodeBits)
		canonicalCodes(codes, lens)
		for s, n := range lens {
			for o, m := range lens {
				if o != s && n > 0 && m >= n && codes[o]&(1<<n-1) == codes[s] {
					t.Fatalf("code %d of %d bits begins code %d of %d bits", codes[s], n, codes[o], m)
				}
			}
		}
	}
}

func TestSymbolTables(t *testing.T) {
	tests := []struct {
		length, symbol int
		extra          uint8
	}{{3, 257, 0}, {10, 264, 0}, {11, 265, 1}, {12, 265, 1}, {13, 266, 1}, {18, 268, 1}, {19, 269, 2}, {130, 280, 4}, {131, 281, 5}, {257, 284, 5}, {258, 285, 0}}
	for _, test := range tests {
		i := test.length - minMatch
		if got := firstLength + int(lengthCode[i]); got != test.symbol || lengthExtra[i] != test.extra {
			t.Errorf("length %d: symbol %d with %d bits, want %d with %d", test.length, got, lengthExtra[i], test.symbol, test.extra)
		}
	}
	for _, test := range []struct{ distance, symbol, extra uint }{{1, 0, 0}, {2, 1, 0}, {4, 3, 0}, {5, 4, 1}, {7, 5, 1}, {9, 6, 2}, {24577, 29, 13}, {32768, 29, 13}} {
		if s := distSymbol(test.distance - 1); s != test.symbol || distExtra(s) != test.extra {
			t.Errorf("distance %d: symbol %d with %d bits, want %d with %d", test.distance, s, distExtra(s), test.symbol, test.extra)
		}
	}
}
