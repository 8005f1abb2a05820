package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/biogo/hts/bgzf"

	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/markdup"
)

// maxRecord refuses sizes that no record has.
const maxRecord = 1 << 26

// records reads the encoded records of a BAM stream.
type records struct {
	src *bufio.Reader
	buf []byte
}

// newRecords skips the header.
func newRecords(r io.Reader) (*records, error) {
	z, err := bgzf.NewReader(r, 1)
	if err != nil {
		return nil, err
	}
	s := &records{src: bufio.NewReaderSize(z, 1<<20)}
	magic := make([]byte, 4)
	if _, err := io.ReadFull(s.src, magic); err != nil || string(magic) != "BAM\x01" {
		return nil, errors.Join(errors.New("no BAM"), err)
	}
	if err := s.skip(); err != nil {
		return nil, err
	}
	refs, err := s.word()
	for ; refs > 0 && err == nil; refs-- {
		if err = s.skip(); err == nil {
			_, err = s.word()
		}
	}
	return s, err
}

func (s *records) word() (uint32, error) {
	var b [4]byte
	_, err := io.ReadFull(s.src, b[:])
	return binary.LittleEndian.Uint32(b[:]), err
}

// skip passes over a text and the length before it.
func (s *records) skip() error {
	n, err := s.word()
	if err == nil {
		_, err = s.src.Discard(int(n))
	}
	return err
}

// next returns a record without block_size, valid until the next call, or io.EOF.
func (s *records) next() ([]byte, error) {
	n, err := s.word()
	if err != nil {
		return nil, err
	}
	if n > maxRecord {
		return nil, fmt.Errorf("a record of %d bytes", n)
	}
	if cap(s.buf) < int(n) {
		s.buf = make([]byte, 2*n)
	}
	s.buf = s.buf[:n]
	if _, err := io.ReadFull(s.src, s.buf); err != nil {
		return nil, err
	}
	return s.buf, bamrec.Validate(s.buf)
}

// numbers gives templates their numbers, in the order in which they appear.
type numbers map[string]uint64

// ordinal is that of a record; all that are not primary have one.
func (n numbers) ordinal(rec []byte) uint64 {
	t, ok := n[string(bamrec.Name(rec))]
	if !ok {
		t = uint64(len(n))
		n[string(bamrec.Name(rec))] = t
	}
	ord := t << markdup.OrdShift
	if bamrec.Flag(rec)&bamrec.FlagSecond != 0 {
		ord |= 1 << (markdup.OrdShift - 1)
	}
	if !primary(rec) {
		ord |= 1
	}
	return ord
}

func primary(rec []byte) bool {
	return bamrec.Flag(rec)&(bamrec.FlagSecondary|bamrec.FlagSupplementary) == 0
}
