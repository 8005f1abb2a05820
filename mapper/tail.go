package mapper

import (
	"encoding/binary"
	"math/bits"
)

const (
	maxEdge = 16 // bases at an end of the read that are tried on other diagonals
	reach   = 24 // diagonals to either side on which they are tried
)

// mayGain says whether an alignment of c with gaps may score as much as need, where a is the
// best without; it tightens c's bound. One gap moves an end of the read to another
// diagonal, so unless that end fits on one, it cannot pay. That is sure for one gap of at most
// reach bases in an alignment that goes to both ends of the read, unless the read's seeds stand
// in a tandem repeat; with more gaps, or with clips beside one, it is likely.
func (w *Worker) mayGain(q *query, c *candidate, a *alignment, need int) bool {
	n := q.len()
	if c.dmin != c.dmax || c.qmax == 0 || n < 2*maxEdge ||
		!w.comparable(q, c.contig, c.diag) || !w.ix.inside(c.contig, c.diag-2*reach, c.diag+int64(n)+2*reach) {
		return true
	}
	d := &q.diffs
	d.compare(&w.ix.Reference, &q.bits[c.strand], n, c.diag)
	before, after := q.missing(c)
	cost := c.middle(d)
	if n*matchScore-cost < need {
		return false
	}
	cost += w.tailCost(q, c, 0, c.qmin, before)
	if n*matchScore-cost < need {
		return false
	}
	cost += w.tailCost(q, c, c.qmax, n, after)
	c.bound = max(min(c.bound, n*matchScore-cost), a.score)
	return c.bound >= need
}

// tailCost bounds from below what the end [from, to) of the oriented read costs, which misses
// that many seeds; no gap breaks more of them than cost as much. Without a gap its mismatches
// are known. A gap lies either inside the outer edge, and saves mismatches there only, or the
// whole edge is on another diagonal.
func (w *Worker) tailCost(q *query, c *candidate, from, to, missing int) int {
	const gap, miss = gapOpen + gapExtend, matchScore + mismatchCost
	d := &q.diffs
	num := d.count(from, to)
	if num < 2 {
		return num * miss
	}
	edge := min(max((to-from)/2, 4), maxEdge, to-from)
	at := to - edge
	if from == 0 {
		at = 0
	}
	atEdge := d.count(at, at+edge)
	withGap := (num-atEdge)*miss + min(atEdge*miss, gap)
	withGap = max(min(withGap, w.shifted(q, c, at, edge)), missing*miss)
	return min(num*miss, withGap)
}

// shifted is the least cost of bases [at, at+n) of the oriented read, the first or the last, on
// another diagonal, the gap included. The bases beside an insertion may be its own: they
// cost their match and are not compared.
func (w *Worker) shifted(q *query, c *candidate, at, n int) int {
	read := uint32(cut(&q.bits[c.strand], at))
	mask := uint32(uint64(1)<<(2*n)-1) & (lowBits & 0xffffffff)
	low, high := w.ix.sixtyFour(c.diag + int64(at) - reach)
	least := 1 << 30
	for s := range 2*reach + 1 {
		size := max(s-reach, reach-s)
		gap, compared := gapOpen+size*gapExtend, mask
		switch {
		case at == 0 && s > reach:
			gap, compared = gap+size*matchScore, mask>>(2*size)
		case at > 0 && s < reach:
			gap, compared = gap+size*matchScore, mask<<(2*size)&mask
		}
		if x := read ^ uint32(low); size > 0 {
			least = min(least, gap+bits.OnesCount32((x|x>>1)&compared)*(matchScore+mismatchCost))
		}
		low = low>>2 | high<<62
		high >>= 2
	}
	return least
}

// sixtyFour returns the 64 bases of the genome from at on, which must lie inside it.
func (r *Reference) sixtyFour(at int64) (low, high uint64) {
	var p [24]byte
	copy(p[:], r.packed[at>>2:])
	shift := uint(at&3) * 2
	a, b, c := binary.LittleEndian.Uint64(p[0:]), binary.LittleEndian.Uint64(p[8:]), binary.LittleEndian.Uint64(p[16:])
	return a>>shift | b<<1<<(63-shift), b>>shift | c<<1<<(63-shift)
}

// inside says whether [from, to) is all of one contig.
func (r *Reference) inside(contig int, from, to int64) bool {
	c := &r.contigs[contig]
	return from >= c.Off && to <= c.Off+c.Len
}
