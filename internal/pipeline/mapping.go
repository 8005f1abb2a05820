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
	if r.cfg.paired() || r.cfg.Tuning.Barrier { // what the one between waits for is the parser's waiting, charged once
		work = meter.NewQueue[*reader.Batch](2*threads, nil, r.stages.Map)
		source = meter.NewQueue[*reader.Batch](1, r.stages.Parse, nil)
		g.Go(func() error { defer work.Close(); return r.conduct(ctx, source, work) })
	} else {
		r.limitInFlight()
	}
	g.Go(func() error { defer source.Close(); return r.reader.Run(ctx, source) })
	for i := range threads {
		l := lanes(ctx, i)
		place := r.auto.gate.newSeat()
		g.Go(func() error { return r.mapBatches(ctx, work, place, l) })
	}
	for _, f := range beside {
		g.Go(func() error { return f(ctx) })
	}
	err := g.Wait()
	r.queues = append(r.queues, work.Stats())
	return err
}

// conduct passes batches from the parser to the mappers: those of pairs when the insert size is known,
// and in convoys where that was asked for.
func (r *run) conduct(ctx context.Context, in, out *meter.Queue[*reader.Batch]) error {
	var held []*reader.Batch
	if r.cfg.paired() {
		var err error
		if held, err = r.sample(ctx, in); err != nil {
			return err
		}
	}
	r.limitInFlight()
	if r.convoy != nil {
		return r.convoy.run(ctx, held, in, out)
	}
	for _, b := range held {
		if err := out.Send(ctx, b); err != nil {
			return err
		}
	}
	for {
		b, ok, err := in.Recv(ctx)
		if !ok || err != nil {
			return err
		}
		if err := out.Send(ctx, b); err != nil {
			return err
		}
	}
}

// inFlightLimit is how many batches may be in use at first, when no sample has to be held.
func (r *run) inFlightLimit() int {
	switch {
	case r.convoy != nil:
		return r.convoy.size
	case r.cfg.Tuning.InFlight > 0:
		return r.cfg.Tuning.InFlight
	}
	return inFlight(r.cfg)
}

// limitInFlight applies the limit that the tuning sets, once no sample has to be held, and lets auto change it.
func (r *run) limitInFlight() {
	r.reader.SetInFlight(r.inFlightLimit())
	r.auto.ready.Store(true)
}

// mapBatches is one mapper: it owns its Worker and its lane.
func (r *run) mapBatches(ctx context.Context, work *meter.Queue[*reader.Batch], place *seat, l lane) error {
	me := r.stages.Map.Enter()
	defer me.Exit()
	if err := place.enter(ctx, r.stages.Map); err != nil {
		return err
	}
	defer place.leave()
	return r.mapInside(ctx, work, place, l)
}

// mapInside maps what comes, while its place at the gate is held: it gives it up between batches only, and
// holds it when it returns nil.
func (r *run) mapInside(ctx context.Context, work *meter.Queue[*reader.Batch], place *seat, l lane) error {
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
		r.convoy.release(b)
		if err != nil {
			return err
		}
		l.end(ordinal)
		if r.cfg.Tuning.jolt != nil {
			r.cfg.Tuning.jolt(r.auto)
		}
		if err := place.next(ctx, r.stages.Map); err != nil {
			return err
		}
	}
}
