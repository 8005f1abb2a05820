package bgzfout

import (
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"sync/atomic"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// writeBytes is how much drain gathers for one write. More would cost memory and
// gain nothing: at 256 KiB the system call is lost beside the copy.
const writeBytes = 256 << 10

// Config sets how blocks are made. The zero value stores without compression on one
// worker. No field but Level changes the bytes written.
type Config struct {
	Level    int // 0 stored, 1 fastest to 9 smallest
	Workers  int // goroutines that compress; below 1 means 1
	InFlight int // blocks in memory, about 128 KiB each; below Workers+2 means 2*Workers+2

	CallStage     *meter.Stage // whoever calls WriteRecord; charged with waiting for a free block
	CompressStage *meter.Stage
	WriteStage    *meter.Stage // charged with the calls of dst, which must not be metered again
}

// MemoryBound returns the bytes that one Writer of this configuration may hold. A BAM
// has its index on top.
func (c Config) MemoryBound() int64 {
	c = c.withDefaults()
	const perBlock = payload + maxBlock + 2*payload/minRecord*markBytes // marks double as they grow
	const perWorker = 1 << 20                                           // an encoder at the costliest level
	return int64(c.InFlight)*perBlock + int64(c.Workers)*perWorker + writeBytes + maxBlock
}

func (c Config) withDefaults() Config {
	c.Workers = max(c.Workers, 1)
	if c.InFlight < c.Workers+2 {
		c.InFlight = 2*c.Workers + 2
	}
	return c
}

var (
	// ErrClosed is returned for writes after Close.
	ErrClosed = errors.New("bgzf: write after close")
	// ErrAborted is the error of a Writer that was aborted without a reason.
	ErrAborted = errors.New("bgzf: aborted")
)

// Writer is an ordered parallel BGZF writer. One goroutine may use it at a time,
// except for Err. Close or Abort must be called, or goroutines stay behind.
type Writer struct {
	cfg    Config
	dst    io.Writer
	tee    hash.Hash                         // sees every byte written, when not nil
	onMark func(address int64, marks []mark) // sees each block in order, when not nil

	cur   *block      // being filled; nil between blocks
	free  chan *block // never full: its capacity is the number of blocks
	jobs  *meter.Queue[*block]
	order *meter.Queue[*block]

	err     atomic.Pointer[error]
	closed  bool
	sealed  bool // set by Close before order is closed: the file may end here
	workers sync.WaitGroup
	done    chan struct{} // drain has returned

	out     []byte // drain's: gathered for one write
	address int64  // drain's until done: compressed bytes so far, without the EOF block
}

// NewWriter starts the workers of an ordered BGZF writer on dst. A bad level is
// reported by the first write and by Close. dst stays the caller's to close; a write
// of dst that never returns keeps Close and Abort waiting.
func NewWriter(dst io.Writer, cfg Config) *Writer {
	return newWriter(dst, cfg, nil, nil)
}

func newWriter(dst io.Writer, cfg Config, tee hash.Hash, onMark func(int64, []mark)) *Writer {
	cfg = cfg.withDefaults()
	w := &Writer{
		dst: meter.NewWriter(dst, cfg.WriteStage), tee: tee, onMark: onMark,
		free:  make(chan *block, cfg.InFlight),
		jobs:  meter.NewQueue[*block](cfg.InFlight, nil, cfg.CompressStage),
		order: meter.NewQueue[*block](cfg.InFlight, nil, cfg.WriteStage),
		done:  make(chan struct{}),
		out:   make([]byte, 0, writeBytes+maxBlock),
	}
	if cfg.Level < 0 || cfg.Level > 9 {
		w.fail(fmt.Errorf("bgzf: no such compression level: %d", cfg.Level))
		cfg.Level = 0
	}
	w.cfg = cfg
	for range cfg.InFlight {
		w.free <- newBlock()
	}
	for range cfg.Workers {
		w.workers.Go(w.compress)
	}
	go w.drain()
	return w
}

// WriteRecord appends rec, which is copied. A record that does not fit into the
// current block starts a new one; one larger than a block is split. The error is the
// first of the Writer, and may belong to an earlier record.
func (w *Writer) WriteRecord(rec []byte) error { return w.write(rec, nil) }

// write appends rec, and with it the index entry m when that is not nil.
func (w *Writer) write(rec []byte, m *mark) error {
	if err := w.writable(); err != nil {
		return err
	}
	if w.cur != nil && len(w.cur.data)+len(rec) > payload {
		w.flush()
	}
	for first := true; first || len(rec) > 0; first = false {
		b := w.current()
		if first {
			b.records++
			if m != nil {
				m.off = uint16(len(b.data)) // below payload: a full block was flushed
				b.marks = append(b.marks, *m)
			}
		}
		n := min(len(rec), payload-len(b.data))
		b.data = append(b.data, rec[:n]...)
		rec = rec[n:]
		if len(rec) > 0 {
			w.flush()
		}
	}
	return nil
}

// Flush ends the current block, so that the next record starts a new one.
func (w *Writer) Flush() error {
	if err := w.writable(); err != nil {
		return err
	}
	w.flush()
	return nil
}

// Close writes what is left and, only when all before it is good, the end-of-file
// block. It waits for the Writer's goroutines and returns the first error. Closing
// again returns the same.
func (w *Writer) Close() error {
	if !w.closed {
		if w.Err() == nil {
			w.flush()
		}
		w.sealed = true
		w.stop()
	}
	return w.Err()
}

// Abort ends the Writer without an end-of-file block, so that what was written can
// not be taken for a whole file, and waits for its goroutines. err is what Err, and
// later calls, return; nil stands for [ErrAborted]. After Close it does nothing.
func (w *Writer) Abort(err error) {
	if w.closed {
		return
	}
	if err == nil {
		err = ErrAborted
	}
	w.fail(err)
	w.stop()
}

// Err returns the first error, or nil. Any goroutine may ask.
func (w *Writer) Err() error {
	if p := w.err.Load(); p != nil {
		return *p
	}
	return nil
}

// fail keeps the first error that is not nil.
func (w *Writer) fail(err error) {
	if err != nil {
		w.err.CompareAndSwap(nil, &err)
	}
}

func (w *Writer) writable() error {
	if err := w.Err(); err != nil {
		return err
	}
	if w.closed {
		return ErrClosed
	}
	return nil
}
