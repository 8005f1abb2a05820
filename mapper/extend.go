package mapper

import "github.com/alignpipe/alignpipe/internal/affine"

const (
	bandMargin = 24      // diagonals beyond those of the seeds
	maxBand    = 4096    // diagonals; a candidate with more is aligned without gaps
	maxCells   = 1 << 27 // of one banded alignment
)

// alignment is a read, or a part of it, placed on the genome.
type alignment struct {
	strand   uint8
	contig   int
	pos, end int64    // genome span, half-open
	qb, qe   int      // aligned part of the oriented read, half-open
	score    int      // matches, mismatches and gaps; clips are not charged
	cigar    []uint32 // BAM encoding, aligned part only; nil means qe-qb matches or mismatches
	sub      int      // best score of another place for this part of the read
	subN     int      // places with nearly that score
	parent   int      // index of the better alignment that covers the same part, or -1
}

// unclipped gives the span that the whole read would have without gaps at its clips.
func (a *alignment) unclipped(n int) (from, to int64) {
	return a.pos - int64(a.qb), a.end + int64(n-a.qe)
}

// span returns the aligned part in coordinates of the read as sequenced.
func (a *alignment) span(n int) (from, to int) {
	if a.strand == 1 {
		return n - a.qe, n - a.qb
	}
	return a.qb, a.qe
}

// extend aligns the candidate: without gaps, and with gaps where one could score more.
func (w *Worker) extend(q *query, c *candidate) (alignment, bool) {
	n := int64(q.len())
	ctg := &w.ix.contigs[c.contig]
	margin := int64(bandMargin)
	from := max(c.dmin-margin, ctg.Off)
	to := min(c.dmax+n+margin, ctg.Off+ctg.Len)
	if to <= from {
		return alignment{}, false
	}
	w.window = unpack(w.window, w.ix.packed, w.ix.holes, from, to)
	codes := q.strand[c.strand]
	a := ungapped(codes, w.window, int(c.diag-from))
	if !settled(codes, w.window, int(c.diag-from), c, &a) {
		lo, hi := int(c.dmin-margin-from), int(c.dmax+margin-from)
		if hi-lo < maxBand && n*int64(hi-lo+1) <= maxCells {
			a = w.dp.align(codes, w.window, lo, hi)
		}
	}
	if a.score <= 0 {
		return a, false
	}
	a.strand, a.contig = c.strand, c.contig
	a.pos, a.end = a.pos+from, a.end+from
	return a, true
}

// settled says whether no alignment with gaps can beat the ungapped one a. A gap costs at
// least 7. One gap alone moves an end of the read off the diagonal of the seeds, so it must
// pay with mismatches beyond the outermost seed; between seeds it takes two, which must pay
// with three mismatches there.
func settled(read, window []byte, d int, c *candidate, a *alignment) bool {
	n := len(read)
	if a.score >= n*matchScore-gapOpen-gapExtend {
		return true
	}
	if a.qb > 0 || a.qe < n || c.dmin != c.dmax || c.qmax == 0 {
		return false
	}
	left := mismatches(read, window, d, 0, c.qmin)
	right := mismatches(read, window, d, c.qmax, n)
	return left <= 1 && right <= 1 && mismatches(read, window, d, c.qmin, c.qmax) <= 2
}

// mismatches counts them in read[from:to] on diagonal d, which lies inside the window.
func mismatches(read, window []byte, d, from, to int) int {
	n := 0
	for i := from; i < to; i++ {
		if read[i] != window[i+d] {
			n++
		}
	}
	return n
}

// ungapped finds the best stretch of the diagonal d (window position of the read's first
// base), each clipped end charged. Positions of the result are in the window.
func ungapped(read, window []byte, d int) alignment {
	from, to := max(0, -d), min(len(read), len(window)-d)
	best := alignment{score: -1}
	bestTotal := -1 << 30
	run, start := -1<<30, from
	for i := from; i < to; i++ {
		fresh := -clipCost
		if i == 0 {
			fresh = 0
		}
		if fresh > run {
			run, start = fresh, i
		}
		run += pairScore(read[i], window[i+d])
		total := run
		if i+1 < len(read) {
			total -= clipCost
		}
		if total > bestTotal {
			bestTotal = total
			best = alignment{pos: int64(start + d), end: int64(i + 1 + d), qb: start, qe: i + 1, score: run}
			if start > 0 {
				best.score += clipCost
			}
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
	a := alignment{pos: int64(r.WB), end: int64(r.WE), qb: r.QB, qe: r.QE, score: r.Score}
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
