package sorter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/klauspost/compress/s2"
)

// run is a finished run file.
type run struct {
	path    string
	number  uint64
	records int64
	bytes   int64 // of the file
	body    int64 // bytes of the longest record in body frames, or 0
	frames  []frameStart
}

// frameStart is where a frame of records begins, and with what.
type frameStart struct {
	key    Key
	at     int64  // in the file
	before int64  // records in earlier frames
	number uint32 // of the frame
}

// runWriter writes one run. Its memory is one frame, and the same frame compressed.
type runWriter struct {
	ctx   context.Context
	tune  tuning
	file  vfs.File
	out   *meter.Writer
	run   *run
	frame []byte // records not written yet; len is the part in use
	first Key    // of the first record in frame
	block []byte // a frame header and a compressed frame
	count uint32 // records in frame
	names bool   // are kept beside references to bodies
	next  uint32 // number of the next frame
	raw   int64  // bytes before compression
}

// writeRun makes a run of what fill adds, and counts it in counter. On an error, the file is
// closed, and left for Close to remove.
func (s *Sorter) writeRun(ctx context.Context, counter *atomic.Int64, fill func(*runWriter) error) (*run, error) {
	mem, err := s.mem.alloc(s.tune.writerBytes())
	if err != nil {
		return nil, err
	}
	r, err := s.writeRunIn(ctx, mem, fill)
	if err := errors.Join(err, s.mem.release(mem)); err != nil {
		return nil, err
	}
	counter.Add(1)
	return r, nil
}

func (s *Sorter) writeRunIn(ctx context.Context, mem []byte, fill func(*runWriter) error) (*run, error) {
	path, number := s.nextRun()
	f, err := s.cfg.FS.CreateNew(path, 0o600)
	if err != nil {
		return nil, fmt.Errorf("spill: %w", err)
	}
	w := &runWriter{
		ctx: ctx, tune: s.tune, file: f, out: meter.NewWriter(f, s.cfg.SpillStage),
		run: &run{path: path, number: number}, names: s.cfg.Order == Name,
		frame: mem[:0:s.tune.frame],
		block: mem[s.tune.frame:][:frameHeader+s.tune.storedMax()],
	}
	err = w.begin()
	if err == nil {
		err = fill(w)
	}
	if err == nil {
		err = w.end()
	}
	if cerr := f.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("spill: %w", cerr)
	}
	if err != nil {
		return nil, err
	}
	s.spilledBytes.Add(w.run.bytes)
	s.rawBytes.Add(w.raw)
	return w.run, nil
}

func (w *runWriter) begin() error {
	putFile(w.block, w.run.number)
	return w.write(w.block[:fileHeader])
}

// add appends a record, which must not sort before the last one.
func (w *runWriter) add(key Key, ord uint64, rec []byte) error {
	need := plainFixed + len(rec)
	if need > cap(w.frame) {
		return w.addLong(key, ord, rec)
	}
	if len(w.frame)+need > cap(w.frame) {
		if err := w.flush(); err != nil {
			return err
		}
	}
	w.putFixed(key, ord)
	w.frame = append(w.frame, rec...)
	return nil
}

// putFixed begins a record in the frame, which has room for it.
func (w *runWriter) putFixed(key Key, ord uint64) {
	if w.count == 0 {
		w.first = key
	}
	w.frame = binary.LittleEndian.AppendUint64(w.frame, uint64(key))
	w.frame = binary.LittleEndian.AppendUint64(w.frame, ord)
	w.count++
	w.run.records++
}

// addLong writes a record that no frame can hold as body frames, and a reference to them.
func (w *runWriter) addLong(key Key, ord uint64, rec []byte) error {
	at, number := w.run.bytes, w.next
	for part := rec; len(part) > 0; {
		n := min(len(part), w.tune.frame)
		if err := w.emit(frameInfo{kind: kindBody}, part[:n]); err != nil {
			return err
		}
		part = part[n:]
	}
	var name []byte
	if w.names {
		name = nameOf(rec)
	}
	if len(w.frame)+bodyRef+len(name) > cap(w.frame) {
		if err := w.flush(); err != nil {
			return err
		}
	}
	w.putFixed(key, ord)
	w.frame = binary.LittleEndian.AppendUint32(w.frame, bodyMark)
	w.frame = binary.LittleEndian.AppendUint64(w.frame, uint64(at))
	w.frame = binary.LittleEndian.AppendUint32(w.frame, number)
	w.frame = binary.LittleEndian.AppendUint32(w.frame, uint32(len(rec)))
	w.frame = append(append(w.frame, byte(len(name))), name...)
	w.run.body = max(w.run.body, int64(len(rec)))
	return nil
}

// flush writes the records in the frame.
func (w *runWriter) flush() error {
	if len(w.frame) == 0 {
		return nil
	}
	r := w.run
	r.frames = append(r.frames, frameStart{key: w.first, at: r.bytes, before: r.records - int64(w.count), number: w.next})
	err := w.emit(frameInfo{kind: kindRecords, records: w.count}, w.frame)
	w.frame, w.count = w.frame[:0], 0
	return err
}

// end writes what is left, and the end frame.
func (w *runWriter) end() error {
	if err := w.flush(); err != nil {
		return err
	}
	payload := binary.LittleEndian.AppendUint64(w.block[:frameHeader], uint64(w.run.records))
	return w.finishFrame(frameInfo{kind: kindEnd}, payload)
}

// emit writes one compressed frame.
func (w *runWriter) emit(h frameInfo, raw []byte) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	h.raw = uint32(len(raw))
	w.raw += int64(len(raw))
	n := len(s2.Encode(w.block[frameHeader:], raw))
	return w.finishFrame(h, w.block[:frameHeader+n])
}

// finishFrame fills in the header at the start of block, and writes it all.
func (w *runWriter) finishFrame(h frameInfo, block []byte) error {
	if w.next == math.MaxUint32 {
		return errors.New("sorter: too many frames in one run")
	}
	h.number, h.run = w.next, uint32(w.run.number)
	h.put(block, block[frameHeader:])
	w.next++
	return w.write(block)
}

func (w *runWriter) write(b []byte) error {
	n, err := w.out.Write(b)
	w.run.bytes += int64(n)
	if err != nil {
		return fmt.Errorf("spill: %w", err)
	}
	return nil
}
