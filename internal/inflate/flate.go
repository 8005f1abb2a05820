package inflate

import (
	"bufio"
	"encoding/binary"
	"io"
)

const (
	windowBytes = 32 << 10 // how far back a match may reach
	maxMatch    = 258
	// freshBytes is how much is decoded before it is handed on; with the window it should stay
	// in the second-level cache.
	freshBytes = 64 << 10
	// overrun is what copying eight bytes at a time may write too much.
	overrun = 8
	// lookahead is the input that the quick loop wants to see: a refill reads eight bytes.
	lookahead = 16
)

// flateReader decodes DEFLATE data from a bufio.Reader and takes no byte that lies behind it, but
// for up to seven that wait in hold: see bitByte. Nothing is read before it is needed, so that a
// pipe may stop anywhere.
type flateReader struct {
	br   *bufio.Reader
	hold uint64 // bits read and not used, the next one lowest; zero above have
	have uint   // how many

	out  []byte // window, fresh bytes
	from int    // of out that was not handed on yet
	to   int    // end of the fresh bytes
	seen int64  // bytes decoded since reset, bounded by the window: how far back a match may go

	state  state
	err    error // of the data behind what was decoded
	last   bool  // the block is the last one
	stored int   // bytes that are left of a stored block
	lit    litTable
	dist   distTable
}

// state is what comes next in the data.
type state uint8

const (
	atBlock state = iota // a block header
	inStored
	inCodes
	atEnd
)

// reset begins new data on br.
func (f *flateReader) reset(br *bufio.Reader) {
	f.br, f.hold, f.have = br, 0, 0
	if f.out == nil {
		f.out = make([]byte, windowBytes+freshBytes+maxMatch+overrun)
	}
	f.from, f.to, f.seen = 0, 0, 0
	f.state, f.err, f.last, f.stored = atBlock, nil, false, 0
}

// next returns decoded bytes, which are valid until the next call, and io.EOF at the end of the
// data. Cut data is io.ErrUnexpectedEOF. An error comes after all bytes before it.
func (f *flateReader) next() ([]byte, error) {
	if f.to >= windowBytes+freshBytes {
		copy(f.out, f.out[f.to-windowBytes:f.to])
		f.to = windowBytes
	}
	f.from = f.to
	for f.err == nil && f.state != atEnd && f.to < windowBytes+freshBytes {
		f.err = f.step()
	}
	switch {
	case f.to > f.from:
		return f.out[f.from:f.to], nil
	case f.err != nil:
		return nil, f.err
	}
	return nil, io.EOF
}

func (f *flateReader) step() error {
	switch f.state {
	case atBlock:
		return f.block()
	case inStored:
		return f.copyStored()
	default:
		return f.codes()
	}
}

// endBlock goes on to what follows a block.
func (f *flateReader) endBlock() {
	f.state = atBlock
	if f.last {
		f.hold >>= f.have & 7
		f.have &^= 7
		f.state = atEnd
	}
}

