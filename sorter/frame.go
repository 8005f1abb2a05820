package sorter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"

	"github.com/zeebo/xxh3"
)

// ErrCorrupt marks errors about a run file that does not hold what was written.
var ErrCorrupt = errors.New("run file is damaged")

const (
	fileHeader  = 24 // bytes
	frameHeader = 32 // bytes
	endBytes    = 8  // payload of the end frame
	plainFixed  = 16 // key and ord, before each record in a frame
	bodyMark    = ^uint32(0)
	bodyRef     = plainFixed + 21 // bytes of a reference to a record in body frames, before the name
)

const (
	kindRecords = 'R'
	kindBody    = 'B'
	kindEnd     = 'E'
)

const runMagic = "apxrun\x00\x02"

// frameInfo is a frame's header; doc.go has the layout.
type frameInfo struct {
	kind    byte
	number  uint32
	stored  uint32
	raw     uint32
	records uint32
	run     uint32
	sum     uint64
}

// putFile writes the file header of a run.
func putFile(dst []byte, number uint64) {
	copy(dst, runMagic)
	binary.LittleEndian.PutUint64(dst[8:], number)
	binary.LittleEndian.PutUint64(dst[16:], xxh3.Hash(dst[:16]))
}

// checkFile reports whether src is the file header of a run.
func checkFile(src []byte, number uint64) bool {
	return string(src[:8]) == runMagic && binary.LittleEndian.Uint64(src[8:]) == number &&
		binary.LittleEndian.Uint64(src[16:]) == xxh3.Hash(src[:16])
}

// put writes the header to dst, and in it the sum over itself and the stored bytes.
func (h frameInfo) put(dst, stored []byte) {
	copy(dst, "APF")
	dst[3] = h.kind
	binary.LittleEndian.PutUint32(dst[4:], h.number)
	binary.LittleEndian.PutUint32(dst[8:], uint32(len(stored)))
	binary.LittleEndian.PutUint32(dst[12:], h.raw)
	binary.LittleEndian.PutUint32(dst[16:], h.records)
	binary.LittleEndian.PutUint32(dst[20:], h.run)
	binary.LittleEndian.PutUint64(dst[24:], frameSum(dst, stored))
}

func frameSum(header, stored []byte) uint64 {
	return xxh3.HashSeed(stored, xxh3.Hash(header[:24]))
}

// parseFrame reads a header and checks what can be checked without the stored bytes: that it is
// the frame expected, and that its sizes are within the buffers.
func parseFrame(src []byte, run uint64, number uint32, t tuning) (h frameInfo, err error) {
	h = frameInfo{
		kind:    src[3],
		number:  binary.LittleEndian.Uint32(src[4:]),
		stored:  binary.LittleEndian.Uint32(src[8:]),
		raw:     binary.LittleEndian.Uint32(src[12:]),
		records: binary.LittleEndian.Uint32(src[16:]),
		run:     binary.LittleEndian.Uint32(src[20:]),
		sum:     binary.LittleEndian.Uint64(src[24:]),
	}
	switch {
	case !bytes.HasPrefix(src, []byte("APF")) || (h.kind != kindRecords && h.kind != kindBody && h.kind != kindEnd):
		return h, errors.New("no frame header")
	case h.number != number || h.run != uint32(run):
		return h, errors.New("another frame")
	case int64(h.stored) > int64(t.storedMax()) || int64(h.raw) > int64(t.frame) || h.kind == kindEnd && h.stored != endBytes:
		return h, errors.New("impossible size")
	}
	return h, nil
}

// corrupt locates a bad frame.
func corrupt(path string, number uint32, at int64, what error) error {
	return fmt.Errorf("sorter: %s: frame %d at byte %d: %w: %w", path, number, at, ErrCorrupt, what)
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
