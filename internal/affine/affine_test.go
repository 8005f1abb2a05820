package affine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"
)

// problem is one call of Align.
type problem struct {
	read, window []byte
	lo, hi       int
}

func (p problem) String() string {
	return fmt.Sprintf("read %v\nwindow %v\nlo %d, hi %d", p.read, p.window, p.lo, p.hi)
}

// randomProblem makes a read from a place in a window, changes it, and lays a band over it
// that mostly holds that place. maxLen bounds the read, in bases, and maxBand the diagonals.
func randomProblem(r *rand.Rand, maxLen, maxBand int) problem {
	n := 1 + r.IntN(maxLen)
	w := 1 + r.IntN(maxBand)
	letters := 4
	if r.IntN(8) == 0 {
		letters = 1 + r.IntN(3) // repeats: many equal alignments
	}
	genome := make([]byte, n+w+r.IntN(100))
	for i := range genome {
		genome[i] = byte(r.IntN(letters))
	}
	at := r.IntN(len(genome) - n + 1)
	read := change(r, slices.Clone(genome[at:at+n]), letters)
	if r.IntN(10) == 0 {
		change(r, genome, letters)
	}
	cut := func() int { return []int{0, 0, 0, r.IntN(len(genome))}[r.IntN(4)] }
	from, to := cut(), len(genome)-cut()
	if from > to {
		from, to = to, from
	}
	lo := at - from - r.IntN(w+1)
	if r.IntN(20) == 0 {
		lo = r.IntN(2*len(genome)) - len(genome)
	}
	return problem{read, genome[from:to], lo, lo + w - 1}
}

// change puts substitutions, Ns and gaps into a sequence, and keeps its length.
func change(r *rand.Rand, s []byte, letters int) []byte {
	n := len(s)
	for range r.IntN(1 + n/[]int{5, 10, 30, 1000}[r.IntN(4)]) {
		s[r.IntN(n)] = byte(r.IntN(letters))
	}
	for range r.IntN(3) {
		i, size := r.IntN(n), 1+r.IntN(min(n, []int{2, 12, 40}[r.IntN(3)]))
		if r.IntN(2) == 0 {
			s = slices.Delete(s, i, min(i+size, n))
			for len(s) < n {
				s = append(s, byte(r.IntN(letters)))
			}
		} else {
			s = slices.Insert(s, i, slices.Repeat([]byte{byte(r.IntN(letters))}, size)...)[:n]
		}
	}
	switch r.IntN(12) {
	case 0:
		for range 1 + r.IntN(4) {
			s[r.IntN(n)] = byte(4 + r.IntN(2)*r.IntN(252))
		}
	case 1:
		i := r.IntN(n)
		for j := i; j < min(n, i+r.IntN(n)+1); j++ {
			s[j] = 4
		}
	}
	return s
}

// withKernels runs f with only the given kernels.
func withKernels(ks []kernel, f func()) {
	old := kernels
	defer func() { kernels = old }()
	kernels = ks
	f()
}

// usable are the kernels that this CPU has.
func usable() []kernel {
	return slices.DeleteFunc(slices.Clone(kernels), func(k kernel) bool { return !k.usable })
}

// answer is what Align returns.
type answer struct {
	Result
	cigar string
}

// solve aligns with only the given kernels, or with the scalar code.
func solve(a *Aligner, p problem, ks ...kernel) answer {
	var r Result
	var cigar []uint32
	withKernels(ks, func() { r, cigar = a.Align(p.read, p.window, p.lo, p.hi, nil) })
	return answer{r, text(cigar)}
}

func text(cigar []uint32) string {
	var s []byte
	for _, op := range cigar {
		s = strconv.AppendUint(s, uint64(op>>4), 10)
		s = append(s, "MID"[op&15])
	}
	return string(s)
}

// compare wants the scalar code's answer from every kernel.
func compare(t *testing.T, a *Aligner, p problem) {
	t.Helper()
	want := solve(a, p)
	for _, k := range usable() {
		if got := solve(a, p, k); got != want {
			t.Fatalf("%s: got %+v\nwant %+v\n%v", k.name, got, want, p)
		}
	}
}

// TestKernelsAgreeWithScalar takes a million problems, or as many as there is time for. Most
// are small: what goes wrong goes wrong at the edges of the band, the read and the window.
func TestKernelsAgreeWithScalar(t *testing.T) {
	total, limit := 1_000_000, 15*time.Second
	if testing.Short() {
		total, limit = 20_000, time.Second
	}
	var a Aligner
	r := rand.New(rand.NewPCG(1, 1))
	start, done := time.Now(), 0
	for ; done < total && time.Since(start) < limit; done++ {
		maxLen, maxBand := []int{8, 20, 40}[done%3], []int{3, 12, 40}[r.IntN(3)]
		if done%32 == 0 {
			maxLen, maxBand = []int{170, 270, 500}[r.IntN(3)], []int{40, 64, 130}[r.IntN(3)]
		}
		compare(t, &a, randomProblem(r, maxLen, maxBand))
	}
	t.Logf("%d problems", done)
}

