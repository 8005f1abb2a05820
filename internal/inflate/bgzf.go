package inflate

import (
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

// blockMagic begins a gzip member that has extra fields and nothing else.
const blockMagic = "\x1f\x8b\x08\x04"

var errBlock = errors.New("corrupt BGZF block")

// peekBlock returns the size in bytes of the BGZF block that comes next, and of its header; 0
// when what comes next is not the start of a BGZF block.
func (s *Stream) peekBlock() (size, header int) {
	head, _ := s.br.Peek(headerBytes)
	if len(head) < headerBytes || string(head[:4]) != blockMagic {
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
	if len(b) < headerBytes || string(b[:4]) != blockMagic {
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
	s.format.Store(uint32(BGZF))
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
	z := newBlockReader()
	for {
		c, ok, _ := s.work.Recv(context.Background())
		if !ok {
			return
		}
		in := len(c.src)
		c.err = z.chunk(c, s.name)
		stage.AddBytesIn(int64(in))
		stage.AddBytesOut(int64(len(c.Data)))
		c.ready <- struct{}{}
	}
}

// chunk inflates c.src into c.Data. On an error Data ends with the last good block.
func (z *blockReader) chunk(c *Chunk, name string) error {
	at, plain := 0, 0
	for at < len(c.src) {
		size, _ := blockSize(c.src[at:])
		n, err := z.block(c.mem, windowBytes+plain, c.src[at:], size)
		if err != nil {
			c.Data = c.buf[:plain]
			return &DataError{File: name, Offset: c.srcOff + int64(at), Err: err}
		}
		plain += n
		at += size
	}
	c.Data = c.buf[:plain]
	return nil
}

// block inflates the block that is the first size bytes of src to out[at:], and returns the
// length of its plain data. What is behind that in out may be overwritten.
func (z *blockReader) block(out []byte, at int, src []byte, size int) (int, error) {
	_, header := blockSize(src)
	trailer := src[size-trailerBytes : size]
	plain := int(binary.LittleEndian.Uint32(trailer[4:]))
	taken, put, err := z.inflate(out, at, src[header:])
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errBlock, cause(err))
	}
	if header+taken != size-trailerBytes || put != plain {
		return 0, errBlock
	}
	if crc32.ChecksumIEEE(out[at:at+plain]) != binary.LittleEndian.Uint32(trailer) {
		return 0, ErrChecksum
	}
	return plain, nil
}

// grow makes room for n more bytes.
func grow(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	return append(make([]byte, 0, len(b)+n), b...)
}

var blockReaders = sync.Pool{New: func() any { return newBlockReader() }}

// DecodeBlock appends to dst the plain data of src, which is one whole BGZF block, and checks its
// length and checksum. It is safe for concurrent use.
func DecodeBlock(dst, src []byte) ([]byte, error) {
	size, header := blockSize(src)
	if size == 0 || size != len(src) || size < header+trailerBytes {
		return dst, errBlock
	}
	plain := int(binary.LittleEndian.Uint32(src[size-4:]))
	if plain < 0 || plain > maxBlockPlain {
		return dst, errBlock
	}
	dst = grow(dst, plain)
	at := len(dst)
	z := blockReaders.Get().(*blockReader)
	defer blockReaders.Put(z)
	n, err := z.block(dst[:at+plain], at, src, size)
	if err != nil {
		return dst, err
	}
	return dst[:at+n], nil
}
