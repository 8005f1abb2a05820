package inflate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
)

const (
	headerBytes   = 12       // of a gzip member up to the extra fields
	trailerBytes  = 8        // CRC-32 and length
	maxBlockPlain = 64 << 10 // the most one block may hold
)

// eofBlock ends every whole BGZF file.
const eofBlock = "\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x06\x00\x42\x43\x02\x00\x1b\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00"

var errBlock = errors.New("corrupt BGZF block")

// peekBlock returns the size in bytes of the BGZF block that comes next, and of its header; 0
// when what comes next is not the start of a BGZF block.
func (s *Stream) peekBlock() (size, header int) {
	head, _ := s.br.Peek(headerBytes)
	if len(head) < headerBytes {
		return 0, 0
	}
	extra := int(binary.LittleEndian.Uint16(head[10:]))
	head, _ = s.br.Peek(headerBytes + extra)
	return blockSize(head)
}

// blockSize reads BSIZE from the header at the start of b.
//
//	┌──────────────┬──────────────┬──────┬─────────────────────────┬─────────┬───────┬───────┐
//	│ 1f 8b 08 04  │ time xfl os  │ XLEN │ .. 'B' 'C' 2 0 BSIZE .. │ deflate │ CRC32 │ ISIZE │
//	└──────────────┴──────────────┴──────┴─────────────────────────┴─────────┴───────┴───────┘
//	       4              6          2              XLEN               ...       4       4
//
// BSIZE is the size of the whole block less one.
func blockSize(b []byte) (size, header int) {
	if len(b) < headerBytes || string(b[:4]) != "\x1f\x8b\x08\x04" {
		return 0, 0
	}
	header = headerBytes + int(binary.LittleEndian.Uint16(b[10:]))
	if len(b) < header {
		return 0, 0
	}
	for x := b[headerBytes:header]; len(x) >= 4; {
		n := int(binary.LittleEndian.Uint16(x[2:]))
		if x[0] == 'B' && x[1] == 'C' && n == 2 && len(x) >= 6 {
			return int(binary.LittleEndian.Uint16(x[4:])) + 1, header
		}
		if len(x) < 4+n {
			break
		}
		x = x[4+n:]
	}
	return 0, 0
}

// splitBlocks cuts the stream into chunks of whole blocks for the workers, until the input ends
// or a member of another kind comes. The last block must be the end-of-file block.
func (s *Stream) splitBlocks(ctx context.Context) error {
	if err := s.flush(ctx); err != nil { // plain data of a member before
		return err
	}
	s.startWorkers()
	atEOF := false
	for {
		size, header := s.peekBlock()
		if size == 0 {
			break
		}
		block, err := s.br.Peek(size)
		if err != nil {
			return s.stop(ctx, s.fail(s.pos(), err))
		}
		if size < header+trailerBytes {
			return s.stop(ctx, s.fail(s.pos(), errBlock))
		}
		atEOF = string(block) == eofBlock
		if err := s.addBlock(ctx, block); err != nil {
			return s.stop(ctx, err)
		}
		s.br.Discard(size)
	}
	_, err := s.br.Peek(1)
	if err == io.EOF && !atEOF {
		return s.stop(ctx, s.fail(s.pos(), ErrNoEOF))
	}
	return s.dispatch(ctx)
}

// stop sends on the good blocks before err, so that they are seen before it.
func (s *Stream) stop(ctx context.Context, err error) error {
	if sendErr := s.dispatch(ctx); sendErr != nil {
		return sendErr
	}
	return err
}

// addBlock puts one whole block into the current chunk, or into a new one when that is full.
func (s *Stream) addBlock(ctx context.Context, block []byte) error {
	plain := int(binary.LittleEndian.Uint32(block[len(block)-4:]))
	if plain < 0 || plain > maxBlockPlain {
		return s.fail(s.pos(), errBlock)
	}
	if c := s.cur; c != nil && (len(c.Data)+plain > len(c.buf) || len(c.src)+len(block) > cap(c.src)) {
		if err := s.dispatch(ctx); err != nil {
			return err
		}
	}
	if s.cur == nil {
		if err := s.take(ctx); err != nil {
			return err
		}
		c := s.cur
		if c.src == nil {
			c.src = make([]byte, 0, s.cfg.srcBytes())
		}
		c.async, c.srcOff = true, s.pos()
	}
	s.cur.src = append(s.cur.src, block...)
	s.grew(plain)
	return nil
}

