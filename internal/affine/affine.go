package affine

// Scores and costs. The kernels have them built in; gen/main.go holds a second copy.
const (
	Match     = 1
	Mismatch  = 4 // cost
	Ambiguous = 1 // cost of N against anything, N included
	GapOpen   = 6 // cost, beside GapExtend for every base of the gap
	GapExtend = 1
	Clip      = 5 // cost of each end that stops short of the end of the read
)

// Result is an alignment of a part of a read to a part of a window. Positions count bases
// from 0, and intervals are half-open.
type Result struct {
	Score  int // matches, mismatches and gaps; clips are not charged
	QB, QE int // aligned part of the read
	WB, WE int // aligned part of the window
}

// Aligner holds the scratch memory of one goroutine; the zero value is ready. It grows with
// the largest problem seen: by about 100 bytes per base of the read where a kernel serves it,
// and by a byte per cell of the band where none does.
type Aligner struct {
	scalar scalar
	vector vector
	cigar  []uint32 // one alignment's, from its end
}

// Align returns the best alignment of read inside window on the diagonals lo to hi, both
// included; a diagonal is a window position minus a read position. Bases are 0 to 3, and
// anything above is N. An alignment is best by its score less Clip for each clipped end. Of
// equal ones that which ends first in the read, then first in the window, is taken, the
// shortest of these, and its gaps stand as far left as they can: a clip is preferred at both
// ends to mismatches that cost as much, as in bwa-mem.
//
// The CIGAR of the aligned part, BAM encoded, is appended to cigar, unless it is a single M.
// The Result is zero if the band and the window have no cell in common.
func (a *Aligner) Align(read, window []byte, lo, hi int, cigar []uint32) (Result, []uint32) {
	if len(read) == 0 || hi < lo {
		return Result{}, cigar
	}
	a.cigar = a.cigar[:0]
	r, ok := a.alignVector(read, window, lo, hi)
	if !ok {
		r = a.alignScalar(read, window, lo, hi)
	}
	if len(a.cigar) > 1 {
		for k := len(a.cigar) - 1; k >= 0; k-- {
			cigar = append(cigar, a.cigar[k])
		}
	}
	return r, cigar
}

// finish adds the score to an alignment whose total is charged for its clips.
func finish(r Result, total, n int) Result {
	r.Score = total
	if r.QB > 0 {
		r.Score += Clip
	}
	if r.QE < n {
		r.Score += Clip
	}
	return r
}

// BAM CIGAR operations.
const (
	opM = iota
	opI
	opD
)

// push adds n of an operation to a CIGAR.
func push(cigar []uint32, op, n uint32) []uint32 {
	if k := len(cigar); k > 0 && cigar[k-1]&15 == op {
		cigar[k-1] += n << 4
		return cigar
	}
	return append(cigar, n<<4|op)
}
