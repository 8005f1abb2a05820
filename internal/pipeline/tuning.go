package pipeline

import (
	"context"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/reader"
)

// Tuning has what changes the speed of a run and never its output. Users need none of it: the
// benchmarks and the forecasts are tested with it. Zero is the default everywhere.
type Tuning struct {
	BatchBases int // bases in a batch of reads
	InFlight   int // batches between the parser and the mappers' release, at most
	// Barrier hands reads over in convoys: as many batches as may be in flight are parsed while no
	// mapper works, and then all of them mapped before the next are parsed.
	Barrier    bool
	FixedSplit bool               // the mappers at work and the limit in flight stay as they begin: see auto.go
	Drag       map[string]float64 // by stage: see [meter.Stage.SetDrag]

	jolt func(*auto) // called by a mapper after each batch; tests change the limits there
}

func (t Tuning) batchBases() int {
	if t.BatchBases > 0 {
		return t.BatchBases
	}
	return batchBases
}

// drag applies the drags.
func (t Tuning) drag(stages *meter.Set) {
	for _, s := range stages.All() {
		s.SetDrag(t.Drag[s.Name()])
	}
}

// convoy is the barrier between parser and mappers. A nil *convoy is none.
type convoy struct {
	size   int
	mapped chan *reader.Batch // from the mappers, in place of a release
}

func (r *run) newConvoy() *convoy {
	if !r.cfg.Tuning.Barrier {
		return nil
	}
	size := r.cfg.Tuning.InFlight
	if size <= 0 {
		size = 2*r.cfg.Threads + 4
	}
	return &convoy{size, make(chan *reader.Batch, inFlight(r.cfg))}
}

// release takes a batch that is mapped.
func (c *convoy) release(b *reader.Batch) {
	if c == nil {
		b.Release()
		return
	}
	c.mapped <- b // has room for all that exist
}

// run has the batches mapped that are held already, then takes convoys of others, until the input ends.
func (c *convoy) run(ctx context.Context, held []*reader.Batch, in, out *meter.Queue[*reader.Batch]) error {
	for more := true; more; held = held[:0] {
		for more && len(held) < c.size {
			b, ok, err := in.Recv(ctx)
			if err != nil {
				return err
			}
			if more = ok; ok {
				held = append(held, b)
			}
		}
		if err := c.pass(ctx, held, out); err != nil {
			return err
		}
	}
	return nil
}

// pass sends a convoy on and waits until all of it is mapped.
func (c *convoy) pass(ctx context.Context, held []*reader.Batch, out *meter.Queue[*reader.Batch]) error {
	for _, b := range held {
		if err := out.Send(ctx, b); err != nil {
			return err
		}
	}
	for i := range held {
		select {
		case held[i] = <-c.mapped:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, b := range held {
		b.Release()
	}
	return nil
}
