package affine

// scalar fills the band row by row, a row of the read against the diagonals lo..hi. It works
// for every size, and is what the kernels are tested against.
type scalar struct {
	h, ins []int32 // previous row: best score, best score ending in an insertion
	trace  []byte  // one byte a cell
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

func (a *Aligner) alignScalar(read, window []byte, lo, hi int) Result {
	d := &a.scalar
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
		end := int32(Clip)
		if i == len(read)-1 {
			end = 0
		}
		if score, b := d.row(read, window, i, lo, w, b0, b1); b >= 0 && score-end > best {
			best, bestI, bestB = score-end, i, b
		}
	}
	if bestI < 0 {
		return Result{}
	}
	var i, b int
	a.cigar, i, b = d.walk(a.cigar, bestI, bestB, w)
	r := Result{QB: i, QE: bestI + 1, WB: i + lo + b, WE: bestI + lo + bestB + 1}
	return finish(r, int(best), len(read))
}

func (d *scalar) reset(n, w int) {
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
func (d *scalar) row(read, window []byte, i, lo, w, b0, b1 int) (best int32, at int) {
	fresh := int32(-Clip)
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
		if fresh >= s { // of equal ones the clipped
			s, t = fresh, fromStart
		}
		if rc == wc && rc < 4 {
			s += Match
		} else if rc > 3 || wc > 3 {
			s -= Ambiguous
		} else {
			s -= Mismatch
		}
		if s > best {
			best, at = s, b
		}
		dOpen := left - GapOpen - GapExtend
		del -= GapExtend
		if dOpen >= del {
			del = dOpen
		} else {
			t |= delMore
		}
		iv := ins[b+1] - GapExtend
		if iOpen := h[b+1] - GapOpen - GapExtend; iOpen >= iv {
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

// walk goes from cell (i, b) back to the cell where the alignment starts, and returns that.
func (d *scalar) walk(cigar []uint32, i, b, w int) ([]uint32, int, int) {
	// The best cell never ends in a gap: the cell where the gap opens would be better.
	state := d.trace[i*w+b] & fromMask
	for {
		t := d.trace[i*w+b]
		switch state {
		case fromDel:
			cigar = push(cigar, opD, 1)
			b--
			if t&delMore == 0 {
				state = d.trace[i*w+b] & fromMask
			}
			continue
		case fromIns:
			cigar = push(cigar, opI, 1)
			i--
			b++
			if t&insMore == 0 {
				state = d.trace[i*w+b] & fromMask
			}
			continue
		}
		cigar = push(cigar, opM, 1)
		if state == fromStart {
			return cigar, i, b
		}
		i--
		state = d.trace[i*w+b] & fromMask
	}
}
