package pipeline

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/mapper"
	"github.com/alignpipe/alignpipe/reader"
	"github.com/alignpipe/alignpipe/sorter"
)

// mapAll runs the first half: every read is read, mapped and in the sorter when it
// returns nil.
func (r *run) mapAll(ctx context.Context) error {
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
		slab := r.sorter.Slab(i)
		g.Go(func() error { return r.mapBatches(ctx, work, slab) })
	}
	err := g.Wait()
	r.queues = append(r.queues, work.Stats())
	return err
}

// mapBatches is one mapper: it owns its Worker and its slab.
func (r *run) mapBatches(ctx context.Context, work *meter.Queue[*reader.Batch], slab *sorter.Slab) error {
	me := r.stages.Map.Enter()
	defer me.Exit()
	emit := func(rec []byte, ref, pos int32, reverse bool, ord uint64) error {
		key := sorter.Unplaced
		if ref >= 0 {
			key = sorter.KeyOf(ref, pos, reverse)
		}
		return outputError(slab.Add(ctx, key, ord, rec))
	}
	var w *mapper.Worker
	for {
		b, ok, err := work.Recv(ctx)
		if !ok || err != nil {
			return err
		}
		if w == nil { // the parameters are known once there is a batch
			w = mapper.NewWorker(r.index, r.params)
		}
		err = w.Map(b, emit)
		r.stages.Map.AddItems(int64(len(b.Reads)))
		b.Release()
		if err != nil {
			return err
		}
	}
}

// mergeAll runs the second half: the sorted records go to the sink and to the auditor.
// The sink is complete but for its end when it returns nil.
func (r *run) mergeAll(ctx context.Context) error {
	merger, err := r.sorter.Merge(ctx)
	if err != nil {
		return outputError(err)
	}
	audit := newAuditor(r.cfg.Threads)
	err = r.drain(ctx, merger, audit)
	sum, n := audit.finish()
	r.counts = n
	if err != nil {
		return err
	}
	if want := r.reader.Sum(); sum != want {
		return errors.Join(ErrLost, errSums{want, sum})
	}
	return nil
}
