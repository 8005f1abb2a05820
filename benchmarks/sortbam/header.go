package main

import (
	"fmt"
	"io"

	"github.com/biogo/hts/sam"

	"github.com/alignpipe/alignpipe/internal/bamrec"
)

// header is what a BAM says before its records.
type header struct {
	encoded []byte // with SO:coordinate
	lens    []int64
	rest    []byte // what the last piece read holds behind it
}

// readHeader reads as many pieces as the header needs.
func readHeader(s *splitter) (*header, error) {
	r := &plainReader{split: s, piece: newPiece()}
	var text sam.Header
	if err := text.DecodeBinary(r); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	text.SortOrder = sam.Coordinate
	if text.Version == "" { // without it there would be no @HD line
		text.Version = "1.6"
	}
	h := &header{rest: r.rest}
	for _, ref := range text.Refs() {
		h.lens = append(h.lens, int64(ref.Len()))
	}
	var err error
	h.encoded, err = bamrec.Header(&text)
	return h, err
}

// plainReader reads what is in a file's blocks, one piece after the other. Read fills all of
// its argument, as long as there is something.
type plainReader struct {
	split *splitter
	piece *piece
	rest  []byte // of piece
}

func (r *plainReader) Read(dst []byte) (n int, err error) {
	for n < len(dst) {
		if len(r.rest) == 0 {
			if err := r.more(); err == io.EOF && n > 0 {
				return n, nil
			} else if err != nil {
				return n, err
			}
		}
		k := copy(dst[n:], r.rest)
		n, r.rest = n+k, r.rest[k:]
	}
	return n, nil
}

func (r *plainReader) more() error {
	if err := r.split.fill(r.piece); err != nil {
		return err
	}
	err := r.piece.inflate()
	r.rest = r.piece.plain[tailRoom:]
	return err
}
