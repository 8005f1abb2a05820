package mapper

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
	bound    int      // what the read can score anywhere else; only if settled
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

// extend aligns the candidate: without gaps, and with gaps where one could score more than
// atLeast. What cannot score that much may come back as its ungapped alignment.
func (w *Worker) extend(q *query, c *candidate, atLeast int) (alignment, bool) {
	a, sure := w.ungap(q, c)
	if !sure && c.bound >= atLeast {
		a = w.gapped(q, c, a)
	}
	return a, a.score > 0
}

// ungap finds the best stretch of the candidate's diagonal, and sets the candidate's bound,
// a score that no alignment with gaps is likely to exceed. sure says that none can beat a.
func (w *Worker) ungap(q *query, c *candidate) (a alignment, sure bool) {
	n := q.len()
	a = alignment{strand: c.strand, contig: c.contig}
	c.bound = n * matchScore
	if !w.comparable(q, c.contig, c.diag) {
		return a, false
	}
	d := &q.diffs
	d.compare(&w.ix.Reference, &q.bits[c.strand], n, c.diag)
	a.qb, a.qe, a.score = d.stretch()
	a.pos, a.end = c.diag+int64(a.qb), c.diag+int64(a.qe)
	c.bound = max(c.ceiling(d), a.score)
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
// seed, two at least. Between seeds it takes two gaps, which bridge a word of bases at most
// and pay with three mismatches there.
func (c *candidate) ceiling(d *diffs) int {
	const gap, miss = gapOpen + gapExtend, matchScore + mismatchCost
	full := d.n * matchScore
	if c.dmin != c.dmax || c.qmax == 0 {
		return full - min(d.num*miss, gap)
	}
	left := min(d.count(0, c.qmin)*miss, gap)
	right := min(d.count(c.qmax, d.n)*miss, gap)
	middle := 0
	for at := c.qmin; at < c.qmax; at = at&^31 + 32 {
		middle += min(d.count(at, min(at&^31+32, c.qmax))*miss, 2*gap)
	}
	return full - left - middle - right
}

// gapped aligns the candidate with affine gaps in a band around its diagonals; where the
// band is too wide it returns the ungapped alignment a.
func (w *Worker) gapped(q *query, c *candidate, a alignment) alignment {
	n := int64(q.len())
	ctg := &w.ix.contigs[c.contig]
	margin := int64(bandMargin)
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

// aligner is a banded affine-gap aligner with its scratch memory. The band is given in
// diagonals: window position minus read position, both from 0.
type aligner struct {
	h, ins []int32  // previous row: best score, best score ending in an insertion
	trace  []byte   // one byte a cell
	cigar  []uint32 // of one alignment, from its end
	arena  []uint32 // CIGARs of the alignments of one pair
}

// Trace bits: where the cell's best score came from, and whether its gaps were extended.
const (
	fromStart = iota
	fromDiag
	fromDel
	fromIns
	fromMask = 3
	delMore  = 4
	insMore  = 8
)

const unreachable = -1 << 28

// align returns the best alignment of read inside window on diagonals lo..hi, charging
// clipCost for each clipped end. Among equal scores gaps stand as far left as they can.
func (d *aligner) align(read, window []byte, lo, hi int) alignment {
	w := hi - lo + 1
	d.reset(len(read), w)
	best, bestI, bestB := int32(unreachable), -1, -1
	for i := range read {
		b0, b1 := max(0, -(i+lo)), min(w, len(window)-i-lo)
		if b0 >= b1 {
			if i+lo >= len(window) {
				break
			}
			continue
		}
		end := int32(clipCost)
		if i == len(read)-1 {
			end = 0
		}
		if score, b := d.row(read, window, i, lo, w, b0, b1); b >= 0 && score-end > best {
			best, bestI, bestB = score-end, i, b
		}
	}
	if bestI < 0 {
		return alignment{}
	}
	a := d.traceBack(bestI, bestB, lo, w)
	a.score = int(best)
	if a.qb > 0 {
		a.score += clipCost
	}
	if a.qe < len(read) {
		a.score += clipCost
	}
	return a
}

func (d *aligner) reset(n, w int) {
	if cap(d.h) < w+1 {
		d.h, d.ins = make([]int32, w+1), make([]int32, w+1)
	}
	d.h, d.ins = d.h[:w+1], d.ins[:w+1]
	for i := range d.h {
		d.h[i], d.ins[i] = unreachable, unreachable
	}
	if cap(d.trace) < n*w {
		d.trace = make([]byte, n*w)
	}
	d.trace = d.trace[:n*w]
}

// row fills row i of the band, columns b0..b1, and returns its best cell that ends in a
// match or mismatch.
func (d *aligner) row(read, window []byte, i, lo, w, b0, b1 int) (best int32, at int) {
	fresh := int32(-clipCost)
	if i == 0 {
		fresh = 0
	}
	best, at = unreachable, -1
	h, ins := d.h[:w+1], d.ins[:w+1]
	trace := d.trace[i*w : i*w+w]
	rc := read[i]
	win := window[i+lo+b0 : i+lo+b1]
	del, left := int32(unreachable), int32(unreachable)
	for k, wc := range win {
		b := b0 + k
		t := byte(fromDiag)
		s := h[b]
		if fresh > s {
			s, t = fresh, fromStart
		}
		if rc == wc && rc < 4 {
			s += matchScore
		} else if rc > 3 || wc > 3 {
			s--
		} else {
			s -= mismatchCost
		}
		if s > best {
			best, at = s, b
		}
		dOpen := left - gapOpen - gapExtend
		del -= gapExtend
		if dOpen >= del {
			del = dOpen
		} else {
			t |= delMore
		}
		iv := ins[b+1] - gapExtend
		if iOpen := h[b+1] - gapOpen - gapExtend; iOpen >= iv {
			iv = iOpen
		} else {
			t |= insMore
		}
		if del > s {
			s, t = del, t&^fromMask|fromDel
		}
		if iv > s {
			s, t = iv, t&^fromMask|fromIns
		}
		h[b], ins[b], left = s, iv, s
		trace[b] = t
	}
	// Cells outside b0..b1 do not exist in this row.
	for b := range b0 {
		h[b], ins[b] = unreachable, unreachable
	}
	for b := b1; b <= w; b++ {
		h[b], ins[b] = unreachable, unreachable
	}
	return best, at
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

// traceBack walks from cell (i, b) to where the alignment starts.
func (d *aligner) traceBack(i, b, lo, w int) alignment {
	a := alignment{qe: i + 1, end: int64(i + lo + b + 1)}
	d.cigar = d.cigar[:0]
	push := func(op, n uint32) {
		if k := len(d.cigar); k > 0 && d.cigar[k-1]&15 == op {
			d.cigar[k-1] += n << 4
			return
		}
		d.cigar = append(d.cigar, n<<4|op)
	}
	// The best cell never ends in a gap: the cell where the gap opens would be better.
	state := d.trace[i*w+b] & fromMask
	for {
		t := d.trace[i*w+b]
		switch state {
		case fromDel:
			push(opD, 1)
			b--
			if t&delMore == 0 {
				state = d.trace[i*w+b] & fromMask
			}
			continue
		case fromIns:
			push(opI, 1)
			i--
			b++
			if t&insMore == 0 {
				state = d.trace[i*w+b] & fromMask
			}
			continue
		}
		push(opM, 1)
		if state == fromStart {
			break
		}
		i--
		state = d.trace[i*w+b] & fromMask
	}
	a.qb, a.pos = i, int64(i+lo+b)
	if len(d.cigar) > 1 {
		from := len(d.arena)
		for k := len(d.cigar) - 1; k >= 0; k-- {
			d.arena = append(d.arena, d.cigar[k])
		}
		a.cigar = d.arena[from:len(d.arena):len(d.arena)]
	}
	return a
}
