package affine

import "math/bits"

// A kernel fills the band one anti-diagonal at a time, since its cells do not depend on each
// other. With w diagonals lo..hi, cell (i, j) of the read and the window is on diagonal
// lo+2k+p, k its lane and p its parity, and belongs to step m = i+k:
//
//	          lane 0        lane 1        lane 2     ...      diagonal of lane k
//	m, p=0   (m,   j)      (m-1, j+1)    (m-2, j+2)           lo+2k
//	m, p=1   (m, j+1)      (m-1, j+2)    (m-2, j+3)           lo+2k+1       j = m+lo
//
// So lanes go down the rows of the read, which is kept backwards, and up the window: both are
// read with one load. A cell's diagonal neighbour is its lane two anti-diagonals before. One
// gap neighbour is its lane of the anti-diagonal before; the other is one lane away, for
// deletions if p is 0 and for insertions if p is 1.
//
// Lanes hold scores from -6 up; -6, their smallest value, stands for all below, and for cells
// that do not exist. A fresh start costs 5, so nothing that bad is ever continued, and which
// of the bad it was makes no difference. Only an alignment that is worth -6 or less in all
// would show it: that is left to the scalar code.
//
// Bases are coded so that the low four bits of a read code xor a window code look up the
// score, and bit 7 says that the place does not exist; see readCodes and gen/main.go.
type kernel struct {
	name    string
	lanes   int // half the diagonals
	maxRead int // bases
	floor   int // what a lane's smallest value reads as
	fill    fillFunc
	usable  bool
}

// fillFunc fills steps times two anti-diagonals of a read of n bases, live0 and live1 lanes
// of the two parities, and notes each in trace. It returns the best total of a lane and which
// lanes have it. read points at the code of the first base, those of the rest before it.
type fillFunc func(read, window *byte, n, steps, live0, live1 int, trace *[6]uint64) (best int, at uint64)

// floorScore is the score that a lane's smallest value stands for.
const floorScore = -6

const (
	// maxReadBytes is where lanes of a byte end. The whole of a perfect read of 250 bases does
	// not fit, but nothing else in its last row comes near 249, so it can be told.
	maxReadBytes = 127 + 128 + floorScore + 1
	// maxReadWords bounds the trace, 48 bytes a base; the scores would go further.
	maxReadWords = 4000
)

// pick returns the kernel for reads of n bases and w diagonals, or nil.
func pick(n, w int) *kernel {
	for i := range kernels {
		if k := &kernels[i]; k.usable && n <= k.maxRead && w <= 2*k.lanes {
			return k
		}
	}
	return nil
}

// vector is the scratch memory of the kernels.
type vector struct {
	read, window []byte // codes
	trace        []step
}

// pad is what a kernel may read before and beyond the codes of a read, and beyond those of a
// window.
const pad = 64

// Codes of places outside the read and the window. Their xor looks up the worst score.
const (
	outsideRead   = 0x9f
	outsideWindow = 0x80
)

// readCodes has bit 4 set so that a place that exists never looks like a score.
var readCodes = [5]byte{0x10, 0x11, 0x12, 0x13, 0x18}

func (a *Aligner) alignVector(read, window []byte, lo, hi int) (Result, bool) {
	n, w := len(read), hi-lo+1
	k := pick(n, w)
	if k == nil {
		return Result{}, false
	}
	live0, live1 := (w+1)/2, w/2
	steps := n + live0 - 1
	v := &a.vector
	v.reset(n, w, steps*k.lanes/32)
	v.encodeRead(read)
	v.encodeWindow(window, lo, n+w-1)
	best, at := k.fill(&v.read[pad+n-1], &v.window[0], n, steps, live0, live1, &v.trace[0])
	if best == k.floor {
		return Result{}, false
	}
	total := best - k.floor + floorScore
	if n == maxReadBytes && best == 127 && k.maxRead == maxReadBytes {
		total = n
	}
	c, i := v.firstBest(at, k.lanes, n)
	b := 2*(c%k.lanes) + c/k.lanes%2
	r := Result{QE: i + 1, WE: i + lo + b + 1}
	a.cigar, i, b = v.walk(a.cigar, c, i, k.lanes)
	r.QB, r.WB = i, i+lo+b
	return finish(r, total, n), true
}

func (v *vector) reset(n, w, steps int) {
	if len(v.read) < n+2*pad {
		v.read = make([]byte, n+2*pad)
		fillBytes(v.read[:pad], outsideRead)
	}
	if len(v.window) < n+w+2*pad {
		v.window = make([]byte, n+w+2*pad)
	}
	if len(v.trace) < steps {
		v.trace = make([]step, steps)
	}
}

// encodeRead puts the codes of the read, backwards, behind the first pad.
func (v *vector) encodeRead(read []byte) {
	n := len(read)
	for i := encodeReadBulk(v.read[pad:pad+n], read); i < n; i++ {
		v.read[pad+n-1-i] = readCodes[min(read[i], 4)]
	}
	fillBytes(v.read[pad+n:pad+n+pad], outsideRead)
}

// encodeWindow puts the codes of size window positions from lo on into the scratch memory.
func (v *vector) encodeWindow(window []byte, lo, size int) {
	from, to := min(max(lo, 0), len(window)), min(max(lo+size, 0), len(window))
	before := min(max(-lo, 0), size)
	fillBytes(v.window[:before], outsideWindow)
	inside := window[from:max(from, to)]
	codes := v.window[before:]
	for j := encodeWindowBulk(codes, inside); j < len(inside); j++ {
		codes[j] = min(inside[j], 4)
	}
	fillBytes(v.window[before+len(inside):size+pad], outsideWindow)
}

func fillBytes(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}

// firstBest finds, among lanes that reached the best total, the cell that did in the first
// row, and in that row in the first column.
func (v *vector) firstBest(at uint64, lanes, n int) (cell, row int) {
	row = n
	for ; at != 0; at &= at - 1 {
		k := bits.TrailingZeros64(at)
		// Each lane noted when it grew; the last time counts. It never grows below the read.
		c := (2*(n-1+k)+1)*lanes + k
		for !isSet(v.trace[c>>6][gotBest], c) {
			c -= lanes
		}
		if i := c/lanes/2 - k; i < row { // lanes come in the order of their columns
			cell, row = c, i
		}
	}
	return cell, row
}
