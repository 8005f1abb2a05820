package mapper

import (
	"math/rand/v2"
	"testing"
)

// oracle is the plain affine-gap alignment with charged clips: full matrix, scores only.
func oracle(read, window []byte) int {
	n, m := len(read), len(window)
	const low = -1 << 20
	h := make([][]int, n+1)
	del, ins := make([][]int, n+1), make([][]int, n+1)
	for i := range h {
		h[i], del[i], ins[i] = make([]int, m+1), make([]int, m+1), make([]int, m+1)
		for j := range h[i] {
			h[i][j], del[i][j], ins[i][j] = low, low, low
		}
	}
	best := low
	for i := 1; i <= n; i++ {
		for j := 1; j <= m; j++ {
			fresh := -clipCost
			if i == 1 {
				fresh = 0
			}
			s := max(h[i-1][j-1], fresh) + pairScore(read[i-1], window[j-1])
			end := s - clipCost
			if i == n {
				end = s
			}
			best = max(best, end)
			del[i][j] = max(del[i][j-1], h[i][j-1]-gapOpen) - gapExtend
			ins[i][j] = max(ins[i-1][j], h[i-1][j]-gapOpen) - gapExtend
			h[i][j] = max(s, del[i][j], ins[i][j])
		}
	}
	return best
}

// pairScore is bwa's: N against anything costs one.
func pairScore(a, b byte) int {
	if a > 3 || b > 3 {
		return -1
	}
	if a == b {
		return matchScore
	}
	return -mismatchCost
}

// rescore computes the charged score of an alignment from its CIGAR.
func rescore(t *testing.T, read, window []byte, a *alignment) int {
	cigar := a.cigar
	if cigar == nil {
		cigar = []uint32{uint32(a.qe-a.qb)<<4 | opM}
	}
	score, i, j := 0, a.qb, int(a.pos)
	for _, op := range cigar {
		n := int(op >> 4)
		switch op & 15 {
		case opM:
			for range n {
				score += pairScore(read[i], window[j])
				i++
				j++
			}
		case opI:
			score -= gapOpen + n*gapExtend
			i += n
		case opD:
			score -= gapOpen + n*gapExtend
			j += n
		}
	}
	if i != a.qe || j != int(a.end) {
		t.Fatalf("the CIGAR ends at %d,%d, the alignment at %d,%d", i, j, a.qe, a.end)
	}
	return score
}

func TestAlignFindsTheBestScore(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	var d aligner
	for trial := range 400 {
		window := codesOf(randomBases(rng, 120+rng.IntN(80)))
		from := rng.IntN(20)
		read := codesOf(mutate(rng, lettersOf(window[from:len(window)-rng.IntN(10)]), .05))
		if trial%5 == 0 { // a foreign end, to be clipped
			copy(read, codesOf(randomBases(rng, 15)))
		}
		if trial%7 == 0 {
			read[rng.IntN(len(read))] = 4
		}
		a := d.align(read, window, -len(read), len(window))
		want := oracle(read, window)
		if a.score != want {
			t.Fatalf("trial %d: score %d, the full matrix gives %d", trial, a.score, want)
		}
		if got := rescore(t, read, window, &a); got != a.aligned {
			t.Fatalf("trial %d: the CIGAR scores %d, the alignment says %d", trial, got, a.aligned)
		}
	}
}

func lettersOf(codes []byte) []byte {
	out := make([]byte, len(codes))
	for i, c := range codes {
		out[i] = letters[c]
	}
	return out
}

func TestGapsStandLeft(t *testing.T) {
	var d aligner
	read := codesOf([]byte("ACGTCCATTTTTTGCAGTCATCAGGCTA"))
	window := codesOf([]byte("ACGTCCATTTTTTTGCAGTCATCAGGCTA"))
	a := d.align(read, window, -4, 4)
	if len(a.cigar) != 3 || a.cigar[0] != 7<<4|opM || a.cigar[1] != 1<<4|opD {
		t.Errorf("CIGAR %s, want the deletion after 7 bases", appendCigar(nil, a.cigar))
	}
}

func BenchmarkAlign(b *testing.B) {
	rng := rand.New(rand.NewPCG(11, 11))
	window := codesOf(randomBases(rng, 200))
	read := codesOf(mutate(rng, lettersOf(window[25:175]), .02))
	var d aligner
	b.ReportAllocs()
	for b.Loop() {
		d.arena = d.arena[:0]
		d.align(read, window, 0, 50)
	}
}
