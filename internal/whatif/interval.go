package whatif

import "math"

// interval is half the width of the interval that holds nine of ten runs, as a share of the speed-up. Both
// figures are from runs of benchmarks/verdict in which the knob was really turned: what repeats of a run
// differ by, and what forecasts miss of an effect.
func interval(speedup float64) float64 {
	const noise, miss = 0.04, 0.15
	return noise + miss*math.Abs(math.Log(speedup))
}
