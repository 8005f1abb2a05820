//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unsafe"
)

// maxTries is how many places in a piece are tried; nearly always the first is right.
const maxTries = 16

// fewBlocks is how many blocks may come out of what is no block.
const fewBlocks = 3

// guesser decodes pieces of a stream without knowing what comes before them. One per goroutine.
type guesser struct {
	d    decoding
	room int // symbols a piece may become
}

// decode looks for a block in p and decodes from there: to the first place at which the guess of
// the next piece may have begun, or, where anything is odd, to the last block that was whole.
func (g *guesser) decode(p *piece) {
	p.makeRoom(g.room)
	f := finder{z: &g.d.z, in: p.in, end: 8 * p.own}
	for from, tries := 0, 0; tries < maxTries && !p.quit.Load(); tries++ {
		at, ok := f.next(from)
		if !ok {
			return
		}
		g.d.reset(p, at)
		g.d.run()
		if errors.Is(g.d.err, ErrCorrupt) && g.d.blocks < fewBlocks {
			from = int(at.bit) + 1
			continue
		}
		p.result = g.d.kept
		p.found = p.size() > 0
		p.start = place{at.bit + 8*p.pos, at.stored}
		p.end += 8 * p.pos
		return
	}
}

// decoding is a piece being decoded from a start, first to symbols, then to bytes. It ends at the
// limit, with err nil, or with what stopped it.
type decoding struct {
	z      inflater
	p      *piece
	start  place // its bit is one of in
	kept   result
	blocks int // kept
	err    error

	in     []byte
	ip     int
	marks  markSpan // its out and op
	out    []byte   // bytes: the window, or none at a member's start, the data, room behind it
	op     int      // in out
	first  int      // in out, where the data begins
	low    int      // in out, what a match may reach
	ends   []memberEnd
	header bytes.Reader
}

// reset makes it a decoding of p that has not begun.
func (d *decoding) reset(p *piece, start place) {
	d.z.reset()
	d.p, d.start, d.kept, d.blocks, d.err = p, start, result{ends: p.ends[:0]}, 0, nil
	d.in, d.ip = p.in, int(start.bit>>3)
	d.marks = markSpan{in: p.in, out: p.mem, op: windowBytes}
	d.out, d.op, d.first, d.low, d.ends = nil, 0, 0, 0, p.ends[:0]
}

// run decodes until it must not, or cannot, go on.
func (d *decoding) run() {
	for d.err = d.begin(); d.err == nil; d.err = d.block() {
		d.keep()
		if d.atLimit() || d.p.quit.Load() {
			return
		}
		if d.out == nil && unmarked(d.marks.out[d.marks.op-windowBytes:d.marks.op]) {
			if d.err = d.toBytes(windowBytes); d.err != nil {
				return
			}
		}
	}
}

// begin goes to the start, and through the stored block there.
func (d *decoding) begin() error {
	if d.start.stored {
		n := int(binary.LittleEndian.Uint16(d.in[d.ip:]))
		d.ip += 4
		return d.storedSymbols(n)
	}
	if used := d.start.bit & 7; used > 0 {
		d.z.hold, d.z.held = uint64(d.in[d.ip])>>used, uint(8-used)
		d.ip++
	}
	return nil
}

// keep notes that all is well so far.
func (d *decoding) keep() {
	d.blocks++
	d.kept = result{end: d.bit(), marked: d.marks.op - windowBytes, history: windowBytes, ends: d.ends}
	if d.out != nil {
		d.kept.plain = d.out[d.first:d.op]
		d.kept.history = min(d.op-d.low, windowBytes)
	}
}

// bit is where the decoder is in the piece.
func (d *decoding) bit() int64 { return 8*int64(d.ip) - int64(d.z.held) }

// atLimit tells whether the decoder is in front of a block that the next piece's guess may begin
// with.
func (d *decoding) atLimit() bool {
	if len(d.in)-d.ip < headerIn {
		return false
	}
	at, ok := placeOf(d.bit(), d.z.hold|uint64(d.in[d.ip])<<d.z.held)
	return ok && at.bit >= 8*int64(d.p.own)
}

// toBytes begins to decode to bytes, in what is left of the memory behind the symbols; the last
// keep of these are the window.
func (d *decoding) toBytes(keep int) error {
	rest := d.marks.out[d.marks.op:]
	if 2*len(rest) < keep+fastOut {
		return errFull
	}
	d.out = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(rest))), 2*len(rest))
	for i, s := range d.marks.out[d.marks.op-keep : d.marks.op] {
		d.out[i] = byte(s)
	}
	d.op, d.first, d.low = keep, keep, 0
	return nil
}

// block decodes a block, and what is between members when it is the last one of its.
func (d *decoding) block() error {
	if d.out == nil {
		return d.symbols()
	}
	taken, put, err := d.z.run(d.out, d.op, d.low, d.in[d.ip:], edges{block: true})
	d.ip += taken
	d.op += put
	switch {
	case err == nil:
		return d.nextMember()
	case errors.Is(err, errBoundary):
		return nil
	}
	return err
}

// symbols decodes a block to symbols.
func (d *decoding) symbols() error {
	s := span{in: d.in, ip: d.ip}
	if err := d.z.header(&s); err != nil {
		return err
	}
	d.ip = s.ip
	err := error(nil)
	if d.z.phase == inStored {
		err = d.storedSymbols(d.z.stored)
	} else {
		err = d.codedSymbols()
	}
	if err != nil {
		return err
	}
	d.z.next()
	if d.z.phase == atEnd {
		return d.nextMember()
	}
	return nil
}

// storedSymbols takes n bytes of a stored block.
func (d *decoding) storedSymbols(n int) error {
	to := d.marks.out[d.marks.op:]
	if n > len(d.in)-d.ip {
		return errShort
	}
	if n > len(to)-markRoom {
		return errFull
	}
	for i, b := range d.in[d.ip : d.ip+n] {
		to[i] = uint16(b)
	}
	d.ip += n
	d.marks.op += n
	return nil
}

// codedSymbols decodes to the end of a block, if that is far from the edges.
func (d *decoding) codedSymbols() error {
	if len(d.in)-d.ip < fastIn {
		return errShort
	}
	if len(d.marks.out)-d.marks.op < markRoom {
		return errFull
	}
	d.marks.ip = d.ip
	status := d.z.markLoop(&d.marks)
	d.ip = d.marks.ip
	switch status {
	case fastEnd:
		return nil
	case fastCorrupt:
		return ErrCorrupt
	}
	return errShort // of input or of room
}

// nextMember reads a member's trailer and the next one's header, and begins that. What is not
// plain gzip is left to the decoder of the stream.
func (d *decoding) nextMember() error {
	in := d.in[d.ip:]
	if len(in) < trailerBytes || len(d.ends) == maxEnds {
		return errShort
	}
	next := in[trailerBytes:]
	d.header.Reset(next)
	if err := readHeader(&d.header); err != nil {
		return errShort
	}
	if size, _ := blockSize(next); size > 0 {
		return errShort
	}
	if d.out == nil {
		if err := d.toBytes(0); err != nil {
			return err
		}
	}
	d.ends = append(d.ends, memberEnd{
		at:   d.marks.op - windowBytes + d.op - d.first,
		crc:  binary.LittleEndian.Uint32(in),
		size: binary.LittleEndian.Uint32(in[4:]),
		next: d.p.pos + int64(d.ip+trailerBytes),
	})
	d.ip += trailerBytes + len(next) - d.header.Len()
	d.low = d.op
	d.z.reset()
	return nil
}
