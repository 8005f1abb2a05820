package pipeline

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/mapper"
	"github.com/alignpipe/alignpipe/reader"
)

// lane takes the records of one mapper. Its methods are called by that mapper alone.
type lane interface {
	// begin comes before a batch is taken from the queue.
	begin(ctx context.Context) error
	// emit is a [mapper.Emit]. It fails when the run was stopped: a batch may take a while.
	emit(rec []byte, ref, pos int32, reverse bool, ord uint64) error
	// end comes after a batch, which had this ordinal.
	end(ordinal int64)
	// close comes last, when all that this mapper took is mapped; after an error it does not.
	close()
}

// mapAll reads and maps all reads. beside are other goroutines that end with the mappers,
// or with the first error of anyone.
func (r *run) mapAll(ctx context.Context, lanes func(context.Context, int) lane, beside ...func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	threads := r.cfg.Threads
	work := meter.NewQueue[*reader.Batch](2*threads, r.stages.Parse, r.stages.Map)
	source := work
	if r.cfg.paired() { // what the sampler waits for is the parser's waiting, charged once
		work = meter.NewQueue[*reader.Batch](2*threads, nil, r.stages.Map)
		source = meter.NewQueue[*reader.Batch](1, r.stages.Parse, nil)
		s := &sampler{in: source, out: work, stage: r.stages.Map, ix: r.index, params: &r.params}
		g.Go(func() error { defer work.Close(); return s.run(ctx) })
	}
	g.Go(func() error { defer source.Close(); return r.reader.Run(ctx, source) })
	for i := range threads {
		l := lanes(ctx, i)
		g.Go(func() error { return r.mapBatches(ctx, work, l) })
	}
	for _, f := range beside {
		g.Go(func() error { return f(ctx) })
	}
	err := g.Wait()
	r.queues = append(r.queues, work.Stats())
	return err
}

// mapBatches is one mapper: it owns its Worker and its lane.
func (r *run) mapBatches(ctx context.Context, work *meter.Queue[*reader.Batch], l lane) error {
	me := r.stages.Map.Enter()
	defer me.Exit()
	var w *mapper.Worker
	var emit mapper.Emit = l.emit
	for {
		if err := l.begin(ctx); err != nil {
			return err
		}
		b, ok, err := work.Recv(ctx)
		if err != nil {
			return err
		}
		if !ok {
			l.close()
			return nil
		}
		if w == nil { // the parameters are known once there is a batch
			w = mapper.NewWorker(r.index, r.params)
		}
		ordinal := b.Ordinal
		err = w.Map(b, emit)
		r.stages.Map.AddItems(int64(len(b.Reads)))
		b.Release()
		if err != nil {
			return err
		}
		l.end(ordinal)
	}
}
