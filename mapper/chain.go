package mapper

import (
	"slices"
	"sort"
)

const (
	maxDiagStep    = 48 // bases between neighbouring diagonals of one candidate
	maxDiagSpread  = 120
	maxSeedOverlap = seedK / 2 // bases that seeds on two diagonals of one candidate may share
	maxWeight      = 255       // heavier candidates count the same
	maxCandidates  = 256       // a read's candidates beyond it are not looked at
	maxGapped      = 64        // of a read's candidates are aligned with gaps
	maxAlignments  = 64        // of a read are kept
)

// candidate is a place where seeds of the read lie on nearly one diagonal.
type candidate struct {
	diag       int64 // genome position of the oriented read's first base, of most seeds
	dmin, dmax int64
	qmin, qmax int // first and past-the-end position covered by seeds, oriented read
	weight     int // distinct seeds
	strand     uint8
	paired     bool // a candidate of the mate is at a proper distance
	pairBound  int  // of this and the best mate it may have
	contig     int
	from, to   int       // its anchors in the query
	exact      int       // seeds on diag
	bound      int       // score that its alignment will hardly exceed; see ungap
	skip       bool      // not worth aligning
	aln        alignment // what is known of it
	sure       bool      // aln is final
}

// chain groups the sorted anchors into candidates, by strand and place.
func (q *query) chain(ix *Index) {
	step, spread := int64(maxDiagStep), int64(maxDiagSpread)
	if n := int64(q.len()); n > 1000 { // long reads drift
		step, spread = step+n/50, spread+n/10
	}
	for i := 0; i < len(q.anchors); {
		j := q.clusterEnd(i, step, spread)
		c := makeCandidate(ix, q.anchors[i:j])
		c.from, c.to = i, j
		q.cands = append(q.cands, c)
		i = j
	}
}

// rankCandidates sets q.heavy to the heaviest candidates, of equal ones the first on the genome.
func (q *query) rankCandidates() {
	var count [maxWeight + 2]int32
	for i := range q.cands {
		count[maxWeight-min(q.cands[i].weight, maxWeight)+1]++
	}
	for i := 1; i < len(count); i++ {
		count[i] += count[i-1]
	}
	q.heavy = slices.Grow(q.heavy[:0], len(q.cands))[:len(q.cands)]
	for i := range q.cands {
		slot := &count[maxWeight-min(q.cands[i].weight, maxWeight)]
		q.heavy[*slot] = int32(i)
		*slot++
	}
	q.heavy = q.heavy[:min(len(q.heavy), maxCandidates)]
}

// clusterEnd returns the end of the candidate whose anchors begin at i: one diagonal, and
// those close behind it that seeds of other parts of the read lie on, as an indel makes them.
// A part of the read on two diagonals is a tandem repeat, and makes two candidates.
func (q *query) clusterEnd(i int, step, spread int64) int {
	strand, first, _ := unpackAnchor(q.anchors[i])
	last, qmin, qmax := first, 1<<30, -1
	for j := i; j < len(q.anchors); {
		s, d, from := unpackAnchor(q.anchors[j])
		if s != strand || d-last > step || d-first > spread {
			return j
		}
		to, end := from+seedK, j+1
		for ; end < len(q.anchors); end++ {
			s, e, at := unpackAnchor(q.anchors[end])
			if s != strand || e != d {
				break
			}
			to = at + seedK
		}
		if from < qmax-maxSeedOverlap && to > qmin+maxSeedOverlap {
			return j
		}
		last, qmin, qmax = d, min(qmin, from), max(qmax, to)
		j = end
	}
	return len(q.anchors)
}

func makeCandidate(ix *Index, anchors []uint64) candidate {
	strand, dmin, qpos := unpackAnchor(anchors[0])
	c := candidate{strand: strand, dmin: dmin, diag: dmin, qmin: qpos, qmax: qpos + seedK}
	run, best, prev := 0, 0, int64(0)
	var seen [8]uint64 // seed positions, modulo 512: enough to tell neighbours apart
	for i, a := range anchors {
		_, d, qp := unpackAnchor(a)
		if i == 0 || d != prev {
			run, prev = 0, d
		}
		if run++; run > best {
			best, c.diag = run, d
		}
		c.dmax = d
		c.qmin, c.qmax = min(c.qmin, qp), max(c.qmax, qp+seedK)
		if bit := uint64(1) << (qp & 63); seen[qp>>6&7]&bit == 0 {
			seen[qp>>6&7] |= bit
			c.weight++
		}
	}
	_, d, qp := unpackAnchor(anchors[len(anchors)/2])
	c.contig = ix.contigAt(d + int64(qp))
	return c
}

