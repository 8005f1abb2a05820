//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// What a run can end with besides the end of the data and ErrCorrupt.
var (
	errShort = errors.New("more input is needed")
	errFull  = errors.New("more room is needed")
)

const (
	// headerIn is more input than the longest block header: 17 bits, 19 lengths of 3 bits, and
	// 316 lengths of at most 14.
	headerIn = 600
	// runIn is the least input that a caller with more to come must offer, so that every run
	// gets on.
	runIn = 2 * headerIn
)

// phase is where in the data a run stopped.
type phase uint8

const (
	atHeader phase = iota // of a block
	inStored
	inCodes
	atEnd
)

// inflater decodes DEFLATE data (RFC 1951), resumable at the edges of input and output.
//
// It works on bytes that the caller owns: run goes on from the input as far as input and room
// allow. Far from the edges fastLoop does the work; decodeSlow does the rest, one symbol at a
// time and with every check.
type inflater struct {
	codes *codes // of the block: own or fixed
	own   codes

	hold  uint64 // bits of a byte begun, lowest first; those above held are zero
	held  uint   // bits in hold, below 8 between runs
	phase phase
	final bool // the block is the last one

	stored   int // bytes that a stored block still has
	length   int // bytes of a match that found no room
	distance int // of that match

	mixed bool // literals and matches alternate: see fastLoop

	lens [maxLit + maxDist]uint8 // of the codes of a block being read
}

// reset begins new data. The tables are kept: they are rebuilt before they are used.
func (z *inflater) reset() {
	z.hold, z.held, z.phase, z.final = 0, 0, atHeader, false
	z.stored, z.length, z.distance = 0, 0, 0
}

// edges says what lies behind the slices of a run.
type edges struct {
	lastIn  bool // no input follows in; else run wants runIn bytes, and leaves some
	lastOut bool // out is all the room there is; else run leaves up to fastOut bytes of it free
	block   bool // run ends with errBoundary in front of a block's header, unless it begins there
}

// run decodes in to out[at:], and returns the bytes that are taken from in and put into out. A
// match may reach back to out[low], low <= at. The error is nil at the end of the data, errShort
// or errFull when the run can go on with more, errBoundary when edges asked for it, else ErrCorrupt.
//
// What is in out behind the bytes put there may be overwritten.
func (z *inflater) run(out []byte, at, low int, in []byte, e edges) (taken, put int, err error) {
	s := span{in: in, out: out, op: at, low: low, edges: e}
	for begun := z.phase != atHeader; ; begun = true {
		switch z.phase {
		case atHeader:
			if begun && e.block {
				return s.ip, s.op - at, errBoundary
			}
			err = z.header(&s)
		case inStored:
			err = z.copyStored(&s)
		case inCodes:
			err = z.decode(&s)
		case atEnd:
			z.hold, z.held = 0, 0 // the rest of a byte means nothing
			return s.ip, s.op - at, nil
		}
		if err != nil {
			return s.ip, s.op - at, err
		}
	}
}

// span is the input and output of one run, and how far it came.
type span struct {
	in, out     []byte
	ip, op, low int
	edges
}

// next is the phase after a block.
func (z *inflater) next() {
	z.phase = atHeader
	if z.final {
		z.phase = atEnd
	}
}

// bitReader takes bits off the input without reading past it. What was not used goes back by
// save; a reader that is dropped leaves the inflater as it was.
type bitReader struct {
	in   []byte
	ip   int
	hold uint64
	held uint
}

func (z *inflater) bits(s *span) bitReader { return bitReader{s.in, s.ip, z.hold, z.held} }

func (z *inflater) save(s *span, b *bitReader) {
	z.held = b.held & 7
	z.hold = b.hold & (1<<z.held - 1)
	s.ip = b.ip - int(b.held>>3) // all whole bytes are of this run's input
}

