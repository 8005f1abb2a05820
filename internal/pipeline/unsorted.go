package pipeline

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/meter"
)

// unsorted writes the records in the order of the input, while reads are still mapped.
// There is one chunk of records for each batch of reads, and one goroutine that takes
// the chunks in the order of the batches:
//
//	free ──► mapper: takes a chunk, then a batch ──► slots[ordinal mod n] ──► writer ──► sink
//	  ▲                                                                         │
//	  └─────────────────────────────────────────────────────────────────────────┘
//
// Nobody can wait for ever. Batches leave their queue in order, and a mapper has a chunk
// before it takes one. So the batches that were taken and are not yet written follow each
// other, there are at most n of them, as there are chunks, and the first of them is being
// mapped or waits in its slot. For the same reason a slot is empty when it is filled.
type unsorted struct {
	run   *run
	free  chan *chunk
	slots []chan *chunk // each of capacity 1; closed when all is mapped
	left  atomic.Int32  // mappers that may still come with a chunk
}

// unsortedChunk is what a chunk may keep: four times the records of a batch of 150-base pairs with
// names and tags as usual. Batches of shorter reads, or of many split ones, come near to it;
// what needs more is given back after use.
const unsortedChunk = 12 * batchBases

// unsortedChunks is enough for each mapper to work while one chunk of each waits for
// its turn, and two are being written and summed. More would cost memory alone.
func unsortedChunks(threads int) int { return 2*threads + 2 }

func unsortedMemory(threads int) int64 { return int64(unsortedChunks(threads)) * unsortedChunk }

func (u *unsorted) open() error {
	threads := u.run.cfg.Threads
	u.free = newChunks(unsortedChunks(threads), unsortedChunk)
	u.slots = make([]chan *chunk, unsortedChunks(threads))
	for i := range u.slots {
		u.slots[i] = make(chan *chunk, 1)
	}
	u.left.Store(int32(threads))
	return nil
}

// work is one phase: the stages that end an output run beside those that map.
func (u *unsorted) work(ctx context.Context) error {
	r := u.run
	if err := r.stream(func() error { return u.mapAndWrite(ctx) }, r.stages.All()...); err != nil {
		return err
	}
	return r.finish(ctx)
}

func (u *unsorted) mapAndWrite(ctx context.Context) error {
	r := u.run
	if err := r.mapAll(ctx, u.lane, u.write); err != nil {
		return err
	}
	if err := r.reader.Close(); err != nil {
		return err
	}
	me := r.feeder.Enter()
	defer me.Exit()
	if err := outputError(u.sink().settle()); err != nil {
		return err
	}
	return r.settle()
}

// sink is the output: there are no shards without a sort.
func (u *unsorted) sink() sink { return u.run.sink.(sink) }

// write takes the chunks in order to the sink.
func (u *unsorted) write(ctx context.Context) error {
	me := u.run.feeder.Enter()
	defer me.Exit()
	if err := outputError(u.sink().begin()); err != nil {
		return err
	}
	var next uint64
	for n := 0; ; n++ {
		c, err := u.await(ctx, u.slots[n%len(u.slots)])
		if c == nil {
			return err
		}
		if c.first < next {
			return errOrdinals
		}
		next = c.last + 1
		err = u.feed(ctx, c.data)
		c.release()
		if err != nil {
			return err
		}
	}
}

// errOrdinals means a bug: this is a check, and no way to get them into order.
var errOrdinals = errors.New("records came in another order than their reads")

// await returns the chunk of the next batch, or nil after the last one.
func (u *unsorted) await(ctx context.Context, slot <-chan *chunk) (*chunk, error) {
	select {
	case c := <-slot:
		return c, nil
	default:
	}
	start := time.Now()
	defer func() { u.run.feeder.AddWait(meter.WaitIn, time.Since(start)) }()
	select {
	case c := <-slot:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// feed gives all records of a chunk to the sink.
func (u *unsorted) feed(ctx context.Context, data []byte) error {
	u.run.feeder.AddBytesIn(int64(len(data)))
	sink, n := u.sink(), 0
	for len(data) > 0 {
		if n&0x3ff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var rec []byte
		rec, data = nextRecord(data)
		if err := sink.add(bgzfout.Record{Data: rec}); err != nil {
			return outputError(err)
		}
		n++
	}
	u.run.feeder.AddItems(int64(n))
	return nil
}

// chunkLane is one mapper's way into the slots.
type chunkLane struct {
	ctx context.Context // of the mappers
	to  *unsorted
	cur *chunk // of the batch in work
}

func (u *unsorted) lane(ctx context.Context, _ int) lane { return &chunkLane{ctx: ctx, to: u} }

func (l *chunkLane) begin(ctx context.Context) (err error) {
	l.cur, err = takeChunk(ctx, l.to.free, l.to.run.stages.Map)
	return err
}

func (l *chunkLane) emit(rec []byte, _, _ int32, _ bool, ord uint64) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	c := l.cur
	if len(c.data) == 0 {
		c.first = ord
	} else if ord <= c.last {
		return errOrdinals
	}
	c.last = ord
	c.data = append(c.data, rec...)
	return nil
}

func (l *chunkLane) end(ordinal int64) {
	u := l.to
	u.slots[ordinal%int64(len(u.slots))] <- l.cur
	l.cur = nil
}

// close ends the writer after what is in the slots, once nobody can come with more.
func (l *chunkLane) close() {
	if l.to.left.Add(-1) > 0 {
		return
	}
	for _, slot := range l.to.slots {
		close(slot)
	}
}
