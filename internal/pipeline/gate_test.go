package pipeline

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// throughGate has mappers take n batches of a second each, and returns how many of them were mapped by each, and
// how many mappers were at work when each batch was begun.
func throughGate(g *gate, mappers, n int, before func(batch int)) (each, atWork []int) {
	var all sync.WaitGroup
	var mu sync.Mutex
	each = make([]int, mappers)
	working := 0
	take := func(i int) bool {
		mu.Lock()
		defer mu.Unlock()
		if len(atWork) == n {
			return false
		}
		before(len(atWork))
		each[i]++
		working++
		atWork = append(atWork, working)
		return true
	}
	for i := range mappers {
		place := g.newSeat()
		all.Go(func() {
			defer place.leave()
			for err := place.enter(context.Background(), nil); err == nil && take(i); err = place.next(context.Background(), nil) {
				time.Sleep(time.Second)
				mu.Lock()
				working--
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return each, atWork
}

// A bubble of synctest fails at once when all wait for each other.
func TestAGateLetsAsManyWorkAsItSays(t *testing.T) {
	for _, limit := range []int{1, 2, 3, 7} {
		synctest.Test(t, func(t *testing.T) {
			each, atWork := throughGate(newGate(limit), 7, 700, func(int) {})
			if got := slices.Max(atWork); got != limit {
				t.Errorf("limit=%d: %d worked at a time", limit, got)
			}
			if less, more := slices.Min(each), slices.Max(each); more-less > 3*turnBatches {
				t.Errorf("limit=%d: mappers had from %d to %d batches", limit, less, more)
			}
		})
	}
}

func TestAGateFollowsItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(7)
		_, atWork := throughGate(g, 7, 300, func(batch int) {
			switch batch {
			case 100:
				g.set(0) // there is always one
			case 200:
				g.set(5)
			}
		})
		// Those at work when the limit falls end their batch first.
		first, low, high := slices.Max(atWork[:100]), slices.Max(atWork[110:200]), slices.Max(atWork[210:])
		if first != 7 || low != 1 || high != 5 {
			t.Errorf("%d, then %d, then %d worked at a time", first, low, high)
		}
	})
}

func TestWhoWaitsAtAGateIsChargedAndCanBeStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, stage := newGate(1), meter.NewStage("map", meter.KindCPU, 2)
		in, out := g.newSeat(), g.newSeat()
		if err := in.enter(t.Context(), stage); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := out.enter(ctx, stage); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("enter = %v", err)
		}
		out.leave() // it is not inside: nobody's place is given up
		if g.inside != 1 {
			t.Errorf("%d inside", g.inside)
		}
		if got := time.Duration(stage.Snapshot().WaitNS[meter.WaitCredit]); meter.Enabled && got != time.Minute {
			t.Errorf("waited %v", got)
		}
	})
}