// need makes sure of n bits, at most 32.
func (f *flateReader) need(n uint) error {
	for f.have < n {
		b, err := f.br.ReadByte()
		if err != nil {
			return unexpected(err)
		}
		f.hold |= uint64(b) << f.have
		f.have += 8
	}
	return nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// take returns the next n bits, at most 32.
func (f *flateReader) take(n uint) (uint32, error) {
	if err := f.need(n); err != nil {
		return 0, err
	}
	v := uint32(f.hold & (1<<n - 1))
	f.hold >>= n
	f.have -= n
	return v, nil
}

// block reads a block header.
func (f *flateReader) block() error {
	head, err := f.take(3)
	if err != nil {
		return err
	}
	f.last = head&1 != 0
	switch head >> 1 {
	case 0:
		return f.storedHeader()
	case 1:
		f.fixedCodes()
	case 2:
		if err := f.dynamicCodes(); err != nil {
			return err
		}
	default:
		return ErrCorrupt
	}
	f.state = inCodes
	return nil
}

func (f *flateReader) storedHeader() error {
	f.hold >>= f.have & 7
	f.have &^= 7
	v, err := f.take(32)
	if err != nil {
		return err
	}
	if uint16(v) != ^uint16(v>>16) {
		return ErrCorrupt
	}
	f.stored, f.state = int(v&0xffff), inStored
	return nil
}

// copyStored moves what there is of a stored block.
func (f *flateReader) copyStored() error {
	room := f.out[f.to:min(len(f.out)-overrun, f.to+f.stored)]
	n := 0
	for ; n < len(room) && f.have > 0; n++ {
		room[n] = byte(f.hold)
		f.hold >>= 8
		f.have -= 8
	}
	if n == 0 && len(room) > 0 {
		var err error
		if n, err = f.br.Read(room); err != nil {
			return unexpected(err)
		}
	}
	f.wrote(n)
	if f.stored -= n; f.stored == 0 {
		f.endBlock()
	}
	return nil
}

func (f *flateReader) wrote(n int) {
	f.to += n
	f.seen = min(f.seen+int64(n), windowBytes)
}

func (f *flateReader) fixedCodes() {
	var lens [numLit + numDist]uint8
	for i := range lens {
		switch {
		case i < 144, i >= 280 && i < numLit:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		default:
			lens[i] = 5
		}
	}
	buildTable(f.lit[:], litBits, lens[:numLit], litEntries[:], validLit)
	buildTable(f.dist[:], distBits, lens[numLit:], distEntries[:], validDist)
}

// lengthOrder is the order in which the lengths of the code of code lengths are written.
var lengthOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamicCodes reads the codes of a block.
func (f *flateReader) dynamicCodes() error {
	head, err := f.take(14)
	if err != nil {
		return err
	}
	nlit, ndist, nlen := int(head&31)+257, int(head>>5&31)+1, int(head>>10)+4
	if nlit > 286 || ndist > 30 {
		return ErrCorrupt
	}
	var order [19]uint8
	for _, sym := range lengthOrder[:nlen] {
		n, err := f.take(3)
		if err != nil {
			return err
		}
		order[sym] = uint8(n)
	}
	var table [1 << 7]uint32
	if !buildTable(table[:], 7, order[:], lengthEntries[:], len(order)) {
		return ErrCorrupt
	}
	var lens [286 + numDist]uint8
	if err := f.codeLengths(lens[:nlit+ndist], &table); err != nil {
		return err
	}
	if !buildTable(f.lit[:], litBits, lens[:nlit], litEntries[:], validLit) ||
		!buildTable(f.dist[:], distBits, lens[nlit:nlit+ndist], distEntries[:], validDist) {
		return ErrCorrupt
	}
	return nil
}

// codeLengths reads the lengths of the two codes of a block, which are written as one list.
func (f *flateReader) codeLengths(lens []uint8, table *[1 << 7]uint32) error {
	for i := 0; i < len(lens); {
		e, err := f.symbol(table[:], 7)
		if err != nil {
			return err
		}
		sym := uint8(e >> valueShift)
		if sym < 16 {
			lens[i] = sym
			i++
			continue
		}
		repeat, extra, value := 3, uint(2), uint8(0) // 16: the last length again
		switch {
		case sym == 17:
			extra = 3
		case sym == 18:
			repeat, extra = 11, 7
		case i == 0:
			return ErrCorrupt
		default:
			value = lens[i-1]
		}
		n, err := f.take(extra)
		if err != nil {
			return err
		}
		if repeat += int(n); i+repeat > len(lens) {
			return ErrCorrupt
		}
		for range repeat {
			lens[i] = value
			i++
		}
	}
	return nil
}

// symbol decodes one code, reading no byte too many.
func (f *flateReader) symbol(table []uint32, first uint) (uint32, error) {
	for {
		e := table[f.hold&(1<<first-1)]
		n := uint(e & 0xff)
		if e&entryMore != 0 {
			e = table[uint(e>>valueShift)+uint(f.hold>>first)&(1<<(e>>extraShift&extraMask)-1)]
			n = uint(e & 0xff)
		}
		switch {
		case n != 0 && n <= f.have:
			f.hold >>= n
			f.have -= n
			return e, nil
		case f.have >= maxCode:
			return 0, ErrCorrupt // all bits of a code are there, and it is none
		}
		if err := f.need(f.have + 1); err != nil {
			return 0, err
		}
	}
}

// codes decodes until the block ends, the fresh part is full, or input is wanted.
func (f *flateReader) codes() error {
	if f.br.Buffered() >= lookahead {
		used, err := f.quick()
		if err != nil {
			return err
		}
		if _, err := f.br.Discard(used); err != nil {
			return err
		}
		if f.state != inCodes || f.to >= windowBytes+freshBytes {
			return nil
		}
	}
	return f.one()
}

// one decodes a literal or a match near the end of what was read.
func (f *flateReader) one() error {
	e, err := f.symbol(f.lit[:], litBits)
	switch {
	case err != nil:
		return err
	case e&entryLit != 0:
		f.out[f.to] = byte(e >> valueShift)
		f.wrote(1)
		return nil
	case e&entryEnd != 0:
		f.endBlock()
		return nil
	}
	length, err := f.extended(e)
	if err != nil {
		return err
	}
	if e, err = f.symbol(f.dist[:], distBits); err != nil {
		return err
	}
	dist, err := f.extended(e)
	if err != nil {
		return err
	}
	if int64(dist) > f.seen {
		return ErrCorrupt
	}
	copyMatch(f.out, f.to, dist, length)
	f.wrote(length)
	return nil
}

// extended adds the extra bits to the value of an entry.
func (f *flateReader) extended(e uint32) (int, error) {
	extra, err := f.take(uint(e >> extraShift & extraMask))
	return int(e>>valueShift + extra), err
}

// quick is codes for where there is input and room: it refills eight bytes at a time, and tells how
// many bytes of what is buffered it took. A refill leaves at least 56 bits, which is enough for three
// literals, or for a length of at most 20 bits and a distance of at most 28.
func (f *flateReader) quick() (used int, err error) {
	in, err := f.br.Peek(f.br.Buffered())
	if err != nil {
		return 0, err
	}
	var (
		hold, have = f.hold, f.have
		at, to     = 0, f.to
		bad        error
		out        = f.out
		low        = f.to - int(f.seen) // the first byte that a match may copy
	)
	for at+8 <= len(in) && to < windowBytes+freshBytes {
		hold |= binary.LittleEndian.Uint64(in[at:at+8:at+8]) << (have & 63)
		at += int((63 - have) >> 3)
		have |= 56
		e := f.lit[hold&(1<<litBits-1)]
		for lits := 0; e&entryLit != 0 && lits < 3; lits++ {
			out[to] = byte(e >> valueShift)
			to++
			hold >>= e & 63
			have -= uint(e & 0xff)
			e = f.lit[hold&(1<<litBits-1)]
		}
		if e&entryLit != 0 {
			continue
		}
		if at+8 > len(in) {
			break
		}
		hold |= binary.LittleEndian.Uint64(in[at:at+8:at+8]) << (have & 63)
		at += int((63 - have) >> 3)
		have |= 56
		if e&entryMore != 0 {
			e = f.lit[uint(e>>valueShift)+uint(hold>>litBits)&(1<<(e>>extraShift&extraMask)-1)]
		}
		if e&0xff == 0 {
			bad = ErrCorrupt
			break
		}
		hold >>= e & 63
		have -= uint(e & 0xff)
		if e&entryLit != 0 {
			out[to] = byte(e >> valueShift)
			to++
			continue
		}
		if e&entryEnd != 0 {
			f.state = atBlock // for endBlock
			break
		}
		extra := e >> extraShift & extraMask
		length := int(e>>valueShift) + int(hold&(1<<extra-1))
		hold >>= extra & 63
		have -= uint(extra)

		e = f.dist[hold&(1<<distBits-1)]
		if e&entryMore != 0 {
			e = f.dist[uint(e>>valueShift)+uint(hold>>distBits)&(1<<(e>>extraShift&extraMask)-1)]
		}
		if e&0xff == 0 {
			bad = ErrCorrupt
			break
		}
		hold >>= e & 63
		have -= uint(e & 0xff)
		extra = e >> extraShift & extraMask
		dist := int(e>>valueShift) + int(hold&(1<<extra-1))
		hold >>= extra & 63
		have -= uint(extra)
		if dist > to-low {
			bad = ErrCorrupt
			break
		}
		copyMatch(out, to, dist, length)
		to += length
	}
	// What a refill read beyond have, at reads again.
	f.hold, f.have = hold&(1<<have-1), have
	f.wrote(to - f.to)
	if f.state == atBlock {
		f.endBlock()
	}
	return at, bad
}

// copyMatch copies length bytes from dist before to, which may overlap. It may write up to overrun
// bytes too many.
func copyMatch(out []byte, to, dist, length int) {
	from := to - dist
	if dist < 8 {
		for i := range length {
			out[to+i] = out[from+i]
		}
		return
	}
	for end := to + length; to < end; to, from = to+8, from+8 {
		binary.LittleEndian.PutUint64(out[to:to+8:to+8], binary.LittleEndian.Uint64(out[from:from+8:from+8]))
	}
}
