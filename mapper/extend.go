package mapper

import "github.com/alignpipe/alignpipe/internal/affine"

const (
	bandMargin = 24      // diagonals beyond those of the seeds
	bandWidth  = 128     // diagonals that the kernels of internal/affine take
	maxBand    = 4096    // diagonals; a candidate with more is aligned without gaps
	maxCells   = 1 << 27 // of one banded alignment
)

// alignment is a read, or a part of it, placed on the genome.
type alignment struct {
	strand   uint8
	contig   int
	pos, end int64    // genome span, half-open
	qb, qe   int      // aligned part of the oriented read, half-open
	score    int      // each clipped end charged, or clipping two mismatches would beat aligning one
	aligned  int      // the same without that charge: AS
	cigar    []uint32 // BAM encoding, aligned part only; nil means qe-qb matches or mismatches
	sub      int      // best score of another place for this part of the read
	subN     int      // places with nearly that score
	parent   int      // index of the better alignment that covers the same part, or -1
	miss     int      // sum of the qualities of mismatches; see rank
	toss     uint64   // of equal places the least is taken; see rank
	bound    int      // what the read can score anywhere else; only if settled
}

// unclipped gives the span that the whole read would have without gaps at its clips.
func (a *alignment) unclipped(n int) (from, to int64) {
	return a.pos - int64(a.qb), a.end + int64(n-a.qe)
}

// runnerUp is the best score of another place, XS, on the scale of AS.
func (a *alignment) runnerUp() int {
	if a.sub == 0 {
		return 0
	}
	return max(a.sub+a.aligned-a.score, 0)
}

// clipCharge is what the ends of a read of n bases that are not in [qb, qe) cost.
func clipCharge(qb, qe, n int) (cost int) {
	if qb > 0 {
		cost += clipCost
	}
	if qe < n {
		cost += clipCost
	}
	return cost
}

// span returns the aligned part in coordinates of the read as sequenced.
func (a *alignment) span(n int) (from, to int) {
	if a.strand == 1 {
		return n - a.qe, n - a.qb
	}
	return a.qb, a.qe
}

// extend aligns the candidate: without gaps, and with gaps where one could score more than
// atLeast. What cannot score that much may come back as its ungapped alignment.
func (w *Worker) extend(q *query, c *candidate, atLeast int) (alignment, bool) {
	a, sure := w.ungap(q, c, 0)
	if !sure && c.bound >= atLeast && w.mayGain(q, c, &a, max(atLeast, a.score+1)) {
		a = w.gapped(q, c, a)
	}
	return a, a.aligned > 0
}

// ungap finds the best stretch of the candidate's diagonal, and sets the candidate's bound,
// a score that no alignment with gaps is likely to exceed. sure says that none can beat a. What
// has too few matches to score atLeast has no score.
func (w *Worker) ungap(q *query, c *candidate, atLeast int) (a alignment, sure bool) {
	n := q.len()
	a = alignment{strand: c.strand, contig: c.contig}
	c.bound = n * matchScore
	if !w.comparable(q, c.contig, c.diag) {
		return a, false
	}
	d := &q.diffs
	d.compare(&w.ix.Reference, &q.bits[c.strand], n, c.diag)
	if n-d.num >= atLeast {
		a.qb, a.qe, a.aligned = d.stretch()
		a.score = a.aligned - clipCharge(a.qb, a.qe, n)
	}
	a.pos, a.end = c.diag+int64(a.qb), c.diag+int64(a.qe)
	c.bound = max(q.ceiling(c, d), a.score)
	return a, c.bound == a.score
}

// comparable says whether packed bases tell all about the read on that diagonal: it has ACGT
// only, and so has the genome under it, which is all of one contig.
func (w *Worker) comparable(q *query, contig int, diag int64) bool {
	ctg, n := &w.ix.contigs[contig], int64(q.len())
	return q.clean && diag >= ctg.Off && diag+n <= ctg.Off+ctg.Len && !w.ix.nearHole(diag, n)
}

