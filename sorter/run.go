package sorter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/klauspost/compress/s2"
)

// runReader reads the frames of one run. load is called by one goroutine at a time; its file is
// shared with readBody, which keeps no place in it.
type runReader struct {
	run   *run
	tune  tuning
	file  vfs.File
	in    *meter.ReaderAt
	ready chan loaded // capacity 1, as no more than one load is asked for at a time
	bufs  [2][]byte   // one is with the merger, the other is load's
	turn  int         // the next load's

	at     int64 // offset of the next frame
	number uint32
	count  int64 // records so far
	header [frameHeader]byte
	known  bool // header is that of the next frame
}

// loaded is one frame of records, valid until the load after the next is asked for.
// A nil frame without an error is the end.
type loaded struct {
	frame []byte
	err   error
}

// openRun opens a run at the first frame that may have keys of the range.
func (s *Sorter) openRun(r *run, buf []byte, keys keyRange) (*runReader, error) {
	f, err := s.cfg.FS.Open(r.path)
	if err != nil {
		return nil, err
	}
	n := s.tune.frame
	rr := &runReader{
		run: r, tune: s.tune, file: f, in: meter.NewReaderAt(f, s.cfg.MergeReadStage),
		ready: make(chan loaded, 1), bufs: [2][]byte{buf[:n:n], buf[n : 2*n : 2*n]},
	}
	if i := keys.frame(r.frames); i > 0 {
		rr.at, rr.number, rr.count = r.frames[i].at, r.frames[i].number, r.frames[i].before
	}
	return rr, nil
}

// load reads up to the next frame of records. block holds a frame as stored, and the header of
// the one after it: one read serves for both.
func (r *runReader) load(block []byte) loaded {
	frame, err := r.nextFrame(block)
	return loaded{frame, err}
}

func (r *runReader) nextFrame(block []byte) ([]byte, error) {
	if r.at == 0 {
		if err := r.start(block); err != nil {
			return nil, err
		}
	}
	for {
		h, err := r.nextHeader()
		if err != nil {
			return nil, err
		}
		switch h.kind {
		case kindRecords:
			return r.records(h, block)
		case kindEnd:
			return nil, r.end(h, block)
		}
		r.skip(h) // a body, which its record will read
	}
}

// start checks the file header.
func (r *runReader) start(block []byte) error {
	if err := r.read(block[:fileHeader], 0); err != nil {
		return err
	}
	if !checkFile(block, r.run.number) {
		return r.corrupt(errors.New("no file header"))
	}
	r.at = fileHeader
	return nil
}

func (r *runReader) nextHeader() (frameInfo, error) {
	if !r.known {
		if err := r.read(r.header[:], r.at); err != nil {
			return frameInfo{}, err
		}
	}
	h, err := parseFrame(r.header[:], r.run.number, r.number, r.tune)
	if err != nil {
		return h, r.corrupt(err)
	}
	return h, nil
}

func (r *runReader) skip(h frameInfo) {
	r.at += frameHeader + int64(h.stored)
	r.number++
	r.known = false
}

// records reads and decompresses a frame of records.
func (r *runReader) records(h frameInfo, block []byte) ([]byte, error) {
	stored := block[:h.stored]
	if err := r.read(block[:int(h.stored)+frameHeader], r.at+frameHeader); err != nil {
		return nil, err
	}
	dst := r.bufs[r.turn]
	if err := decode(dst, r.header[:], h, stored); err != nil {
		return nil, r.corrupt(err)
	}
	r.turn = 1 - r.turn
	r.count += int64(h.records)
	r.skip(h)
	copy(r.header[:], block[h.stored:])
	r.known = true
	return dst[:h.raw:h.raw], nil
}

// end checks that nothing is missing.
func (r *runReader) end(h frameInfo, block []byte) error {
	stored := block[:h.stored]
	if err := r.read(stored, r.at+frameHeader); err != nil {
		return err
	}
	if frameSum(r.header[:], stored) != h.sum {
		return r.corrupt(errSum)
	}
	if n := int64(binary.LittleEndian.Uint64(stored)); n != r.count || n != r.run.records {
		return r.corrupt(fmt.Errorf("%d records of %d", r.count, r.run.records))
	}
	return nil
}

// readBody fills dst with a record that was cut into body frames.
func (r *runReader) readBody(dst, block []byte, place bodyPlace) error {
	at, number := place.at, place.number
	for len(dst) > 0 {
		header, stored := block[:frameHeader], block[frameHeader:]
		if err := r.read(header, at); err != nil {
			return err
		}
		h, err := parseFrame(header, r.run.number, number, r.tune)
		if err == nil && (h.kind != kindBody || int(h.raw) > len(dst) || h.raw == 0) {
			err = errors.New("not the body of the record")
		}
		if err != nil {
			return corrupt(r.run.path, number, at, err)
		}
		stored = stored[:h.stored]
		if err := r.read(stored, at+frameHeader); err != nil {
			return err
		}
		if err := decode(dst, header, h, stored); err != nil {
			return corrupt(r.run.path, number, at, err)
		}
		dst = dst[h.raw:]
		at += frameHeader + int64(h.stored)
		number++
	}
	return nil
}

var errSum = errors.New("checksum mismatch")

// decode checks stored and decompresses it to the start of dst.
func decode(dst, header []byte, h frameInfo, stored []byte) error {
	if frameSum(header, stored) != h.sum {
		return errSum
	}
	if n, err := s2.DecodedLen(stored); err != nil || n != int(h.raw) {
		return errors.New("impossible size")
	}
	_, err := s2.Decode(dst[:h.raw], stored)
	return err
}

// read fills b; a file that ends before is damaged.
func (r *runReader) read(b []byte, at int64) error {
	n, err := r.in.ReadAt(b, at)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("merge: %w", err)
	case n < len(b):
		return r.corrupt(io.ErrUnexpectedEOF)
	}
	return nil
}

func (r *runReader) corrupt(what error) error {
	return corrupt(r.run.path, r.number, r.at, what)
}
