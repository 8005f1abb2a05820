package pipeline

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// gate lets at most limit mappers work at a time. Who has mapped turnBatches in a row changes places with the one
// outside that has mapped the least in all: so slabs fill evenly, and the memory of all of them is used before
// anything is spilled.
//
// A mapper stands at the gate with empty hands, without a batch and without a chunk: nobody waits for it.
// Who is inside may wait for reads or for a chunk as without a gate, and leaves at the end of the input,
// which lets the next one in.
type gate struct {
	mu      sync.Mutex
	limit   int
	inside  int
	waiting []*seat // who came first stands first
}

// turnBatches is how many batches a mapper maps before it lets one that waits in. More of them save
// wake-ups, some microseconds each, and let the slabs fill more unevenly.
const turnBatches = 4

// seat is one mapper's place at the gate; it belongs to that mapper.
type seat struct {
	gate   *gate
	call   chan struct{} // of capacity 1: whom the gate lets in gets one
	inside bool
	mapped int // batches since it was let in
	total  int // batches in all
}

func newGate(limit int) *gate { return &gate{limit: limit} }

func (g *gate) newSeat() *seat { return &seat{gate: g, call: make(chan struct{}, 1)} }

// set changes the limit, at least 1. Mappers above it leave when their batch is mapped.
func (g *gate) set(limit int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limit = max(1, limit)
	g.admit()
}

// admit lets in who has room. The lock is held.
func (g *gate) admit() {
	for g.inside < g.limit && len(g.waiting) > 0 {
		least := 0
		for i, s := range g.waiting {
			if s.total < g.waiting[least].total {
				least = i
			}
		}
		g.waiting[least].call <- struct{}{}
		g.waiting = slices.Delete(g.waiting, least, least+1)
		g.inside++
	}
}

// enter waits until there is room; the wait is charged to stage. The error is the context's: then the mappers
// end together, and a place that may have been given is nobody's loss.
func (s *seat) enter(ctx context.Context, stage *meter.Stage) error {
	s.mapped = 0
	g := s.gate
	g.mu.Lock()
	g.waiting = append(g.waiting, s)
	g.admit()
	g.mu.Unlock()
	select {
	case <-s.call:
		s.inside = true
		return nil
	default:
	}
	start := time.Now()
	defer func() { stage.AddWait(meter.WaitCredit, time.Since(start)) }()
	select {
	case <-s.call:
		s.inside = true
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// next comes before each batch but the first: it is where a mapper leaves that is too much, or has had its turn.
func (s *seat) next(ctx context.Context, stage *meter.Stage) error {
	s.mapped++
	s.total++
	g := s.gate
	g.mu.Lock()
	stays := g.inside <= g.limit && (s.mapped < turnBatches || len(g.waiting) == 0)
	g.mu.Unlock()
	if stays {
		return nil
	}
	s.leave()
	return s.enter(ctx, stage)
}

// leave gives the place up, where it is held.
func (s *seat) leave() {
	if !s.inside {
		return
	}
	s.inside = false
	g := s.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	g.admit()
}
