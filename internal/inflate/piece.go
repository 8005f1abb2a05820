//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import "sync/atomic"

const (
	// maxPieceBytes and minPieceBytes bound the compressed bytes of a piece. Looking for a block
	// costs as much in a small piece as in a large one; the plain data of a large one leaves the
	// cache before it is resolved.
	maxPieceBytes = 512 << 10
	minPieceBytes = 64 << 10
	// overlapBytes is what a piece knows of the next one. The block that is begun at its end must
	// end in there, or is decoded again.
	overlapBytes = 128 << 10
	// guessRoom is how many symbols a piece may become. Data that compresses so well that this is
	// less than minPieceBytes would make is not guessed: it is fast anyway.
	guessRoom = 2 << 20
	// maxEnds is how many members may end in a piece.
	maxEnds = 256
)

// piece is a part of the compressed stream, and what a guess made of it. The scout fills it, a
// worker decodes it, the decoder of the stream takes or leaves the result, workers resolve it;
// then it is used again.
type piece struct {
	pos int64  // compressed byte of in[0]
	own int    // bytes until the next piece
	in  []byte // those and what is known of the next one
	err error  // what the device said behind them

	guess bool // a worker decodes it, and then sends to done
	quit  atomic.Bool
	done  chan struct{}
	asked bool // done was received from
	used  bool

	refs atomic.Int32 // who reads the stream, the guess, chunks still to be resolved
	home chan *piece

	result
	mem   []uint16       // windowBytes markers, the result, and room to write behind it
	table *[1 << 16]byte // what a symbol means: of markers, the window in front of the result
}

// result is what was decoded: whole blocks from start to end.
type result struct {
	found   bool
	start   place
	end     int64       // bit
	marked  int         // symbols, behind the window in mem
	plain   []byte      // bytes behind those, in mem too
	history int         // when members ended, bytes of the one that had begun last, up to windowBytes
	ends    []memberEnd // of the members that ended
}

// memberEnd is the end of a member within a piece.
type memberEnd struct {
	at        int // plain bytes of the piece
	crc, size uint32
	next      int64 // compressed byte where the next member starts
}

// size is the number of plain bytes.
func (r *result) size() int { return r.marked + len(r.plain) }

// reset makes it a piece at pos, with one reference, for some bytes of at most most.
func (p *piece) reset(pos int64, bytes, most int) {
	if p.in == nil {
		p.in = make([]byte, most)
	}
	p.pos, p.in, p.err = pos, p.in[:bytes], nil
	p.guess, p.asked, p.used = false, false, false
	p.quit.Store(false)
	select {
	case <-p.done:
	default:
	}
	p.refs.Store(1)
	p.result = result{ends: p.ends[:0]}
}

// limit is the compressed byte behind the piece.
func (p *piece) limit() int64 { return p.pos + int64(p.own) }

// drop gives up a reference; the last one gives the piece back.
func (p *piece) drop() {
	if p.refs.Add(-1) == 0 {
		p.home <- p // cap(home) is the number of pieces that exist
	}
}

// makeRoom makes the memory for a result, once.
func (p *piece) makeRoom(room int) {
	if p.mem != nil {
		return
	}
	p.mem = make([]uint16, windowBytes+room+markRoom)
	for i := range windowBytes {
		p.mem[i] = marker | uint16(i)
	}
	p.table = new([1 << 16]byte)
	for i := range 1 << 8 {
		p.table[i] = byte(i)
	}
}

// window is the part of table that markers mean.
func (p *piece) window() []byte { return p.table[marker:] }

// read puts the plain bytes from at on into b. The window must be known.
func (p *piece) read(b []byte, at int) {
	if at < p.marked {
		n := min(len(b), p.marked-at)
		resolve(b[:n], p.mem[windowBytes+at:], p.table)
		b, at = b[n:], at+n
	}
	copy(b, p.plain[at-min(at, p.marked):])
}

// reach is how many bytes in front of the start matches reach back.
func (p *piece) reach() int {
	n := 0
	for _, s := range p.mem[windowBytes : windowBytes+p.marked] {
		if s >= marker {
			n = max(n, int(^s)+1)
		}
	}
	return n
}

// tail moves window on to behind the piece.
func (p *piece) tail(window []byte) {
	n := min(p.size(), windowBytes)
	copy(window, window[n:])
	p.read(window[windowBytes-n:], p.size()-n)
}

// marker is the symbol of byte 0 of the window, 32 KiB before the start; literals are below 256.
const marker = 1 << 15

// resolve turns symbols into bytes.
func resolve(b []byte, symbols []uint16, table *[1 << 16]byte) {
	symbols = symbols[:len(b)]
	for len(b) >= 8 {
		s, d := symbols[:8:8], b[:8:8]
		d[0], d[1], d[2], d[3] = table[s[0]], table[s[1]], table[s[2]], table[s[3]]
		d[4], d[5], d[6], d[7] = table[s[4]], table[s[5]], table[s[6]], table[s[7]]
		symbols, b = symbols[8:], b[8:]
	}
	for i, s := range symbols {
		b[i] = table[s]
	}
}

// unmarked tells whether there is no marker among the symbols. Where there is one, there is one
// near the end, as a rule.
func unmarked(symbols []uint16) bool {
	for i := len(symbols) - 1; i >= 0; i-- {
		if symbols[i] >= marker {
			return false
		}
	}
	return true
}
