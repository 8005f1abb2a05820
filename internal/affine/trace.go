package affine

// step is what a kernel notes about 64 cells: a bit for each in each of the words below. The
// cells of lane k, parity p, in step m are number (2m+p)*lanes+k, from the low bit of the
// first step up.
type step = [6]uint64

const (
	goesOn = iota // from the cell before on its diagonal, unless it ends in a gap; else starts afresh
	gotDel        // ends in a deletion, unless it ends in an insertion
	gotIns
	moreDel // a deletion that goes on from this cell was open before it
	moreIns
	gotBest // is better than all earlier cells of its lane
)

func isSet(word uint64, cell int) bool { return word>>(cell&63)&1 != 0 }

// walk goes from a cell in row i back to the cell where the alignment starts, and returns its
// row and its diagonal, counted from the first.
func (v *vector) walk(cigar []uint32, c, i, lanes int) (_ []uint32, row, diagonal int) {
	for {
		s := &v.trace[c>>6]
		switch {
		case isSet(s[gotIns], c):
			for more := true; more; more = isSet(v.trace[c>>6][moreIns], c) {
				cigar = push(cigar, opI, 1)
				c -= lanes
				if c/lanes&1 == 0 { // was parity 1
					c++
				}
				i--
			}
		case isSet(s[gotDel], c):
			for more := true; more; more = isSet(v.trace[c>>6][moreDel], c) {
				cigar = push(cigar, opD, 1)
				c -= lanes
				if c/lanes&1 == 1 { // was parity 0
					c--
				}
			}
		default:
			run := v.diagonal(c, lanes)
			cigar = push(cigar, opM, uint32(run))
			i -= run - 1
			c -= (run - 1) * 2 * lanes
			if !isSet(v.trace[c>>6][goesOn], c) {
				return cigar, i, 2*(c%lanes) + c/lanes%2
			}
			i--
			c -= 2 * lanes
		}
	}
}

// diagonal counts the cells from c up its diagonal to one that starts the alignment or that
// follows a gap.
func (v *vector) diagonal(c, lanes int) int {
	bit := c & 63
	run := 1
	for s := c >> 6; isSet(v.trace[s][goesOn], bit); run++ {
		s -= lanes / 32
		if isSet(v.trace[s][gotDel]|v.trace[s][gotIns], bit) {
			break
		}
	}
	return run
}
