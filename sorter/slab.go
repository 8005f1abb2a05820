package sorter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
)

var errLate = errors.New("sorter: record added after Merge or Close")

// Slab collects the records of one worker in two buffers: while one is written as a run, the worker
// goes on with the other. It belongs to one goroutine at a time.
type Slab struct {
	sorter   *Sorter
	buffers  [2]*buffer
	cur      int           // the buffer being filled
	floor    int           // bytes of it that are kept free until the other one is on its way to a run
	spilling chan spillEnd // of the other buffer; nil when there is no spill under way
	next     uint64        // the least ordinal allowed
	runs     []*run        // what was spilled, oldest first
	err      error         // the first failure; nothing works after it
}

// spillEnd is how a spill ended.
type spillEnd struct {
	run *run
	err error
}

// Add copies one record into the slab. ord must be above that of the record before in the same
// slab, and rec an encoded BAM record with its block_size. When the memory is used up a buffer is
// written as a run by a goroutine of its own; Add waits only when both are full, no longer than ctx lives.
// A record that no merge could hold is a [MemoryError]. After an error the sort has failed as a whole.
func (sl *Slab) Add(ctx context.Context, key Key, ord uint64, rec []byte) error {
	if ord < sl.next || len(rec) < sizeBytes || int64(len(rec)) > sl.sorter.maxRecord ||
		len(rec)-sizeBytes != int(binary.LittleEndian.Uint32(rec)) || sl.err != nil {
		return sl.refuse(ord, rec)
	}
	b := sl.buffers[sl.cur]
	if !b.fits(len(rec), sl.floor) {
		stored, err := sl.makeRoom(ctx, key, ord, rec)
		if stored || err != nil {
			return err
		}
		b = sl.buffers[sl.cur]
	}
	sl.next = ord + 1
	b.add(key, ord, rec)
	return nil
}

// refuse finds out why Add cannot go on.
func (sl *Slab) refuse(ord uint64, rec []byte) error {
	s := sl.sorter
	switch {
	case sl.err != nil:
	case ord < sl.next:
		sl.err = fmt.Errorf("sorter: ordinal %d after %d in one slab", ord, sl.next-1)
	case int64(len(rec)) > s.maxRecord && len(rec) <= maxBlockSize:
		least := s.cfg.MemBytes - s.maxRecord + pages(int64(len(rec)))
		sl.err = &MemoryError{Have: s.cfg.MemBytes, Least: least, Record: int64(len(rec))}
	default:
		sl.err = fmt.Errorf("sorter: record %d has %d bytes, which its block_size does not say", ord, len(rec))
	}
	return s.fail(sl.err)
}

// makeRoom finds room for a record where the current buffer has none. A record that would not fit
// in an empty one it stores as a run of its own.
func (sl *Slab) makeRoom(ctx context.Context, key Key, ord uint64, rec []byte) (stored bool, err error) {
	defer func() {
		if err != nil {
			sl.err = sl.sorter.fail(err)
		}
	}()
	for !sl.buffers[sl.cur].fits(len(rec), sl.floor) {
		if err := sl.turn(ctx); err != nil {
			return false, err
		}
		if b := sl.buffers[sl.cur]; b.n == 0 && !b.fits(len(rec), 0) {
			if err := sl.await(ctx, sl.sorter.cfg.CallStage); err != nil { // also for the memory of its writer
				return false, err
			}
			if err := sl.spillOne(ctx, key, ord, rec); err != nil {
				return false, err
			}
			sl.next = ord + 1
			return true, nil
		}
	}
	return false, nil
}

// turn takes the next step towards room: the first time that a buffer is full, the other one is begun;
// when that one is half full, the first is spilled, for then it is likely that all will not fit; and from
// then on each full buffer is spilled while the other one is filled.
func (sl *Slab) turn(ctx context.Context) error {
	other := sl.buffers[1-sl.cur]
	switch {
	case sl.floor > 0:
		sl.floor = 0
		sl.spill(other)
		return nil
	case sl.spilling == nil && other.n == 0 && len(sl.runs) == 0:
		sl.cur = 1 - sl.cur
		sl.floor = len(other.mem) / 2
		return nil
	}
	if err := sl.await(ctx, sl.sorter.cfg.CallStage); err != nil {
		return err
	}
	sl.cur = 1 - sl.cur
	sl.spill(sl.buffers[1-sl.cur])
	return nil
}

// spill begins to write a buffer that is not being filled, if there is something in it. No other spill
// is under way. It outlives the caller's context, which may be that of the adding alone: Close ends it.
func (sl *Slab) spill(b *buffer) {
	if b.n == 0 {
		return
	}
	end := make(chan spillEnd, 1)
	sl.spilling = end
	go func() {
		r, err := b.spill(sl.sorter.life)
		end <- spillEnd{r, err}
	}()
}

// await waits for the spill under way, if there is one, and no longer than ctx lives. The wait is charged
// to a stage that the caller is in, or to nil.
func (sl *Slab) await(ctx context.Context, caller *meter.Stage) error {
	if sl.spilling == nil {
		return nil
	}
	var end spillEnd
	select {
	case end = <-sl.spilling:
	default:
		begun := time.Now()
		defer func() { caller.AddWait(meter.WaitOut, time.Since(begun)) }()
		select {
		case end = <-sl.spilling:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	sl.spilling = nil
	if end.err != nil {
		return end.err
	}
	sl.runs = append(sl.runs, end.run)
	return nil
}

// spillOne writes a run of one record, straight from the caller's memory.
func (sl *Slab) spillOne(ctx context.Context, key Key, ord uint64, rec []byte) error {
	s := sl.sorter
	me := s.cfg.SortStage.Enter()
	defer me.Exit()
	r, err := s.writeRun(ctx, &s.spilledRuns, func(w *runWriter) error { return w.add(key, ord, rec) })
	if err != nil {
		return err
	}
	sl.runs = append(sl.runs, r)
	if s.cfg.Order == Coordinate {
		s.hist.add([]entry{{key: key}})
	}
	s.records.Add(1)
	s.cfg.SortStage.AddItems(1)
	s.cfg.SortStage.AddBytesIn(int64(len(rec)))
	return nil
}

// settle waits for the spill under way and sorts what is left; a buffer that holds nothing is given back.
func (sl *Slab) settle(ctx context.Context) error {
	if err := sl.await(ctx, nil); err != nil {
		return err
	}
	sl.err = errLate // more entries would run into the sorted ones
	for _, b := range sl.buffers {
		if b.n == 0 {
			if err := b.free(); err != nil {
				return err
			}
		}
		b.sort()
	}
	return nil
}

// inputs lists what the slab has to merge, the oldest first.
func (sl *Slab) inputs() (in []input) {
	for _, r := range sl.runs {
		in = append(in, input{run: r})
	}
	for _, b := range []*buffer{sl.buffers[1-sl.cur], sl.buffers[sl.cur]} {
		if b.n > 0 {
			in = append(in, input{buffer: b})
		}
	}
	return in
}

// free gives the memory back, after the spill under way, which is to end; the runs stay.
func (sl *Slab) free() error {
	sl.await(context.Background(), nil) // its error is no longer of interest
	sl.err = errLate
	return errors.Join(sl.buffers[0].free(), sl.buffers[1].free())
}
