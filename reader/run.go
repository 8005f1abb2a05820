package reader

import (
	"context"
	"io"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// Run parses the whole input and sends it as batches, in order. It does not close the queue. It
// returns nil at the end of a whole and good input; the error otherwise is the first in the order
// of the reads, whatever the threads did. Call it once.
func (r *Reader) Run(ctx context.Context, out *meter.Queue[*Batch]) error {
	stage := r.cfg.ParseStage
	defer stage.Enter().Exit()
	for {
		b, err := r.take(ctx)
		if err != nil {
			return err
		}
		err = r.fill(ctx, b)
		if err != nil && err != io.EOF || len(b.spans) == 0 {
			b.Release()
			if err == io.EOF {
				return nil
			}
			return err
		}
		b.seal()
		r.number(b)
		stage.AddItems(int64(len(b.Reads)))
		stage.AddBytesOut(int64(len(b.data)))
		if sendErr := out.Send(ctx, b); sendErr != nil {
			b.Release()
			return sendErr
		}
		if err == io.EOF {
			return nil
		}
	}
}

// SetInFlight limits the batches in use to n, at least 1 and at most Config.InFlight. It may be called
// at any time; what is in use already stays so until its Release, and the next Release is when more come.
func (r *Reader) SetInFlight(n int) { r.limit.Store(int32(max(1, min(n, r.cfg.InFlight)))) }

// take waits for a batch that nobody uses.
func (r *Reader) take(ctx context.Context) (*Batch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := r.next(ctx)
		if err != nil {
			return nil, err
		}
		if r.cfg.InFlight-len(r.parked) > int(r.limit.Load()) {
			r.parked = append(r.parked, b)
			continue
		}
		b.enteredNS = r.cfg.Flight.Enter()
		return b, nil
	}
}

// next takes a batch that was parked where the limit has room for it, or the next that comes back.
func (r *Reader) next(ctx context.Context) (*Batch, error) {
	if n := len(r.parked); n > 0 && r.cfg.InFlight-n < int(r.limit.Load()) {
		b := r.parked[n-1]
		r.parked = r.parked[:n-1]
		return b, nil
	}
	select {
	case b := <-r.free:
		return b, nil
	default:
	}
	start := time.Now()
	defer func() { r.cfg.ParseStage.AddWait(meter.WaitCredit, time.Since(start)) }()
	select {
	case b := <-r.free:
		return b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fill puts templates into b until it is full or the input ends.
func (r *Reader) fill(ctx context.Context, b *Batch) error {
	for !b.full() {
		if err := r.template(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// number gives the batch its place.
func (r *Reader) number(b *Batch) {
	b.Ordinal, b.First = r.ordinal, r.templates
	r.ordinal++
	r.templates += int64(b.Templates())
}

// template appends one read, or one pair, to b.
func (r *Reader) template(ctx context.Context, b *Batch) error {
	n := len(b.spans)
	var err error
	switch {
	case !b.Paired:
		err = r.read(ctx, 0, b)
	case r.cfg.Interleaved:
		err = r.interleaved(ctx, b)
	default:
		err = r.mates(ctx, b)
	}
	if err != nil {
		return err
	}
	for i, s := range b.spans[n:] {
		mate := uint8(0)
		if b.Paired {
			mate = uint8(i + 1)
		}
		v := b.view(s)
		r.hasher.Add(&r.sum, v.Name, mate, v.Seq, v.Qual)
	}
	return nil
}
