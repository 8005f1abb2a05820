package inflate

import (
	"bufio"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// memberReader decodes one gzip member (RFC 1952) and leaves what follows it.
type memberReader struct {
	flate flateReader
	rest  []byte // decoded and not read yet
	crc   uint32
	size  uint32
}

const (
	gzHeaderCRC = 1 << 1
	gzExtra     = 1 << 2
	gzName      = 1 << 3
	gzComment   = 1 << 4
)

// reset reads the header of the member that br is at.
func (m *memberReader) reset(br *bufio.Reader) error {
	m.rest, m.crc, m.size = nil, 0, 0
	h := headerReader{br: br}
	head := h.bytes(10)
	if h.err == nil && (head[0] != 0x1f || head[1] != 0x8b || head[2] != 8) {
		return ErrCorrupt
	}
	flags := head[3]
	if flags&gzExtra != 0 {
		h.skip(int(binary.LittleEndian.Uint16(h.bytes(2))))
	}
	if flags&gzName != 0 {
		h.text()
	}
	if flags&gzComment != 0 {
		h.text()
	}
	if flags&gzHeaderCRC != 0 {
		want := uint16(h.crc)
		if got := binary.LittleEndian.Uint16(h.bytes(2)); h.err == nil && got != want {
			return ErrCorrupt
		}
	}
	m.flate.reset(br)
	return h.err
}

// Read returns io.EOF once the whole member was read and its checksum and length are right.
func (m *memberReader) Read(p []byte) (int, error) {
	if len(m.rest) == 0 {
		var err error
		m.rest, err = m.flate.next()
		if err == io.EOF {
			return 0, m.trailer()
		}
		if err != nil {
			return 0, err
		}
		m.crc = crc32.Update(m.crc, crc32.IEEETable, m.rest)
		m.size += uint32(len(m.rest))
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// trailer begins with the whole bytes that the decoder took ahead, at most seven of its eight.
func (m *memberReader) trailer() error {
	crc, err := m.flate.take(32)
	if err != nil {
		return err
	}
	size, err := m.flate.take(32)
	if err != nil {
		return err
	}
	if crc != m.crc || size != m.size {
		return ErrChecksum
	}
	return io.EOF
}

// headerReader keeps the first error and the checksum of what it read.
type headerReader struct {
	br  *bufio.Reader
	crc uint32
	err error
	buf [10]byte
}

// bytes returns n bytes, at most ten, which are zero after an error.
func (h *headerReader) bytes(n int) []byte {
	b := h.buf[:n]
	for i := range b {
		b[i] = h.byte()
	}
	return b
}

func (h *headerReader) byte() byte {
	if h.err != nil {
		return 0
	}
	b, err := h.br.ReadByte()
	if err != nil {
		h.err = unexpected(err)
		return 0
	}
	h.crc = crc32.Update(h.crc, crc32.IEEETable, []byte{b})
	return b
}

func (h *headerReader) skip(n int) {
	for ; n > 0 && h.err == nil; n-- {
		h.byte()
	}
}

// text skips a string with its NUL.
func (h *headerReader) text() {
	for h.byte() != 0 {
	}
}
