package bgzfout

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// background is for queues that are never left while something is in them.
var background = context.Background()

// current returns the block to fill. It waits for one to come back from drain, which
// it always does, error or not.
func (w *Writer) current() *block {
	if w.cur == nil {
		select {
		case w.cur = <-w.free:
		default:
			start := time.Now()
			w.cur = <-w.free
			w.cfg.CallStage.AddWait(meter.WaitOut, time.Since(start))
		}
		w.cur.reset()
	}
	return w.cur
}

// flush hands the current block over, first to drain and then to the workers. Neither
// queue can be full, since each has room for all blocks.
func (w *Writer) flush() {
	b := w.cur
	if b == nil || len(b.data) == 0 {
		return
	}
	w.cur = nil
	w.order.Send(background, b)
	w.jobs.Send(background, b)
}

// stop ends the goroutines and waits for them.
func (w *Writer) stop() {
	w.closed = true
	start := time.Now()
	w.jobs.Close()
	w.order.Close()
	w.workers.Wait()
	<-w.done
	w.cfg.CallStage.AddWait(meter.WaitOut, time.Since(start))
	w.cur, w.free = nil, nil
}

// compress is one worker. It never waits for anything but jobs: a finished block goes
// into its own slot.
func (w *Writer) compress() {
	defer w.cfg.CompressStage.Enter().Exit()
	d, err := getDeflater(w.cfg.Level)
	w.fail(err)
	for {
		b, ok, _ := w.jobs.Recv(background)
		if !ok {
			break
		}
		if w.Err() == nil {
			b.out, b.err = d.appendBlock(b.out, b.data)
			w.cfg.CompressStage.AddItems(b.records)
			w.cfg.CompressStage.AddBytesIn(int64(len(b.data)))
			w.cfg.CompressStage.AddBytesOut(int64(len(b.out)))
		}
		b.ready <- struct{}{}
	}
	if err == nil {
		putDeflater(w.cfg.Level, d)
	}
}

// drain takes the blocks in order. It outlives errors: leaving would strand the
// caller, who waits for free blocks.
func (w *Writer) drain() {
	defer close(w.done)
	defer w.cfg.WriteStage.Enter().Exit()
	for {
		b, ok, _ := w.order.Recv(background)
		if !ok {
			break
		}
		w.await(b)
		if w.Err() == nil {
			w.fail(w.emit(b))
		}
		w.free <- b
	}
	if w.sealed && w.Err() == nil {
		w.fail(w.finish())
	}
	w.out = nil
}

// await waits until b is compressed: for the writing side, input that is not there.
func (w *Writer) await(b *block) {
	select {
	case <-b.ready:
	default:
		start := time.Now()
		<-b.ready
		w.cfg.WriteStage.AddWait(meter.WaitIn, time.Since(start))
	}
}

// emit takes b into the index and the output.
func (w *Writer) emit(b *block) error {
	if b.err != nil {
		return fmt.Errorf("bgzf: compress: %w", b.err)
	}
	if w.onMark != nil {
		w.onMark(w.address, b.marks)
	}
	w.address += int64(len(b.out))
	w.out = append(w.out, b.out...)
	w.cfg.WriteStage.AddItems(b.records)
	w.cfg.WriteStage.AddBytesIn(int64(len(b.out)))
	if len(w.out) < writeBytes {
		return nil
	}
	return w.writeOut()
}

// finish writes what was gathered and then, as a write of its own, the EOF block.
func (w *Writer) finish() error {
	if err := w.writeOut(); err != nil {
		return err
	}
	w.out = append(w.out, eofBlock...)
	return w.writeOut()
}

func (w *Writer) writeOut() error {
	p := w.out
	w.out = w.out[:0]
	if len(p) == 0 {
		return nil
	}
	n, err := w.dst.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("bgzf: write: %w", err)
	}
	if w.tee != nil {
		w.tee.Write(p) // a hash.Hash never fails
	}
	return nil
}
