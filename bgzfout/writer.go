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
// worker. No field but Level, and what Visit does,
// changes the bytes written.
type Config struct {
	Level    int // 0 stored, 1 fastest to 9 smallest
	Workers  int // goroutines that compress; below 1 means 1
	InFlight int // blocks in memory, about 128 KiB each; below Workers+2 means 2*Workers+2

	// Writers is how many goroutines write at once, each at a place of its own; that needs a dst
	// that is an io.WriterAt, and written from its start. Below 2, one goroutine calls dst.Write.
	Writers int

	// Visit, when not nil, sees each record of a BAM once, in no order, and may change it, but not its
	// size or its place. worker counts from 0 to Workers: calls with one number do not overlap.
	Visit func(worker int, tag uint64, rec []byte)

	CallStage     *meter.Stage // whoever calls WriteRecord; charged with waiting for a free block
	CollectStage  *meter.Stage // bringing the records of a BAM into their blocks, and Visit
	CompressStage *meter.Stage
	WriteStage    *meter.Stage // charged with the calls of dst, which must not be metered again
}

// MemoryBound returns the bytes that one Writer of this configuration may hold. A BAM
// has its index on top.
func (c Config) MemoryBound() int64 {
	c = c.withDefaults()
	const perBlock = payload + maxBlock + 2*payload/minRecord*(markBytes+pieceBytes) // lists double as they grow
	const perWorker = 1 << 20                                                        // an encoder at the costliest level
	return int64(c.InFlight)*perBlock + int64(c.Workers)*perWorker + int64(c.Writers+1)*(writeBytes+maxBlock)
}

func (c Config) withDefaults() Config {
	c.Workers, c.Writers = max(c.Workers, 1), max(c.Writers, 1)
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
	cfg Config
	out output
	tee hash.Hash // sees every byte written, when not nil
	bam *BAM      // whose records these are, or nil

	cur   *block      // being filled; nil between blocks
	count int64       // records so far
	free  chan *block // never full: its capacity is the number of blocks
	jobs  *meter.Queue[*block]
	order *meter.Queue[*block]

	err     atomic.Pointer[error]
	closed  bool // no more records
	sealed  bool // the end-of-file block was written, or tried
	workers sync.WaitGroup
	done    chan struct{} // drain has returned
	address int64         // drain's until done: compressed bytes so far, without the EOF block
}

// NewWriter starts the workers of an ordered BGZF writer on dst. A bad level is
// reported by the first write and by Close. dst stays the caller's to close; a write
// of dst that never returns keeps Close and Abort waiting.
func NewWriter(dst io.Writer, cfg Config) *Writer {
	return newWriter(dst, cfg, nil, nil)
}

func newWriter(dst io.Writer, cfg Config, tee hash.Hash, bam *BAM) *Writer {
	cfg = cfg.withDefaults()
	w := &Writer{
		tee: tee, bam: bam,
		free:  make(chan *block, cfg.InFlight),
		jobs:  meter.NewQueue[*block](cfg.InFlight, nil, cfg.CompressStage),
		order: meter.NewQueue[*block](cfg.InFlight, nil, cfg.WriteStage),
		done:  make(chan struct{}),
	}
	if cfg.Level < 0 || cfg.Level > 9 {
		w.fail(fmt.Errorf("bgzf: no such compression level: %d", cfg.Level))
		cfg.Level = 0
	}
	w.cfg = cfg
	w.out.open(w, dst)
	for range cfg.InFlight {
		w.free <- newBlock()
	}
	for i := range cfg.Workers {
		w.workers.Go(func() { w.compress(i) })
	}
	go w.drain()
	return w
}

// WriteRecord appends rec, which is copied. A record that does not fit into the
// current block starts a new one; one larger than a block is split. The error is the
// first of the Writer, and may belong to an earlier record.
func (w *Writer) WriteRecord(rec []byte) error {
	if err := w.writable(); err != nil {
		return err
	}
	b := w.place(len(rec))
	if len(rec) > payload-len(b.data) {
		w.split(rec)
		return nil
	}
	b.data = append(b.data, rec...)
	return nil
}

// place returns the block in which the next record starts, n bytes long, and counts the record.
func (w *Writer) place(n int) *block {
	if w.cur != nil && len(w.cur.data)+n > payload {
		w.flush()
	}
	b := w.current()
	b.records++
	w.count++
	return b
}

// split appends a record longer than a block.
func (w *Writer) split(rec []byte) {
	for len(rec) > 0 {
		b := w.current()
		n := min(len(rec), payload-len(b.data))
		b.data = append(b.data, rec[:n]...)
		rec = rec[n:]
		if len(rec) > 0 {
			w.flush()
		}
	}
}

// Flush ends the current block, so that the next record starts a new one.
func (w *Writer) Flush() error {
	if err := w.writable(); err != nil {
		return err
	}
	w.flush()
	return nil
}

// Drain writes what is left, and waits for the Writer's goroutines. Only Close, which adds
// the end-of-file block, and Abort may follow: in between, the caller can make sure that the file is to end.
func (w *Writer) Drain() error {
	if !w.closed {
		if w.Err() == nil {
			w.flush()
		}
		w.stop()
	}
	return w.Err()
}

// Close does what Drain does and, only when all before it is good, writes the end-of-file
// block. It returns the first error. Closing again returns the same.
func (w *Writer) Close() error {
	if w.Drain() == nil && !w.sealed {
		w.sealed = true
		w.fail(w.out.end(eofBlock))
	}
	return w.Err()
}

// Abort ends the Writer without an end-of-file block, so that what was written can
// not be taken for a whole file, and waits for its goroutines. err is what Err, and
// later calls, return; nil stands for [ErrAborted]. After Close it does nothing.
func (w *Writer) Abort(err error) {
	if w.sealed {
		return
	}
	if err == nil {
		err = ErrAborted
	}
	w.fail(err)
	if !w.closed {
		w.stop()
	}
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
		first := err // a copy, or err would be on the heap for every block that is good
		w.err.CompareAndSwap(nil, &first)
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
