package whatif

import "math"

// interval is half the width of the interval that holds nine of ten runs, as a share of the speed-up. The
// figures are chosen so that it holds nine in ten of the forecasts in benchmarks/results/verdict.jsonl, whose knobs
// were really turned.
func interval(speedup float64) float64 {
	const noise, miss = 0.07, 0.40
	return noise + miss*math.Abs(math.Log(speedup))
}