// ceiling is the score of the best alignment with gaps, as far as the seeds and the
// mismatches d of the diagonal tell. A gap costs at least 7. One gap alone moves an end of
// the read off the diagonal of the seeds, so it pays with mismatches beyond the outermost
// seed, two at least; what seeds are missing there cost a mismatch each all the same, since a gap
// that breaks two of them is an insertion of two bases, which costs 10. Between
// seeds it takes two gaps, which bridge a word of bases at most and pay with three
// mismatches there.
func (q *query) ceiling(c *candidate, d *diffs) int {
	const gap, miss = gapOpen + gapExtend, matchScore + mismatchCost
	full := d.n * matchScore
	if c.dmin != c.dmax || c.qmax == 0 {
		return full - min(d.num*miss, gap)
	}
	before, after := q.missing(c)
	left := min(d.count(0, c.qmin)*miss, max(gap, before*miss))
	right := min(d.count(c.qmax, d.n)*miss, max(gap, after*miss))
	return full - left - c.middle(d) - right
}

// middle is what the part of the read between the outermost seeds costs at least.
func (c *candidate) middle(d *diffs) (cost int) {
	const gap, miss = gapOpen + gapExtend, matchScore + mismatchCost
	for at := c.qmin; at < c.qmax; at = at&^31 + 32 {
		cost += min(d.count(at, min(at&^31+32, c.qmax))*miss, 2*gap)
	}
	return cost
}

// missing returns how many disjoint known seeds lie before and after those of the candidate,
// which has none of them.
func (q *query) missing(c *candidate) (before, after int) {
	if c.from == c.to {
		return 0, 0
	}
	n := q.len()
	from, to := int32(c.qmin), int32(c.qmax)
	if c.strand == 1 {
		from, to = int32(n-c.qmax), int32(n-c.qmin)
	}
	end := int32(0)
	for _, p := range q.known {
		if p < end {
			continue
		}
		switch {
		case p+seedK <= from:
			before++
			end = p + seedK
		case p >= to:
			after++
			end = p + seedK
		}
	}
	if c.strand == 1 {
		return after, before
	}
	return before, after
}

// gapped aligns the candidate with affine gaps in a band around its diagonals; where the
// band is too wide it returns the ungapped alignment a.
func (w *Worker) gapped(q *query, c *candidate, a alignment) alignment {
	n := int64(q.len())
	ctg := &w.ix.contigs[c.contig]
	margin := int64(bandMargin)
	if spread := c.dmax - c.dmin; spread <= maxDiagSpread { // a band the vector kernels hold
		margin = min(margin, (bandWidth-1-spread)/2)
	}
	from := max(c.dmin-margin, ctg.Off)
	to := min(c.dmax+n+margin, ctg.Off+ctg.Len)
	lo, hi := int(c.dmin-margin-from), int(c.dmax+margin-from)
	if to <= from || hi-lo >= maxBand || n*int64(hi-lo+1) > maxCells {
		return a
	}
	w.window = unpack(w.window, w.ix.packed, w.ix.holes, from, to)
	a = w.dp.align(q.oriented(c.strand), w.window, lo, hi)
	a.strand, a.contig = c.strand, c.contig
	a.pos, a.end = a.pos+from, a.end+from
	return a
}

// aligner aligns with gaps, and keeps the CIGARs that it makes.
type aligner struct {
	affine.Aligner
	arena []uint32 // CIGARs of the alignments of one pair
}

// align returns the best alignment of read inside window on diagonals lo..hi (window position
// minus read position), charging clipCost for each clipped end. Its CIGAR is in the arena.
func (d *aligner) align(read, window []byte, lo, hi int) alignment {
	from := len(d.arena)
	var r affine.Result
	r, d.arena = d.Align(read, window, lo, hi, d.arena)
	a := alignment{pos: int64(r.WB), end: int64(r.WE), qb: r.QB, qe: r.QE, aligned: r.Score}
	a.score = a.aligned - clipCharge(a.qb, a.qe, len(read))
	if to := len(d.arena); to > from {
		a.cigar = d.arena[from:to:to]
	}
	return a
}

// BAM CIGAR operations.
const (
	opM = iota
	opI
	opD
	opN
	opS
	opH
)
