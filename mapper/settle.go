package mapper

import (
	"slices"
	"sort"
)

// Most reads need no more than this: a few seeds that do not overlap and stand at one place
// of the genome each, all on one diagonal. Another place lacks every one of them, and each
// costs it an edit at least; so what the read can score elsewhere is bounded without
// looking there.

// sureLead is the lead in score over any other place that makes a read certain: MAPQ 60, by
// mapqPair.
const sureLead = 9

// settle places a template by its coarse seeds where that leaves no doubt. It returns false
// when the template needs all its seeds. A single read keeps the place that was found all the
// same, with the MAPQ of one that has no other: EstimateInsert takes those too, since the certain
// ones alone would leave out the short fragments, whose reads end in adapters.
func (w *Worker) settle(t []query) bool {
	if len(t) == 2 {
		return w.settlePair(&t[0], &t[1])
	}
	q := &t[0]
	a, ok := w.settleRead(q)
	if !ok {
		return false
	}
	q.alns = append(q.alns[:0], a)
	q.chooseSingle()
	return mapqSingle(&a, a.bound) == maxMapQ
}

// settleAgain is settle with all seeds looked up, and of those that overlap the ones with one
// place preferred.
func (w *Worker) settleAgain(t []query) bool {
	for i := range t {
		t[i].preferUnique()
	}
	return w.settle(t)
}

// preferUnique sets the coarse seeds to those with one place that do not overlap, and to
// others that do not overlap them.
func (q *query) preferUnique() {
	q.coarse = q.coarse[:0]
	end := int32(0)
	for i := range q.seeds {
		if s := &q.seeds[i]; s.count() == 1 && s.pos >= end {
			q.coarse = append(q.coarse, int32(i))
			end = s.pos + seedK
		}
	}
	unique, k := len(q.coarse), 0
	end = 0
	for i := range q.seeds {
		s := &q.seeds[i]
		for k < unique && q.seeds[q.coarse[k]].pos+seedK <= s.pos {
			k++
		}
		next := int32(1 << 30)
		if k < unique {
			next = q.seeds[q.coarse[k]].pos
		}
		if s.count() != 1 && s.pos >= end && s.pos+seedK <= next {
			q.coarse = append(q.coarse, int32(i))
			end = s.pos + seedK
		}
	}
}

// settlePair is sure of a pair when no other combination of places can come near: both mates
// elsewhere, by what their seeds exclude; one of them elsewhere, which also costs the pair its
// fit; or one at another place in the window of the other, where settleMate looks.
func (w *Worker) settlePair(a, b *query) bool {
	x, okA := w.settleRead(a)
	y, okB := w.settleRead(b)
	size, fits := int64(0), false
	if okA && okB {
		size, fits = w.properSize(a, &x, b, &y, true)
	}
	switch {
	case fits:
		need := sureLead + w.sizes.penalty(size)
		if x.lead()+y.lead() < need {
			return false
		}
		if y.lead() < need {
			if y, okB = w.settleMate(a, &x, b, true); !okB {
				return false
			}
		}
		if x.lead() < need {
			if x, okA = w.settleMate(b, &y, a, false); !okA {
				return false
			}
		}
	case okA && x.lead() > sureLead && (!okB || x.lead() >= y.lead()):
		if y, okB = w.settleMate(a, &x, b, true); !okB {
			return false
		}
	case okB && y.lead() > sureLead:
		if x, okA = w.settleMate(b, &y, a, false); !okA {
			return false
		}
	default:
		return false
	}
	a.certain(x)
	b.certain(y)
	return true
}

// lead is what a settled alignment scores more than any other place of the read can.
func (a *alignment) lead() int { return a.score - a.bound }

// certain makes x the proper place of the read.
func (q *query) certain(x alignment) {
	x.parent = -1
	q.alns = append(q.alns[:0], x)
	q.best, q.mapq, q.proper = 0, maxMapQ, true
}

// settleRead aligns the read where its coarse seeds with one place each agree. The
// alignment's bound is what the read can score anywhere else.
func (w *Worker) settleRead(q *query) (alignment, bool) {
	var anchors [maxPacked / seedK]uint64
	n := 0
	for _, k := range q.coarse {
		if s := &q.seeds[k]; s.count() == 1 && n < len(anchors) {
			if a, ok := q.anchor(s, w.ix.entries[s.lo]); ok {
				anchors[n] = a
				n++
			}
		}
	}
	c, ok := agree(anchors[:n])
	if !ok {
		return alignment{}, false
	}
	c.contig = w.ix.contigAt(c.diag + int64(c.qmin))
	a, ok := w.extend(q, &c, 0)
	a.bound = q.len()*matchScore - c.weight*(matchScore+mismatchCost)
	return a, ok && a.aligned >= minScore
}