// fill gets as many bits as fit, at least 56 unless the input ends.
func (b *bitReader) fill() {
	if len(b.in)-b.ip >= 8 {
		b.hold |= binary.LittleEndian.Uint64(b.in[b.ip:]) << b.held
		b.ip += int(63-b.held) >> 3
		b.held |= 56
		return
	}
	for b.held < 56 && b.ip < len(b.in) {
		b.hold |= uint64(b.in[b.ip]) << b.held
		b.ip++
		b.held += 8
	}
}

// take returns the next n bits; ok is false when the input ends before them.
func (b *bitReader) take(n uint) (v uint, ok bool) {
	if b.held < n {
		if b.fill(); b.held < n {
			return 0, false
		}
	}
	v = uint(b.hold & (1<<n - 1))
	b.drop(n)
	return v, true
}

func (b *bitReader) drop(n uint) {
	b.hold >>= n
	b.held -= n
}

// header reads a block's header and its code lengths, whole or not at all.
func (z *inflater) header(s *span) error {
	if !s.lastIn && len(s.in)-s.ip < headerIn {
		return errShort
	}
	b := z.bits(s)
	v, ok := b.take(3)
	if !ok {
		return errShort
	}
	var err error
	switch v >> 1 {
	case 0:
		err = z.storedHeader(&b)
	case 1:
		z.codes, z.phase = fixedCodes(), inCodes
	case 2:
		err = z.dynamicHeader(&b)
	default:
		err = ErrCorrupt
	}
	if err != nil {
		return err
	}
	z.final = v&1 != 0
	z.save(s, &b)
	return nil
}

// storedHeader reads the length of a stored block, which begins at a byte.
func (z *inflater) storedHeader(b *bitReader) error {
	b.drop(b.held & 7)
	v, ok := b.take(32)
	if !ok {
		return errShort
	}
	if v>>16 != ^v&0xffff {
		return ErrCorrupt
	}
	z.stored, z.phase = int(v&0xffff), inStored
	return nil
}

// copyStored copies what it can of a stored block.
func (z *inflater) copyStored(s *span) error {
	n := copy(s.out[s.op:], s.in[s.ip:min(len(s.in), s.ip+z.stored)])
	s.ip += n
	s.op += n
	z.stored -= n
	switch {
	case z.stored == 0:
		z.next()
		return nil
	case s.ip == len(s.in):
		return errShort
	}
	return errFull
}

// lengthOrder is the order in which the lengths of the code for code lengths are stored.
var lengthOrder = [maxPre]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamicHeader reads the codes of a block, and makes their tables.
func (z *inflater) dynamicHeader(b *bitReader) error {
	lits, dists, err := z.codeLengths(b)
	if err != nil {
		return err
	}
	if !z.own.dist.build(dists) || !z.own.lit.build(lits, &z.own.dist) {
		return ErrCorrupt
	}
	z.codes, z.phase = &z.own, inCodes
	return nil
}

// codeLengths reads the lengths of the words of a block's two codes. They live until the next call.
func (z *inflater) codeLengths(b *bitReader) (lit, dist []uint8, err error) {
	v, ok := b.take(14)
	if !ok {
		return nil, nil, errShort
	}
	lits, dists, pres := 257+int(v&31), 1+int(v>>5&31), 4+int(v>>10)
	if lits > usedLit || dists > usedDist {
		return nil, nil, ErrCorrupt
	}
	var pre [maxPre]uint8
	for _, i := range lengthOrder[:pres] {
		n, ok := b.take(3)
		if !ok {
			return nil, nil, errShort
		}
		pre[i] = uint8(n)
	}
	if !z.own.pre.build(pre[:]) {
		return nil, nil, ErrCorrupt
	}
	lens := z.lens[:lits+dists]
	if err := z.own.pre.read(b, lens); err != nil {
		return nil, nil, err
	}
	return lens[:lits], lens[lits:], nil
}

