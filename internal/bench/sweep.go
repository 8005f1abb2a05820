package bench

import (
	"context"
	"math"
	"time"

	"github.com/alignpipe/alignpipe/internal/pipeline"
)

// nearBest is the throughput, as a share of the best, from which on more in flight only waits longer.
const nearBest = 0.97

// defaultBatchBases is that of package pipeline: sweeps go up and down from it.
const defaultBatchBases = 256 << 10

// InFlightPoint is what one limit of batches in flight gives.
type InFlightPoint struct {
	Limit     int    `json:"in_flight_limit"`
	Rate      Figure `json:"reads_per_second"`
	Inside    Figure `json:"batches_in_flight_mean"`   // L
	Residence Figure `json:"batch_residence_seconds"`  // W: from the parser until it is mapped
	Batches   Figure `json:"batches_per_second"`       // X
	Little    Figure `json:"little_batches_in_flight"` // X times W
	Residual  Figure `json:"little_residual"`          // of X W against L, as a share of L
}

// InFlightSweep shows what more batches in flight give, and what they cost.
type InFlightSweep struct {
	Points []InFlightPoint `json:"points"`
	// Knee is the smallest limit within 3 % of the best throughput: less starves workers, more only
	// makes batches wait.
	Knee int `json:"knee_in_flight_limit"`
}

// rounds calls once for every round, until there were as many as wanted, or time is up: a busy machine gets
// fewer, but as many as least.
func rounds(most, least int, limit time.Duration, once func(round int) error) error {
	begin := time.Now()
	for i := range most {
		if i >= least && time.Since(begin) > limit {
			return nil
		}
		if err := once(i); err != nil {
			return err
		}
	}
	return nil
}

// measureInFlight goes through the limits again and again, so that slow changes of the machine
// meet all alike.
func measureInFlight(ctx context.Context, r *runner, limits []int, repeats int) (InFlightSweep, error) {
	lines, err := sweep(ctx, r, len(limits), repeats, func(i int) how {
		return how{tune: pipeline.Tuning{InFlight: limits[i], FixedSplit: true}}
	})
	if err != nil {
		return InFlightSweep{}, err
	}
	var out InFlightSweep
	for i, limit := range limits {
		out.Points = append(out.Points, inFlightPoint(limit, lines[i]))
	}
	out.Knee = out.Points[knee(rates(out.Points))].Limit
	return out, nil
}

// sweep runs every point of a sweep in turn, repeats times, on the first file: pairs are held for a
// while for their insert size.
func sweep(ctx context.Context, r *runner, points, repeats int, point func(i int) how) ([][]*line, error) {
	lines := make([][]*line, points)
	err := rounds(repeats, 1, r.stepTime, func(int) error {
		for i := range points {
			h := point(i)
			h.order, h.single = pipeline.SortNone, true
			l, err := r.line(ctx, h)
			if err != nil {
				return err
			}
			lines[i] = append(lines[i], l)
		}
		return nil
	})
	return lines, err
}

// figures takes one number of each run.
func figures(lines []*line, of func(*line) float64) Figure {
	values := make([]float64, len(lines))
	for i, l := range lines {
		values[i] = of(l)
	}
	return figureOf(values)
}

func inFlightPoint(limit int, lines []*line) InFlightPoint {
	inside := func(l *line) float64 { return l.result.Flight.MeanInside }
	stay := func(l *line) float64 { return l.result.Flight.MeanStayNS / 1e9 }
	rate := func(l *line) float64 {
		return float64(l.result.Flight.Left) / max(float64(l.result.Flight.SpanNS)/1e9, 1e-9)
	}
	little := func(l *line) float64 { return rate(l) * stay(l) }
	return InFlightPoint{Limit: limit, Rate: figures(lines, (*line).rate), Inside: figures(lines, inside),
		Residence: figures(lines, stay), Batches: figures(lines, rate), Little: figures(lines, little),
		Residual: figures(lines, func(l *line) float64 { return off(little(l), inside(l)) })}
}

// off is the difference of a value from a reference, as a share of that.
func off(value, reference float64) float64 {
	if reference == 0 {
		return 0
	}
	return (value - reference) / reference
}

func rates(points []InFlightPoint) []float64 {
	out := make([]float64, len(points))
	for i, p := range points {
		out[i] = p.Rate.Median
	}
	return out
}

// knee is the first of the throughputs that is near the best.
func knee(rates []float64) int {
	best := math.Inf(-1)
	for _, r := range rates {
		best = max(best, r)
	}
	for i, r := range rates {
		if r >= nearBest*best {
			return i
		}
	}
	return 0
}

// BatchPoint is what one size of batches gives.
type BatchPoint struct {
	Bases       int    `json:"batch_bases"`
	Batches     int    `json:"batches"`
	Rate        Figure `json:"reads_per_second"`
	FirstOutput Figure `json:"first_output_seconds"` // from the start to the first block written
}

// batchBases is a size as a power of two times the default.
func batchBases(power int) int { return int(float64(defaultBatchBases) * math.Pow(2, float64(power))) }

// measureBatches goes through sizes that are powers of two times the default.
func measureBatches(ctx context.Context, r *runner, powers []int, repeats int) ([]BatchPoint, error) {
	lines, err := sweep(ctx, r, len(powers), repeats, func(i int) how {
		return how{tune: pipeline.Tuning{BatchBases: batchBases(powers[i]), FixedSplit: true}}
	})
	if err != nil {
		return nil, err
	}
	var out []BatchPoint
	for i, ls := range lines {
		out = append(out, BatchPoint{Bases: batchBases(powers[i]), Batches: ls[0].batches(), Rate: figures(ls, (*line).rate),
			FirstOutput: figures(ls, (*line).firstOutput)})
	}
	return out, nil
}