func TestEdges(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	random := func(n int) []byte {
		s := make([]byte, n)
		for i := range s {
			s[i] = byte(r.IntN(4))
		}
		return s
	}
	type test struct {
		name string
		problem
	}
	tests := []test{
		{"an empty read", problem{nil, random(10), 0, 5}},
		{"an empty window", problem{random(10), nil, -5, 5}},
		{"an empty band", problem{random(10), random(10), 1, 0}},
		{"one base that matches", problem{[]byte{2}, []byte{1, 2, 3}, 0, 2}},
		{"one base that does not", problem{[]byte{0}, []byte{1, 2, 3}, 0, 2}},
		{"all N", problem{slices.Repeat([]byte{4}, 150), random(200), 0, 48}},
		{"all N in the window", problem{random(150), slices.Repeat([]byte{4}, 200), 0, 48}},
		{"a band before the window", problem{random(50), random(200), -100, -60}},
		{"a band across the window's start", problem{random(50), random(200), -100, -40}},
		{"a band beyond the window", problem{random(50), random(200), 210, 240}},
		{"a band across the window's end", problem{random(50), random(200), 170, 230}},
		{"a window shorter than the read", problem{random(150), random(20), -100, -40}},
	}
	for n := range 8 { // about the longest read for lanes of a byte
		s := random(maxReadBytes - 4 + n)
		window := slices.Concat(random(20), s, random(20))
		last := len(s) - 1
		tests = append(tests, test{fmt.Sprintf("a perfect read of %d", len(s)), problem{s, window, 0, 40}})
		mismatch, ambiguous := slices.Clone(s), slices.Clone(s)
		mismatch[last] ^= 1
		ambiguous[last] = 4
		tests = append(tests,
			test{fmt.Sprintf("a mismatch at the end of %d", len(s)), problem{mismatch, window, 0, 40}},
			test{fmt.Sprintf("an N at the end of %d", len(s)), problem{ambiguous, window, 0, 40}})
	}
	for _, n := range []int{maxReadWords, maxReadWords + 1} {
		s := random(n)
		tests = append(tests, test{fmt.Sprintf("a perfect read of %d", n), problem{s, s, -10, 10}})
	}
	var a Aligner
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { compare(t, &a, tt.problem) })
	}
}

// TestThePlaceBeyondTheBand has reads whose best place is just outside a band of every width.
func TestThePlaceBeyondTheBand(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var a Aligner
	for w := 1; w <= 130; w++ {
		for range 5 {
			p := randomProblem(r, 200, 1)
			beyond := 1 + r.IntN(3)
			compare(t, &a, problem{p.read, p.window, p.lo - beyond - w + 1, p.lo - beyond})
			compare(t, &a, problem{p.read, p.window, p.lo + beyond, p.lo + beyond + w - 1})
		}
	}
}

// TestNoWayAroundOutsideTheBand has stretches of mismatches that a deletion and an insertion
// would pass for less, if they could leave the band.
func TestNoWayAroundOutsideTheBand(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	var a Aligner
	for range 2000 {
		window := make([]byte, 60+r.IntN(400))
		for i := range window {
			window[i] = byte(r.IntN(4))
		}
		read := slices.Clone(window)
		size := 1 + r.IntN(min(80, len(read)-50))
		from := 25 + r.IntN(len(read)-size-49)
		for i := from; i < from+size; i++ {
			if r.IntN(20) > 0 {
				read[i] ^= byte(1 + r.IntN(3))
			}
		}
		below, above := r.IntN(4), r.IntN(12)
		if r.IntN(2) == 0 {
			below, above = above, below
		}
		compare(t, &a, problem{read, window, -below, above})
	}
}

// TestKernelsTakeOrdinaryReads guards the comparisons above from comparing scalar code with
// itself.
func TestKernelsTakeOrdinaryReads(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for _, k := range usable() {
		withKernels([]kernel{k}, func() {
			for _, n := range []int{20, 150, k.maxRead} {
				var a Aligner
				read := make([]byte, n)
				for i := range read {
					read[i] = byte(r.IntN(4))
				}
				if _, ok := a.alignVector(read, read, -k.lanes, k.lanes-1); !ok {
					t.Errorf("%s left %d bases to the scalar code", k.name, n)
				}
			}
		})
	}
}

// fullScore is the best total over all cells, without a band, by the textbook recurrence.
func fullScore(read, window []byte) int {
	const never = -1 << 20
	n, m := len(read), len(window)
	grid := func() [][]int {
		g := make([][]int, n+1)
		for i := range g {
			g[i] = slices.Repeat([]int{never}, m+1)
		}
		return g
	}
	h, del, ins := grid(), grid(), grid()
	best := never
	for i := 1; i <= n; i++ {
		for j := 1; j <= m; j++ {
			start, end := -Clip, -Clip
			if i == 1 {
				start = 0
			}
			if i == n {
				end = 0
			}
			pair := -Mismatch
			if read[i-1] > 3 || window[j-1] > 3 {
				pair = -Ambiguous
			} else if read[i-1] == window[j-1] {
				pair = Match
			}
			s := max(h[i-1][j-1], start) + pair
			best = max(best, s+end)
			del[i][j] = max(del[i][j-1], h[i][j-1]-GapOpen) - GapExtend
			ins[i][j] = max(ins[i-1][j], h[i-1][j]-GapOpen) - GapExtend
			h[i][j] = max(s, del[i][j], ins[i][j])
		}
	}
	return best
}

