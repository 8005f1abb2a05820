package bench

import (
	"context"

	"github.com/alignpipe/alignpipe/internal/pipeline"
)

// Handoff says how batches of reads get from the parser to the mappers in the comparison.
type Handoff string

// The handoffs.
const (
	HandoffBoth    Handoff = "both"
	HandoffQueue   Handoff = "queue"   // each as soon as it is parsed
	HandoffBarrier Handoff = "barrier" // in convoys: nobody maps while a convoy is parsed, and the other way round
)

// HandoffReport compares the two on the same reads: as a run is, and where the cores do not limit.
type HandoffReport struct {
	AsIs        *HandoffPair `json:"as_is"`
	Apart       *HandoffPair `json:"cores_not_limiting"` // fewer mappers, and slowed: see FillReport
	ApartReason string       `json:"cores_not_limiting_reason,omitempty"`
}

// HandoffPair compares the two in one kind of run.
type HandoffPair struct {
	Queue         *Figure `json:"queue_reads_per_second"`
	QueueReason   string  `json:"queue_reads_per_second_reason,omitempty"`
	Barrier       *Figure `json:"barrier_reads_per_second"`
	BarrierReason string  `json:"barrier_reads_per_second_reason,omitempty"`
	// SpeedUp is the queue's throughput over the barrier's, pair by pair.
	SpeedUp       *Figure `json:"queue_over_barrier"`
	SpeedUpReason string  `json:"queue_over_barrier_reason,omitempty"`
}

// measureHandoff compares both ways in both kinds of run. Where all cores are busy anyway, a barrier costs
// little: what waits makes room for something else.
func measureHandoff(ctx context.Context, r *runner, which Handoff, l slowLine, pairs int) (HandoffReport, error) {
	asIs, err := comparePairs(ctx, r, how{}, which, pairs)
	out := HandoffReport{AsIs: &asIs}
	if err != nil {
		return out, err
	}
	if out.ApartReason = l.reason; l.reason != "" {
		return out, nil
	}
	apart, err := comparePairs(ctx, r, l.how(), which, pairs)
	out.Apart = &apart
	return out, err
}

// comparePairs runs both ways in pairs, the first of a pair in turn, so that what changes slowly
// on the machine meets both alike.
func comparePairs(ctx context.Context, r *runner, h how, which Handoff, pairs int) (HandoffPair, error) {
	h.order, h.tune.FixedSplit = pipeline.SortNone, true
	var queue, barrier []float64
	once := func(on bool, rates *[]float64) error {
		h.tune.Barrier = on
		l, err := r.line(ctx, h)
		if err == nil {
			*rates = append(*rates, l.rate())
		}
		return err
	}
	err := rounds(pairs, leastPairs, r.stepTime/2, func(i int) error {
		for turn := range 2 {
			on := (i+turn)%2 == 1
			var err error
			switch {
			case on && which != HandoffQueue:
				err = once(true, &barrier)
			case !on && which != HandoffBarrier:
				err = once(false, &queue)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return HandoffPair{}, err
	}
	return handoffOf(queue, barrier), nil
}

// leastPairs are run however long they take.
const leastPairs = 3

// handoffOf compares throughputs; what was not run has none.
func handoffOf(queue, barrier []float64) HandoffPair {
	const notAsked = "not asked for: see --handoff"
	out := HandoffPair{QueueReason: notAsked, BarrierReason: notAsked, SpeedUpReason: notAsked}
	if len(queue) > 0 {
		f := figureOf(queue)
		out.Queue, out.QueueReason = &f, ""
	}
	if len(barrier) > 0 {
		f := figureOf(barrier)
		out.Barrier, out.BarrierReason = &f, ""
	}
	if len(queue) > 0 && len(queue) == len(barrier) {
		ratios := make([]float64, len(queue))
		for i := range queue {
			ratios[i] = queue[i] / barrier[i]
		}
		f := figureOf(ratios)
		out.SpeedUp, out.SpeedUpReason = &f, ""
	}
	return out
}