// markPaired notes which of the heavy candidates of a have a mate among those of b.
func (w *Worker) markPaired(a, b *query) {
	for _, i := range a.heavy {
		ca := &a.cands[i]
		for _, j := range w.partners(a, ca, b) {
			ca.paired, b.cands[j].paired = true, true
		}
	}
}

// boundPairs sets what the pairs of candidates can score, and returns the bound that a pair
// must have to matter, given what the mates score apart.
func (w *Worker) boundPairs(a, b *query, apart int) int {
	best := apart
	for _, i := range a.heavy {
		ca := &a.cands[i]
		if ca.skip || !ca.paired {
			continue
		}
		for _, j := range w.partners(a, ca, b) {
			cb := &b.cands[j]
			if cb.skip {
				continue
			}
			bound := ca.bound + cb.bound
			ca.pairBound, cb.pairBound = max(ca.pairBound, bound), max(cb.pairBound, bound)
			best = max(best, ca.aln.score+cb.aln.score)
		}
	}
	return best - max(a.lag, b.lag)
}

// partners returns the candidates of b that can be mates of the candidate c of a.
func (w *Worker) partners(a *query, c *candidate, b *query) []int32 {
	const slack = 40 // the diagonal is only near the place
	n, m := int64(a.len()), int64(b.len())
	at := alignment{strand: c.strand, pos: c.diag, end: c.diag + n, qe: int(n)}
	strand, from, to := w.mateWindow(a, &at, b.len(), true)
	from, to = from-slack, to-m+slack
	j := sort.Search(len(b.cands), func(j int) bool {
		return b.cands[j].strand > strand || b.cands[j].strand == strand && b.cands[j].diag >= from
	})
	w.pairs = w.pairs[:0]
	for ; j < len(b.cands) && b.cands[j].strand == strand && b.cands[j].diag <= to; j++ {
		if b.cands[j].contig == c.contig {
			w.pairs = append(w.pairs, int32(j))
		}
	}
	return w.pairs
}

// fragment returns the size of the fragment that two placed mates span, as InsertSize counts it,
// given each mate's strand (1 is reverse) and its unclipped span; ok says whether they face
// each other as o wants. Mate 1 is the first of the pair.
func fragment(o Orientation, s1 uint8, from1, to1 int64, s2 uint8, from2, to2 int64) (size int64, ok bool) {
	switch o {
	case FF:
		if s1 != s2 {
			return 0, false
		}
		if s1 == 0 {
			return to2 - from1, from2 >= from1
		}
		return to1 - from2, from2 <= from1
	case RF:
		if s1 == s2 {
			return 0, false
		}
		if s1 == 0 {
			return to1 - from2, from2 <= from1
		}
		return to2 - from1, from1 <= from2
	}
	if s1 == s2 {
		return 0, false
	}
	if s1 == 0 {
		return to2 - from1, to2 > from1
	}
	return to1 - from2, to1 > from2
}

// maxScore bounds the score that any alignment of c can have: of the seeds that do not
// overlap, each one that was looked up and is not among c's anchors stands for an edit, and
// the cheapest is a mismatch.
func (q *query) maxScore(c *candidate) int {
	n := q.len()
	q.at = slices.Grow(q.at[:0], n)[:n]
	clear(q.at)
	for _, a := range q.anchors[c.from:c.to] {
		_, _, qp := unpackAnchor(a)
		if c.strand == 1 {
			qp = n - seedK - qp
		}
		q.at[qp] = true
	}
	missing, end := 0, 0
	for _, p := range q.known {
		if int(p) >= end && !q.at[p] {
			missing++
			end = int(p) + seedK
		}
	}
	return n*matchScore - missing*(matchScore+mismatchCost)
}

// worthExtending chooses the candidates to align: the heavy ones, those a mate supports,
// and those that cover a part of the read that the heaviest does not.
func (q *query) worthExtending(c *candidate, best int) bool {
	top := &q.cands[q.heavy[0]]
	hopeless := best > 0 && q.maxScore(c) < best-q.lag
	if !hopeless && (c.paired || 3*c.weight >= top.weight) {
		return true
	}
	from, to := c.qmin, c.qmax
	topFrom, topTo := top.qmin, top.qmax
	if c.strand != top.strand {
		n := q.len()
		topFrom, topTo = n-topTo, n-topFrom
	}
	overlap := min(to, topTo) - max(from, topFrom)
	return c.weight >= 2 && 2*overlap < to-from
}
