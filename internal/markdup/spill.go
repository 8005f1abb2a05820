package markdup

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/zeebo/xxh3"
)

// A spill file holds runs, one for each time its store was full. A run holds the partitions in
// order, each as frames of whole signatures; where they begin is kept in memory. A frame:
//
//	0   4 bytes   "APD" and the version, 1
//	4   uint32    number of the frame in the file
//	8   uint32    partition
//	12  uint32    bytes of signatures
//	16  uint64    xxh3 of those, seeded with xxh3 of bytes 0 to 15
//	24            signatures

// ErrCorrupt marks errors about a file that does not hold what was written.
var ErrCorrupt = errors.New("file of signatures is damaged")

const (
	frameMagic  = "APD\x01"
	frameHeader = 24 // bytes
)

// run says where the partitions of one run lie: partition p in the bytes from ends[p-1] to ends[p]
// after at, in frames of which the first has this number.
type run struct {
	at    int64
	ends  []uint32
	first []uint32
}

// spill moves all signatures to the file.
func (s *store) spill(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.n == 0 {
		return fmt.Errorf("markdup: %d bytes hold no signature (bug)", len(s.arena))
	}
	if err := s.create(); err != nil {
		return err
	}
	s.order()
	w := frameWriter{store: s, run: run{at: s.size}, base: s.size}
	for p := range 2 * s.m.tune.parts {
		if err := w.begin(p); err != nil {
			return err
		}
		if err := s.each(p, w.add); err != nil {
			return err
		}
		w.end()
		s.spilled[p] += int64(s.starts[p+1] - s.starts[p])
	}
	if err := w.flush(); err != nil {
		return err
	}
	s.runs = append(s.runs, w.run)
	s.m.spilled.Add(s.size - w.run.at)
	s.used, s.n = 0, 0
	return nil
}

func (s *store) create() (err error) {
	if s.file != nil {
		return nil
	}
	name := filepath.Join(s.m.cfg.Dir, fmt.Sprintf("signatures-%03d", s.m.files.Add(1)-1))
	if s.file, err = s.m.cfg.FS.CreateNew(name, 0o600); err != nil {
		return fmt.Errorf("markdup: %w", err)
	}
	return nil
}

// frameWriter lays out one run. Frames are put together in the store's out buffer.
type frameWriter struct {
	store     *store
	run       run
	base      int64 // of the file, where out will be written
	used      int   // bytes of out
	frame     int   // where the open frame begins in out
	partition int
	number    uint32 // of frames in this run
}

func (w *frameWriter) begin(partition int) error {
	w.partition = partition
	w.run.first = append(w.run.first, w.number)
	return w.open()
}

// open begins a frame where there is room for its first signature.
func (w *frameWriter) open() error {
	if w.used+frameHeader+maxSignature > len(w.store.out) {
		if err := w.flush(); err != nil {
			return err
		}
	}
	w.frame = w.used
	w.used += frameHeader
	return nil
}

func (w *frameWriter) add(sig signature) error {
	sig = sig[:sig.size()]
	if w.used-w.frame+len(sig) > frameHeader+w.store.m.tune.frame {
		w.close()
		if err := w.open(); err != nil {
			return err
		}
	}
	if w.used+len(sig) > len(w.store.out) {
		if err := w.shift(); err != nil {
			return err
		}
	}
	w.used += copy(w.store.out[w.used:], sig)
	return nil
}

// end closes the last frame of a partition.
func (w *frameWriter) end() {
	if w.used-w.frame > frameHeader {
		w.close()
	}
	w.used = w.frame
	w.run.ends = append(w.run.ends, uint32(w.base+int64(w.used)-w.run.at))
}

// close fills the header of the open frame; the next one begins behind it.
func (w *frameWriter) close() {
	frame := w.store.out[w.frame:w.used]
	putHeader(frame, w.number, uint32(w.partition))
	w.number++
	w.frame = w.used
}

// shift writes what lies before the open frame and moves that to the front.
func (w *frameWriter) shift() error {
	open, end := w.frame, w.used
	w.used = open
	if err := w.flush(); err != nil {
		return err
	}
	w.used = copy(w.store.out, w.store.out[open:end])
	w.frame = 0
	return nil
}

// flush writes all of out that is in use.
func (w *frameWriter) flush() error {
	s := w.store
	if _, err := s.file.Write(s.out[:w.used]); err != nil {
		return fmt.Errorf("markdup: %w", err)
	}
	s.size += int64(w.used)
	w.base = s.size
	w.used, w.frame = 0, 0
	return nil
}

func putHeader(frame []byte, number, partition uint32) {
	copy(frame, frameMagic)
	binary.LittleEndian.PutUint32(frame[4:], number)
	binary.LittleEndian.PutUint32(frame[8:], partition)
	binary.LittleEndian.PutUint32(frame[12:], uint32(len(frame)-frameHeader))
	binary.LittleEndian.PutUint64(frame[16:], frameSum(frame, frame[frameHeader:]))
}

func frameSum(header, body []byte) uint64 { return xxh3.HashSeed(body, xxh3.Hash(header[:16])) }

// openFrame checks the frame at the start of b, and returns its signatures.
func openFrame(b []byte, number, partition uint32) ([]byte, error) {
	if len(b) < frameHeader || string(b[:4]) != frameMagic {
		return nil, errors.New("no frame header")
	}
	size := binary.LittleEndian.Uint32(b[12:])
	switch {
	case binary.LittleEndian.Uint32(b[4:]) != number || binary.LittleEndian.Uint32(b[8:]) != partition:
		return nil, errors.New("another frame")
	case int64(size) > int64(len(b)-frameHeader):
		return nil, errors.New("impossible size")
	}
	body := b[frameHeader : frameHeader+int(size)]
	if frameSum(b, body) != binary.LittleEndian.Uint64(b[16:]) {
		return nil, errors.New("wrong sum")
	}
	return body, nil
}

// eachSpilled calls f for the signatures of a partition in one run. buf holds a frame.
func (s *store) eachSpilled(ctx context.Context, r *run, partition int, buf []byte, f func(signature) error) error {
	from, to := int64(0), int64(r.ends[partition])
	if partition > 0 {
		from = int64(r.ends[partition-1])
	}
	for number := r.first[partition]; from < to; number++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := buf[:min(int64(len(buf)), to-from)]
		n, err := s.file.ReadAt(b, r.at+from)
		if n == len(b) && err == io.EOF {
			err = nil
		}
		if err == io.EOF {
			err = fmt.Errorf("%w: it ends at byte %d", ErrCorrupt, r.at+from+int64(n))
		}
		if err != nil {
			return fmt.Errorf("markdup: %s: %w", s.file.Name(), err)
		}
		body, err := openFrame(b, number, uint32(partition))
		if err != nil {
			return fmt.Errorf("markdup: %s: frame at byte %d: %w: %w", s.file.Name(), r.at+from, ErrCorrupt, err)
		}
		from += frameHeader + int64(len(body))
		for len(body) > 0 {
			sig := signature(body)
			if err := f(sig); err != nil {
				return err
			}
			body = body[sig.size():]
		}
	}
	return nil
}
