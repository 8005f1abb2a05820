package inflate

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// Flags in the header of a gzip member (RFC 1952). Of the others, one says that the data is
// text, and three must not be set.
const (
	flagHeaderCRC = 1 << 1
	flagExtra     = 1 << 2
	flagName      = 1 << 3
	flagComment   = 1 << 4
	flagReserved  = 7 << 5
)

// errBoundary says that a block's header comes next.
var errBoundary = errors.New("a block begins")

// gzipMember decodes members one after the other.
type gzipMember struct {
	s      *Stream
	z      *memberReader
	start  int64             // compressed byte of the member
	told   int64             // compressed bytes up to which the stage knows of
	window [windowBytes]byte // the end of a chunk that went on, for the next one
	sum    checksum          // of the plain data, while it is in order
	ahead  *ahead            // what other goroutines decode, if they do
}

func newMember(s *Stream) *gzipMember { return &gzipMember{s: s, z: newMemberReader(s.br)} }

// inflate decodes one member, of which at least one byte is there. When pieces are decoded ahead,
// it may be several.
func (g *gzipMember) inflate(ctx context.Context) error {
	g.start = g.s.pos()
	g.told = max(g.told, g.start)
	if g.ahead == nil {
		g.s.format.Store(uint32(Gzip))
	}
	if err := readHeader(g.s.br); err != nil {
		return g.s.fail(g.start, err) // io.EOF too: the header was begun
	}
	g.z.reset()
	g.sum = checksum{}
	for {
		if err := g.room(ctx); err != nil {
			return err
		}
		g.lookAhead(ctx)
		err := g.some()
		switch err {
		case nil:
		case errBoundary:
			if err := g.jump(ctx); err != nil {
				return err
			}
		case io.EOF:
			if err = g.trailer(); err == nil {
				return nil
			}
			fallthrough
		default:
			return g.s.fail(g.start, err)
		}
	}
}

// some decodes what there is room for in the current chunk.
func (g *gzipMember) some() error {
	c := g.s.cur
	at := len(c.Data)
	n, err := g.z.read(c.mem[:windowBytes+len(c.buf)], windowBytes+at)
	g.s.grew(n)
	if g.ahead != nil {
		c.extend(n)
		return err
	}
	g.sum.crc = crc32.Update(g.sum.crc, crc32.IEEETable, c.Data[at:])
	g.sum.size += int64(n)
	return err
}

// room makes the current chunk one that read can go on with. A chunk that is sent on is the
// consumer's, so its end is kept here and put in front of the next one.
func (g *gzipMember) room(ctx context.Context) error {
	s := g.s
	if c := s.cur; c != nil && (len(c.buf)-len(c.Data) < roomBytes || len(c.sums) == maxSums) {
		if err := g.flush(ctx); err != nil {
			return err
		}
	}
	if s.cur != nil {
		return nil
	}
	g.tell(s.pos())
	if err := s.take(ctx); err != nil {
		return err
	}
	copy(s.cur.mem, g.window[:])
	return nil
}

// tell counts the compressed bytes up to one as taken in.
func (g *gzipMember) tell(to int64) {
	if to > g.told {
		g.s.cfg.InflateStage.AddBytesIn(to - g.told)
		g.told = to
	}
}

// flush sends the current chunk on, if there is one, and keeps its end.
func (g *gzipMember) flush(ctx context.Context) error {
	if c := g.s.cur; c != nil {
		copy(g.window[:], c.mem[len(c.Data):])
	}
	return g.s.flush(ctx)
}

// trailer compares the data with its checksum and its length, which is stored modulo 2^32, or
// leaves that to the consumer.
func (g *gzipMember) trailer() error {
	var b [trailerBytes]byte
	_, err := io.ReadFull(g.s.br, b[:])
	g.tell(g.s.pos())
	if err != nil {
		return err
	}
	crc, size := binary.LittleEndian.Uint32(b[:]), binary.LittleEndian.Uint32(b[4:])
	if g.ahead != nil {
		p := &g.s.cur.sums[len(g.s.cur.sums)-1]
		p.ends, p.wantCRC, p.wantSize, p.member, p.deviceErr = true, crc, size, g.start, g.s.src.deviceErr()
		return nil
	}
	if crc != g.sum.crc || size != uint32(g.sum.size) {
		return ErrChecksum
	}
	return nil
}

// readHeader reads a member's header to its end. Name, comment and extra fields may be of any
// length.
//
//	1f 8b 08 flags time(4) xfl os [XLEN(2) extra] [name 00] [comment 00] [CRC16(2)]
func readHeader(br io.ByteReader) error {
	h := headerReader{br: br}
	if !(h.byte() == 0x1f && h.byte() == 0x8b && h.byte() == 8) {
		return h.or(ErrCorrupt)
	}
	flags := h.byte()
	h.skip(6)
	if flags&flagExtra != 0 {
		h.skip(h.uint16())
	}
	for _, text := range []byte{flagName, flagComment} {
		for flags&text != 0 && h.byte() != 0 {
		}
	}
	sum := int(uint16(h.crc))
	if flags&flagHeaderCRC != 0 && h.uint16() != sum || flags&flagReserved != 0 {
		return h.or(ErrCorrupt)
	}
	return h.err
}

// headerReader reads bytes and their checksum. After an error it reads zeros.
type headerReader struct {
	br  io.ByteReader
	crc uint32
	err error
}

func (h *headerReader) byte() byte {
	if h.err != nil {
		return 0
	}
	b, err := h.br.ReadByte()
	if err != nil {
		h.err = err
		return 0
	}
	h.crc = crc32.Update(h.crc, crc32.IEEETable, []byte{b})
	return b
}

func (h *headerReader) uint16() int { return int(h.byte()) | int(h.byte())<<8 }

func (h *headerReader) skip(n int) {
	for range n {
		h.byte()
	}
}

// or returns the reader's own error, or err when it had none.
func (h *headerReader) or(err error) error {
	if h.err != nil {
		return h.err
	}
	return err
}
