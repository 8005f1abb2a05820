package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/alignpipe/alignpipe/internal/inflate"
)

const (
	// pieceBytes is how much of the file is read at once, and handed to one worker. It stays
	// in the second-level cache until its records are in the slab; more would not.
	pieceBytes = 256 << 10
	// plainBytes bounds what a piece holds once it is inflated.
	plainBytes = 1 << 20
	// tailRoom is kept in front of that for the start of a record, from the piece before. A
	// longer one costs an allocation.
	tailRoom   = 64 << 10
	blockBytes = 64 << 10 // the most one BGZF block has, compressed or not
)

// piece is a run of whole BGZF blocks. It belongs to the goroutine that fills it, then to a worker.
type piece struct {
	number uint64 // counts the pieces of the file
	raw    []byte // the blocks
	plain  []byte // what is in them, behind tailRoom bytes
}

func newPiece() *piece {
	return &piece{raw: make([]byte, 0, pieceBytes), plain: make([]byte, tailRoom, tailRoom+plainBytes)}
}

// pieceMemory is what a piece takes, in bytes.
const pieceMemory = pieceBytes + tailRoom + plainBytes

// inflate fills plain, and checks the sums of the blocks.
func (p *piece) inflate() (err error) {
	p.plain = p.plain[:tailRoom]
	for b := p.raw; len(b) > 0; {
		size, err := blockSize(b)
		if err != nil {
			return err
		}
		if p.plain, err = inflate.DecodeBlock(p.plain, b[:size]); err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}

// splitter cuts a file into pieces.
type splitter struct {
	src  io.Reader
	rest []byte // read, but in no piece yet
	next uint64
}

var errCutShort = errors.New("the file ends within a block")

// fill makes p the next piece; io.EOF says that there is none.
func (s *splitter) fill(p *piece) error {
	p.raw = append(p.raw[:0], s.rest...)
	n, err := io.ReadFull(s.src, p.raw[len(p.raw):pieceBytes])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	atEnd := err != nil
	p.raw = p.raw[:len(p.raw)+n]
	if len(p.raw) == 0 {
		return io.EOF
	}
	cut, err := wholeBlocks(p.raw)
	if err != nil {
		return err
	}
	if cut == 0 && atEnd {
		return errCutShort
	}
	s.rest = append(s.rest[:0], p.raw[cut:]...)
	p.raw, p.number = p.raw[:cut], s.next
	s.next++
	return nil
}

// wholeBlocks is the length of the whole blocks at the start of b that fit in a piece.
func wholeBlocks(b []byte) (cut int, err error) {
	for plain := 0; ; {
		size, err := blockSize(b[cut:])
		if err != nil {
			return 0, err
		}
		if size == 0 || size > len(b)-cut {
			return cut, nil
		}
		plain += int(binary.LittleEndian.Uint32(b[cut+size-4:]))
		if plain > plainBytes && cut > 0 {
			return cut, nil
		}
		cut += size
	}
}

const (
	gzipHeader  = 12 // bytes up to the extra fields
	gzipTrailer = 8
)

var errNoBGZF = errors.New("not BGZF")

// blockSize is the size of the BGZF block at the start of b, 0 when b ends before that can be
// told. inflate.DecodeBlock checks the rest of the block.
func blockSize(b []byte) (int, error) {
	if len(b) < gzipHeader {
		return 0, nil
	}
	if string(b[:4]) != "\x1f\x8b\x08\x04" {
		return 0, errNoBGZF
	}
	header := gzipHeader + int(binary.LittleEndian.Uint16(b[10:]))
	if len(b) < header {
		return 0, nil
	}
	for x := b[gzipHeader:header]; len(x) >= 4; {
		end := 4 + int(binary.LittleEndian.Uint16(x[2:]))
		if end > len(x) {
			break
		}
		if string(x[:4]) == "BC\x02\x00" {
			size := int(binary.LittleEndian.Uint16(x[4:])) + 1
			if size < header+gzipTrailer {
				return 0, fmt.Errorf("%w: a block of %d bytes", errNoBGZF, size)
			}
			return size, nil
		}
		x = x[end:]
	}
	return 0, errNoBGZF
}
