package mapper

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// gappedRead returns n bases from position at, either strand, with one gap of at most reach
// bases, near an end in most cases, and up to six mismatches.
func gappedRead(rng *rand.Rand, g []byte, at, n int) []byte {
	cut := rng.IntN(n)
	if rng.IntN(4) > 0 {
		cut = n - rng.IntN(min(60, n))
	}
	size := 1 + rng.IntN(reach)
	if rng.IntN(2) == 0 {
		size = 1 + rng.IntN(4)
	}
	s := bytes.Clone(g[at : at+cut])
	if rng.IntN(2) == 0 {
		s = append(s, g[at+cut+size:at+size+n]...)
	} else {
		s = append(append(s, randomBases(rng, size)...), g[at+cut:at+n]...)[:n]
	}
	for range rng.IntN(7) {
		s[rng.IntN(n)] = "ACGT"[rng.IntN(4)]
	}
	if rng.IntN(2) == 0 {
		s = revComp(s)
	}
	return s
}

// candidatesOf is the mapper's way to the candidates of a read, with all seeds looked up.
func (w *Worker) candidatesOf(q *query, seq []byte) []candidate {
	w.dp.arena = w.dp.arena[:0]
	q.load(seq, nil, &placing{})
	q.findSeeds(&w.seeds)
	for i := range q.seeds {
		w.look.add(&q.seeds[i])
	}
	w.look.run(w.ix)
	w.place(q, enoughSeeds)
	return q.cands
}

// TestMayGainNeverHidesABetterAlignment holds the bounds of ceiling and mayGain to what they
// say: where the best alignment has one gap, of at most reach bases, and goes to both ends of
// the read, they let it through.
func TestMayGainNeverHidesABetterAlignment(t *testing.T) {
	rng := rand.New(rand.NewPCG(47, 1))
	genome := map[string][]byte{"one": randomBases(rng, 50_000), "two": randomBases(rng, 1000)}
	ix := buildIndex(t, genome, 1)
	w := NewWorker(ix, DefaultParams())
	held, spared := 0, 0
	for range scaled(40_000) {
		n := 60 + rng.IntN(190)
		q := &w.group[0]
		for _, c := range w.candidatesOf(q, gappedRead(rng, genome["one"], 100+rng.IntN(49_000), n)) {
			a, sure := w.ungap(q, &c, 0)
			b := w.gapped(q, &c, a)
			if ceiling := c.bound; b.score <= a.score {
				if sure || !w.mayGain(q, &c, &a, a.score+1) {
					spared++
				}
			} else if b.qb == 0 && b.qe == n && len(b.cigar) == 3 {
				held++
				if sure || ceiling < b.score || !w.mayGain(q, &c, &a, b.score) {
					t.Errorf("%s scores %d, %d without the gap; ceiling %d, bound %d, seeds in [%d,%d)",
						appendCigar(nil, b.cigar), b.score, a.score, ceiling, c.bound, c.qmin, c.qmax)
				}
			}
		}
	}
	if held < scaled(5000) || spared < scaled(4000) {
		t.Errorf("%d alignments with a gap are better, %d in vain are spared: too few", held, spared)
	}
}