// read decodes the code lengths of a block; runs may go on from one code into the other.
func (c *preCode) read(b *bitReader, lens []uint8) error {
	for i := 0; i < len(lens); {
		b.fill()
		e := c.table[b.hold&(1<<preBits-1)]
		n := uint(e & 7)
		if b.held < n {
			return errShort
		}
		if n == 0 {
			return ErrCorrupt
		}
		symbol := e >> 3
		if symbol < 16 {
			b.drop(n)
			lens[i] = symbol
			i++
			continue
		}
		r := &preRuns[symbol-16]
		if b.held < n+r.extra {
			return errShort
		}
		b.drop(n)
		run, _ := b.take(r.extra)
		run += r.base
		if int(run) > len(lens)-i || symbol == 16 && i == 0 {
			return ErrCorrupt
		}
		length := uint8(0)
		if symbol == 16 {
			length = lens[i-1]
		}
		for range run {
			lens[i] = length
			i++
		}
	}
	return nil
}

// decode decodes a block's symbols. Each way to end gives its reason, or ends the block.
func (z *inflater) decode(s *span) error {
	if z.length > 0 {
		if z.copyMatch(s); z.length > 0 {
			return errFull
		}
	}
	for {
		if len(s.in)-s.ip >= fastIn && len(s.out)-s.op >= fastOut {
			switch z.fastLoop(s) {
			case fastEnd:
				z.next()
				return nil
			case fastCorrupt:
				return ErrCorrupt
			}
		}
		if !s.lastIn && len(s.in)-s.ip < fastIn {
			return errShort
		}
		if !s.lastOut && len(s.out)-s.op < fastOut {
			return errFull
		}
		if end, err := z.decodeSlow(s); err != nil || end {
			return err
		}
	}
}

// decodeSlow decodes one literal or match, with the bits of the input that really are there. It
// says whether it met the end of the block.
func (z *inflater) decodeSlow(s *span) (end bool, err error) {
	b := z.bits(s)
	b.fill()
	symbol, err := z.codes.lit.slow.decode(&b)
	switch {
	case err != nil:
		return false, err
	case symbol < endOfBlock:
		if s.op == len(s.out) {
			return false, errFull
		}
		s.out[s.op] = byte(symbol)
		s.op++
		z.save(s, &b)
		return false, nil
	case symbol == endOfBlock:
		z.save(s, &b)
		z.next()
		return true, nil
	case symbol >= usedLit:
		return false, ErrCorrupt
	}
	l := &lengthCodes[symbol-endOfBlock-1]
	extra, ok := b.take(l.extra)
	if !ok {
		return false, errShort
	}
	length := l.base + extra
	if symbol, err = z.codes.dist.slow.decode(&b); err != nil {
		return false, err
	}
	if symbol >= usedDist {
		return false, ErrCorrupt
	}
	d := &distCodes[symbol]
	if extra, ok = b.take(d.extra); !ok {
		return false, errShort
	}
	distance := int(d.base + extra)
	if distance > s.op-s.low {
		return false, ErrCorrupt
	}
	z.save(s, &b)
	z.length, z.distance = int(length), distance
	if z.copyMatch(s); z.length > 0 {
		return false, errFull
	}
	return false, nil
}

// copyMatch copies what there is room for of a match. Its distance was checked.
func (z *inflater) copyMatch(s *span) {
	for z.length > 0 && s.op < len(s.out) {
		s.out[s.op] = s.out[s.op-z.distance]
		s.op++
		z.length--
	}
}

// decode takes one code word off b, bit by bit.
func (c *canonical) decode(b *bitReader) (symbol uint16, err error) {
	if b.held < 48 {
		b.fill()
	}
	word, first, index := 0, 0, 0
	for n := uint(1); n <= maxCode; n++ {
		if b.held < n {
			return 0, errShort
		}
		word |= int(b.hold>>(n-1)) & 1
		count := int(c.count[n])
		if word-first < count {
			b.drop(n)
			return c.symbols[index+word-first], nil
		}
		index += count
		first = (first + count) << 1
		word <<= 1
	}
	return 0, ErrCorrupt
}

// reversed returns the low n bits of code in reverse.
func reversed(code uint, n int) uint { return uint(bits.Reverse16(uint16(code)) >> (16 - n)) }