// dispatch gives the current chunk to the workers, and its place in the order to the consumer.
func (s *Stream) dispatch(ctx context.Context) error {
	c := s.cur
	if c == nil {
		return nil
	}
	s.cur = nil
	if err := s.work.Send(ctx, c); err != nil { // never full: it has room for all chunks
		return err
	}
	return s.out.Send(ctx, c)
}

// startWorkers starts the workers once; they end when work is closed.
func (s *Stream) startWorkers() {
	s.workers.Do(func() {
		for range s.cfg.Workers {
			s.wg.Add(1)
			go s.inflateBlocks()
		}
	})
}

// inflateBlocks is one worker. It finishes all it was given, also when the stream is stopped.
func (s *Stream) inflateBlocks() {
	defer s.wg.Done()
	stage := s.cfg.InflateStage
	defer stage.Enter().Exit()
	d := newDecoder()
	for {
		c, ok, _ := s.work.Recv(context.Background())
		if !ok {
			return
		}
		in := len(c.src)
		c.err = d.chunk(c, s.name)
		stage.AddBytesIn(int64(in))
		stage.AddBytesOut(int64(len(c.Data)))
		c.ready <- struct{}{}
	}
}

// decoder inflates BGZF blocks; one per goroutine.
type decoder struct {
	in    bytes.Reader
	br    *bufio.Reader
	flate flateReader
}

func newDecoder() *decoder {
	d := new(decoder)
	d.br = bufio.NewReaderSize(&d.in, minChunkBytes)
	return d
}

// chunk inflates c.src into c.Data. On an error Data ends with the last good block.
func (d *decoder) chunk(c *Chunk, name string) error {
	at := 0
	plain := c.Data[:0]
	for at < len(c.src) {
		size, _ := blockSize(c.src[at:])
		more, err := d.block(plain, c.src[at:at+size])
		if err != nil {
			c.Data = plain
			return &DataError{File: name, Offset: c.srcOff + int64(at), Err: err}
		}
		plain = more
		at += size
	}
	c.Data = plain
	return nil
}

// block appends the plain data of the whole block src to dst.
func (d *decoder) block(dst, src []byte) ([]byte, error) {
	size, header := blockSize(src)
	if size == 0 || size != len(src) || size < header+trailerBytes {
		return dst, errBlock
	}
	trailer := src[size-trailerBytes:]
	plain := int(binary.LittleEndian.Uint32(trailer[4:]))
	if plain < 0 || plain > maxBlockPlain {
		return dst, errBlock
	}
	dst = grow(dst, plain)
	out := dst[len(dst) : len(dst)+plain]
	if err := d.inflate(out, src[header:size-trailerBytes]); err != nil {
		return dst, err
	}
	if crc32.ChecksumIEEE(out) != binary.LittleEndian.Uint32(trailer) {
		return dst, ErrChecksum
	}
	return dst[:len(dst)+plain], nil
}

// inflate fills out with the plain data of src, which must be as long, and all that src holds.
func (d *decoder) inflate(out, src []byte) error {
	d.in.Reset(src)
	d.br.Reset(&d.in)
	d.flate.reset(d.br)
	for {
		p, err := d.flate.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errBlock, cause(err))
		}
		if len(p) > len(out) {
			return errBlock
		}
		out = out[copy(out, p):]
	}
	if len(out) > 0 || d.flate.have > 0 || d.br.Buffered() > 0 || d.in.Len() > 0 {
		return errBlock
	}
	return nil
}

// grow makes room for n more bytes.
func grow(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	return append(make([]byte, 0, len(b)+n), b...)
}

var decoders = sync.Pool{New: func() any { return newDecoder() }}

// DecodeBlock appends to dst the plain data of src, which is one whole BGZF block, and checks its
// length and checksum. It is safe for concurrent use.
func DecodeBlock(dst, src []byte) ([]byte, error) {
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	return d.block(dst, src)
}