// rescore computes an alignment's score from its CIGAR, and checks that its ends agree.
func rescore(t *testing.T, p problem, r Result, cigar []uint32) int {
	t.Helper()
	if len(cigar) == 0 {
		cigar = []uint32{uint32(r.QE-r.QB)<<4 | opM}
	}
	i, j, score := r.QB, r.WB, 0
	for _, op := range cigar {
		n := int(op >> 4)
		switch op & 15 {
		case opM:
			for range n {
				switch q, w := p.read[i], p.window[j]; {
				case q > 3 || w > 3:
					score -= Ambiguous
				case q == w:
					score += Match
				default:
					score -= Mismatch
				}
				i, j = i+1, j+1
			}
		case opI:
			score -= GapOpen + n*GapExtend
			i += n
		case opD:
			score -= GapOpen + n*GapExtend
			j += n
		}
	}
	if i != r.QE || j != r.WE {
		t.Fatalf("%s ends at %d, %d: %+v\n%v", text(cigar), i, j, r, p)
	}
	return score
}

func TestScoreIsTheFullMatrixScore(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	var a Aligner
	for range 20_000 {
		p := randomProblem(r, 40, 20)
		if len(p.window) == 0 {
			continue
		}
		p.lo, p.hi = -len(p.read), len(p.window)
		got, cigar := a.Align(p.read, p.window, p.lo, p.hi, nil)
		if s := rescore(t, p, got, cigar); s != got.Score {
			t.Fatalf("score %d, but the CIGAR's is %d\n%v", got.Score, s, p)
		}
		total := got.Score
		if got.QB > 0 {
			total -= Clip
		}
		if got.QE < len(p.read) {
			total -= Clip
		}
		if want := fullScore(p.read, p.window); total != want {
			t.Fatalf("total %d, want %d\n%v", total, want, p)
		}
	}
}

func TestAlignAppends(t *testing.T) {
	var a Aligner
	window := []byte{0, 1, 2, 3, 0, 0, 1, 1, 2, 2, 3, 3, 0, 2, 0, 2, 1, 3, 1, 3, 0, 1, 2, 3, 3, 2, 1, 0}
	read := slices.Concat(window[:14], window[16:])
	mine := []uint32{7}
	_, cigar := a.Align(read, window, -5, 5, mine)
	if got := text(cigar[1:]); cigar[0] != 7 || got != "12M2D14M" {
		t.Errorf("cigar %v is 7 and %s, want 12M2D14M", cigar, got)
	}
	if _, cigar = a.Align(window, window, -5, 5, mine); len(cigar) != 1 {
		t.Errorf("a single M was appended: %v", cigar)
	}
}

func FuzzAlign(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3}, []byte{0, 1, 2, 3}, -2, uint8(4))
	f.Add([]byte{0, 0, 4, 3}, []byte{3, 0, 0, 2, 3}, 1, uint8(0))
	f.Fuzz(func(t *testing.T, read, window []byte, lo int, more uint8) {
		if lo < -1000 || lo > 1000 {
			return
		}
		for i := range read {
			read[i] &= 7
		}
		for i := range window {
			window[i] &= 7
		}
		p := problem{read, window, lo, lo + int(more)}
		var a Aligner
		compare(t, &a, p)
	})
}

func BenchmarkAlign(b *testing.B) {
	for _, size := range []struct{ n, band int }{{100, 49}, {150, 49}, {250, 49}, {150, 100}, {500, 49}} {
		r := rand.New(rand.NewPCG(5, 5))
		window := make([]byte, size.n+size.band-1)
		for i := range window {
			window[i] = byte(r.IntN(4))
		}
		at := size.band / 2
		read := slices.Clone(window[at : at+size.n])
		for range 3 {
			read[r.IntN(size.n)] = byte(r.IntN(4))
		}
		copy(read[size.n*2/3:], window[at+size.n*2/3+2:at+size.n]) // a deletion of two
		name := fmt.Sprintf("n=%d,band=%d,kernel=", size.n, size.band)
		run := func(b *testing.B) {
			var a Aligner
			var cigar []uint32
			b.ReportAllocs()
			for b.Loop() {
				_, cigar = a.Align(read, window, 0, size.band-1, cigar[:0])
			}
		}
		b.Run(name+"scalar", func(b *testing.B) { withKernels(nil, func() { run(b) }) })
		for _, k := range usable() {
			if size.n <= k.maxRead && size.band <= 2*k.lanes {
				b.Run(name+k.name, func(b *testing.B) { withKernels([]kernel{k}, func() { run(b) }) })
			}
		}
	}
}
