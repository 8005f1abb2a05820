package verdict

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/model"
)

// inFlightLine is a parser and mappers that share a number of batches.
func inFlightLine(rng *rand.Rand, threads int) model.Line {
	spread := rng.Float64()
	st := func(name string, workers int, mean float64) model.Stage {
		s := model.Stage{Name: name, Workers: workers, Queue: 2 * threads, Resource: "cores"}
		for range 64 {
			s.Samples = append(s.Samples, mean*(1-spread+spread*rng.ExpFloat64()))
		}
		return s
	}
	return model.Line{Items: 400 + rng.IntN(400), Seed: rng.Uint64(), InFlight: 1 + rng.IntN(2*threads+4),
		Resources: []model.Resource{{Name: "cores", Kind: model.Cores, Capacity: float64(threads)}},
		Stages:    []model.Stage{st(meter.NameParse, 1, 0.002+0.01*rng.Float64()), st(meter.NameMap, threads, 0.01*float64(threads))}}
}

func TestTooFewBatchesInFlightAreNamed(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 9))
	var decisive, right int
	var errs []float64
	for range 300 {
		s := simulated{threads: []int{2, 4, 8}[rng.IntN(3)]}
		s.phases = []model.Line{inFlightLine(rng, s.threads)}
		load, wall := s.measure(t)
		n := s.phases[0].InFlight
		load.Phases[0].InFlight = n
		more := relaxation{[]string{KnobInFlight}, Change{InFlight: 2 * n}, func(l *model.Line) { l.InFlight *= 2 }}
		best := map[bool]float64{} // by whether it is of more batches in flight
		for _, r := range append(s.relaxations(), more) {
			f, err := load.Forecast(r.change)
			if err != nil {
				t.Fatal(err)
			}
			_, truth := s.with(r).measure(t)
			errs = append(errs, math.Abs(truth/f.WallSeconds-1))
			if r.knobs[0] != StageKnob(meter.NameMap) { // the same as cores
				best[r.knobs[0] == KnobInFlight] = max(best[r.knobs[0] == KnobInFlight], wall/truth)
			}
		}
		if max(best[true], best[false]) > 1.05 && math.Abs(best[true]-best[false]) > 0.05 {
			decisive++
			right += count((Classify(load).Limits[0].Knob == KnobInFlight) == (best[true] > best[false]))
		}
	}
	t.Logf("told whether batches in flight are the limit: %d of %d; forecasts p50 %.1f %%, p95 %.1f %%", right, decisive, 100*quantile(errs, 0.5), 100*quantile(errs, 0.95))
	atMost(t, "limits wrong", 1-float64(right)/float64(decisive), 0.01)
	atMost(t, "p95 of forecasts", quantile(errs, 0.95), 0.08)
}
