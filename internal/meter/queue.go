package meter

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Queue is a bounded queue between two stages. A send that has to wait is charged to from as
// [WaitOut], a receive that has to wait to the other as [WaitIn]. No clock is read otherwise.
type Queue[T any] struct {
	ch       chan T
	from, to *Stage
	closed   sync.Once

	sent, received  atomic.Int64
	lengthSum, high atomic.Int64 // of the lengths seen just after each send
	fullNS, emptyNS atomic.Int64
}

// NewQueue makes a queue of the given capacity. Either stage may be nil.
func NewQueue[T any](capacity int, from, to *Stage) *Queue[T] {
	return &Queue[T]{ch: make(chan T, capacity), from: from, to: to}
}

// Send hands v over. It returns the context's error, and keeps v with the caller, when the queue
// stays full until ctx ends. Sending on a closed queue panics: it is a bug in the wiring.
func (q *Queue[T]) Send(ctx context.Context, v T) error {
	select {
	case q.ch <- v:
	default:
		if err := q.sendSlow(ctx, v); err != nil {
			return err
		}
	}
	if Enabled {
		q.countSend()
	}
	return nil
}

func (q *Queue[T]) sendSlow(ctx context.Context, v T) error {
	start := time.Now()
	defer func() {
		d := time.Since(start)
		q.fullNS.Add(int64(d))
		q.from.AddWait(WaitOut, d)
	}()
	select {
	case q.ch <- v:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *Queue[T]) countSend() {
	q.sent.Add(1)
	if q.from != nil {
		q.from.sent.Add(1)
	}
	n := int64(len(q.ch))
	q.lengthSum.Add(n)
	for high := q.high.Load(); n > high && !q.high.CompareAndSwap(high, n); {
		high = q.high.Load()
	}
}

// Recv takes the oldest value. ok is false when the queue is closed and empty; err is the
// context's when it ended first.
func (q *Queue[T]) Recv(ctx context.Context) (v T, ok bool, err error) {
	select {
	case v, ok = <-q.ch:
	default:
		v, ok, err = q.recvSlow(ctx)
	}
	if ok && Enabled {
		q.received.Add(1)
		if q.to != nil {
			q.to.received.Add(1)
		}
	}
	return v, ok, err
}

func (q *Queue[T]) recvSlow(ctx context.Context) (v T, ok bool, err error) {
	start := time.Now()
	select {
	case v, ok = <-q.ch:
	case <-ctx.Done():
		err = ctx.Err()
	}
	d := time.Since(start)
	q.emptyNS.Add(int64(d))
	q.to.AddWait(WaitIn, d)
	return v, ok, err
}

// Close says that no more will be sent. Who made the queue closes it, after its senders have
// returned; a second call does nothing.
func (q *Queue[T]) Close() { q.closed.Do(func() { close(q.ch) }) }

// Drain takes what is left after Close and gives it to release, for pooled values of a run that
// was cancelled. It blocks until the queue is closed.
func (q *Queue[T]) Drain(release func(T)) {
	for v := range q.ch {
		release(v)
	}
}

// Len returns how many values wait now.
func (q *Queue[T]) Len() int { return len(q.ch) }

// QueueSnapshot is a queue's account at one moment.
type QueueSnapshot struct {
	From, To       string // stage names
	Capacity       int
	Sent, Received int64
	MeanLength     float64 // just after a send; near Capacity: the receiver is the slower side
	HighWater      int64
	FullNS         int64 // senders' waiting, summed
	EmptyNS        int64 // receivers' waiting, summed
}

// Stats reads the counters. It may run while the queue is in use.
func (q *Queue[T]) Stats() QueueSnapshot {
	s := QueueSnapshot{From: q.from.Name(), To: q.to.Name(), Capacity: cap(q.ch),
		Received: q.received.Load(), Sent: q.sent.Load(), HighWater: q.high.Load(),
		FullNS: q.fullNS.Load(), EmptyNS: q.emptyNS.Load()}
	if s.Sent > 0 {
		s.MeanLength = float64(q.lengthSum.Load()) / float64(s.Sent)
	}
	return s
}
