package bgzfout

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// output gathers finished blocks to pieces and writes them: one after the other to a stream, or
// with several goroutines, each at the piece's own place in a file. The places follow from the
// sizes of the blocks alone, so no writer waits for another one.
type output struct {
	w    *Writer
	cur  []byte // being filled by drain
	at   int64  // place of cur in the file
	free chan []byte
	to   sink // where pieces go

	jobs    *meter.Queue[stretch] // nil with one writer
	writers sync.WaitGroup
}

// stretch is a stretch of the file, and its place in bytes from the start.
type stretch struct {
	data []byte
	at   int64
}

// sink writes one piece.
type sink interface {
	write(p stretch) error
}

// stream is for pieces that come in order.
type stream struct{ dst io.Writer }

func (s stream) write(p stretch) error {
	n, err := s.dst.Write(p.data)
	return complete(n, len(p.data), err)
}

// file is for pieces that come in any order.
type file struct{ dst io.WriterAt }

func (f file) write(p stretch) error {
	n, err := f.dst.WriteAt(p.data, p.at)
	return complete(n, len(p.data), err)
}

// complete is the error of a write of n bytes out of want.
func complete(n, want int, err error) error {
	if err == nil && n < want {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("bgzf: write: %w", err)
	}
	return nil
}

var errNotAFile = errors.New("bgzf: several writers need a file to write to")

// open gets ready to write for w, whose configuration is complete.
func (o *output) open(w *Writer, dst io.Writer) {
	o.w = w
	o.cur = make([]byte, 0, writeBytes+maxBlock)
	stage := w.cfg.WriteStage
	if w.cfg.Writers < 2 {
		o.to = stream{meter.NewWriter(dst, stage)}
		return
	}
	at, ok := dst.(io.WriterAt)
	if !ok {
		w.fail(errNotAFile)
		w.cfg.Writers = 1
		o.to = stream{dst}
		return
	}
	o.to = file{meter.NewWriterAt(at, stage)}
	o.free = make(chan []byte, w.cfg.Writers)
	o.jobs = meter.NewQueue[stretch](w.cfg.Writers, nil, stage)
	for range w.cfg.Writers {
		o.free <- make([]byte, 0, writeBytes+maxBlock)
		o.writers.Go(o.work)
	}
}

// append takes bytes that follow those before, a block of them at most; flushFull comes next.
func (o *output) append(p []byte) { o.cur = append(o.cur, p...) }

// flushFull writes what was gathered once it is enough.
func (o *output) flushFull() error {
	if len(o.cur) < writeBytes {
		return nil
	}
	return o.flush()
}

// flush writes what was gathered, or has it written.
func (o *output) flush() error {
	p := stretch{o.cur, o.at}
	if len(p.data) == 0 {
		return nil
	}
	if o.w.tee != nil {
		o.w.tee.Write(p.data) // a hash.Hash never fails
	}
	o.at += int64(len(p.data))
	if o.jobs == nil {
		o.cur = o.cur[:0]
		return o.to.write(p)
	}
	o.jobs.Send(background, p) // has room: there are no more pieces than places
	o.cur = o.take()[:0]
	return nil
}

// take waits for a piece that has been written.
func (o *output) take() []byte {
	select {
	case p := <-o.free:
		return p
	default:
	}
	start := time.Now()
	defer func() { o.w.cfg.WriteStage.AddWait(meter.WaitOut, time.Since(start)) }()
	return <-o.free
}

// work is one of several writers. Like drain, it goes on after an error.
func (o *output) work() {
	defer o.w.cfg.WriteStage.Enter().Exit()
	for {
		p, ok, _ := o.jobs.Recv(background)
		if !ok {
			return
		}
		if o.w.Err() == nil {
			o.w.fail(o.to.write(p))
		}
		o.free <- p.data
	}
}

// close writes the rest unless the Writer has failed, and waits until all is written.
func (o *output) close() {
	if o.w.Err() == nil {
		o.w.fail(o.flush())
	}
	if o.jobs != nil {
		o.jobs.Close()
		o.writers.Wait()
	}
	o.cur, o.free = nil, nil
}

// end writes the last bytes of the file, after close.
func (o *output) end(p []byte) error {
	if o.w.tee != nil {
		o.w.tee.Write(p)
	}
	return o.to.write(stretch{p, o.at})
}
