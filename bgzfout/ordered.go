package bgzfout

import (
	"context"
	"fmt"
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
		w.cur.first = w.count
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
func (w *Writer) compress(worker int) {
	defer w.cfg.CompressStage.Enter().Exit()
	d, err := getDeflater(w.cfg.Level)
	w.fail(err)
	for {
		b, ok, _ := w.jobs.Recv(background)
		if !ok {
			break
		}
		if w.Err() == nil {
			w.finishBlock(worker, d, b)
		}
		b.ready <- struct{}{}
	}
	if err == nil {
		putDeflater(w.cfg.Level, d)
	}
}

// finishBlock brings the records into a block, and compresses it while they are in the cache.
func (w *Writer) finishBlock(worker int, d *deflater, b *block) {
	if w.bam != nil && len(b.recs) > 0 {
		if b.err = w.bam.collect(worker, b); b.err != nil {
			return
		}
	}
	if b.out, b.err = d.appendBlock(b.out, b.data); b.err != nil {
		b.err = fmt.Errorf("bgzf: compress: %w", b.err)
	}
	w.cfg.CompressStage.AddItems(b.records)
	w.cfg.CompressStage.AddBytesIn(int64(len(b.data)))
	w.cfg.CompressStage.AddBytesOut(int64(len(b.out)))
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
			work := w.cfg.WriteStage.Work()
			err := w.emit(b)
			work.End()
			if err == nil {
				err = w.out.flushFull()
			}
			w.fail(err)
		}
		w.free <- b
	}
	w.out.close()
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
		return b.err
	}
	if w.bam != nil {
		if err := w.bam.took(w.address, b); err != nil {
			return err
		}
	}
	w.address += int64(len(b.out))
	w.cfg.WriteStage.AddItems(b.records)
	w.cfg.WriteStage.AddBytesIn(int64(len(b.out)))
	w.out.append(b.out)
	return nil
}