// agree makes a candidate of the anchors near the diagonal that most of them share.
func agree(anchors []uint64) (c candidate, ok bool) {
	for i := range anchors {
		strand, diag, _ := unpackAnchor(anchors[i])
		x := candidate{strand: strand, diag: diag, dmin: diag, dmax: diag, qmin: 1 << 30}
		exact := 0
		for _, b := range anchors {
			s, d, qpos := unpackAnchor(b)
			if s != strand || d < diag-bandMargin || d > diag+bandMargin {
				continue
			}
			x.weight++
			if d == diag {
				exact++
			}
			x.dmin, x.dmax = min(x.dmin, d), max(x.dmax, d)
			x.qmin, x.qmax = min(x.qmin, qpos), max(x.qmax, qpos+seedK)
		}
		if x.weight > c.weight || x.weight == c.weight && exact > c.exact {
			c, c.exact = x, exact
		}
		if c.exact == len(anchors) {
			break
		}
	}
	return c, c.weight > 0
}

// settleMate places the mate of q, which stands at a, among the hits of its coarse seeds in
// the window where it must lie. Any other place there lacks all those seeds; any place
// elsewhere lacks those that have no place elsewhere, and its mate.
func (w *Worker) settleMate(q *query, a *alignment, mate *query, qFirst bool) (best alignment, ok bool) {
	n := mate.len()
	strand, from, to := w.mateWindow(q, a, n, qFirst)
	anchors := mate.anchors[:0]
	seeds := 0
	for _, k := range mate.coarse {
		s := &mate.seeds[k]
		if s.count() > 0 {
			seeds++
			anchors = mate.anchorsWithin(w.ix, s, strand, from-bandMargin, to-int64(n)+bandMargin, anchors)
		}
	}
	mate.anchors = anchors
	slices.Sort(anchors)
	second := 0
	for i := 0; i < len(anchors); {
		j := mate.clusterEnd(i, maxDiagStep, maxDiagSpread)
		c := makeCandidate(w.ix, anchors[i:j])
		i = j
		if c.contig != a.contig {
			continue
		}
		x, found := w.extend(mate, &c, minScore-maxClips)
		if !found {
			continue
		}
		if x.bound = w.elsewhere(mate, &c); x.score > best.score {
			x, best = best, x
		}
		second = max(second, x.score)
	}
	size, fits := w.properSize(q, a, mate, &best, qFirst)
	if best.aligned < minScore || !fits {
		return best, false
	}
	penalty := w.sizes.penalty(size)
	unseen := n*matchScore - seeds*(matchScore+mismatchCost)
	elsewhere := min(unpairedCost, a.lead()) // what a mate elsewhere costs: the fit, or q's place too
	return best, best.score > unseen && best.score-second >= sureLead+penalty && best.lead()+elsewhere >= sureLead+penalty
}

// elsewhere bounds what a read with candidate c can score outside its mate's window: seeds
// with one place, which is in c, are missing there.
func (w *Worker) elsewhere(q *query, c *candidate) int {
	bound := q.len() * matchScore
	for _, k := range q.coarse {
		s := &q.seeds[k]
		if s.count() != 1 {
			continue
		}
		if a, ok := q.anchor(s, w.ix.entries[s.lo]); ok {
			if strand, diag, _ := unpackAnchor(a); strand == c.strand && diag >= c.dmin && diag <= c.dmax {
				bound -= matchScore + mismatchCost
			}
		}
	}
	return bound
}

// anchorsWithin appends the places of a seed on the strand whose diagonal is in [from, to].
func (q *query) anchorsWithin(ix *Index, s *seedHits, strand uint8, from, to int64, anchors []uint64) []uint64 {
	qpos, rev := int64(s.pos), uint64(0)
	if strand == 1 {
		qpos = int64(q.len()) - seedK - qpos
	}
	if s.rev != (strand == 1) {
		rev = revBit
	}
	hits := ix.entries[s.lo:s.hi] // ascending by rev and position
	low, high := rev|uint64(max(from+qpos, 0)), rev|uint64(max(to+qpos, 0))
	i := 0
	if len(hits) > 8 {
		i = sort.Search(len(hits), func(i int) bool { return hits[i]&(revBit|posMask) >= low })
	}
	for ; i < len(hits); i++ {
		switch e := hits[i] & (revBit | posMask); {
		case e < low:
		case e > high:
			return anchors
		default:
			anchors = append(anchors, packAnchor(uint64(strand), int64(e&posMask)-qpos, qpos))
		}
	}
	return anchors
}
