package verdict

import "math"

// The throughput of a line of stations with bounds B_r lies under min(B_r), and the more so the more
// variable they are and the smaller the queues: X = (sum B_r^-p)^(-1/p). With utilisation U_r = X/B_r that
// reads sum U_r^p = 1, which fixes p from the measurement; the elasticity of X by B_r is then U_r^p.
//
// A run whose first resource was busy for 95 % of the time, and another for half of it, would have p = 4 by
// that. Turning the knobs of such runs (benchmarks/verdict) shows that their queues decouple them better: what is
// missing to 100 % are the ends of the phase, which grow and shrink with it. So p is no less than leastExponent,
// and the sum is brought to 1 by a factor.
const (
	leastExponent = 3.0
	mostExponent  = 256.0 // there, 97 % busy counts for nothing beside 100 %
)

// fit returns the exponent that explains the utilisations, and the share of the time that no
// resource explains: above 0 when they do not add up to 1.
func fit(limits []Limit) (p, unexplained float64) {
	unexplained = max(0, 1-powerSum(limits, 1))
	if powerSum(limits, leastExponent) <= 1 {
		return leastExponent, unexplained
	}
	lo, hi := leastExponent, mostExponent
	for range 50 {
		p = (lo + hi) / 2
		if powerSum(limits, p) > 1 {
			lo = p
		} else {
			hi = p
		}
	}
	return p, unexplained
}

// unexplained is the part of a phase in which no resource was busy.
const unexplained = "unexplained"

// elasticities divides the phase among its resources.
func elasticities(limits []Limit) []Limit {
	p, rest := fit(limits)
	sum := powerSum(limits, p)
	for i := range limits {
		limits[i].Elasticity = math.Pow(limits[i].Utilisation, p) / max(sum, math.SmallestNonzeroFloat64) * (1 - rest)
	}
	if rest > 0 {
		limits = append(limits, Limit{Class: Undetermined, Stage: unexplained, Knob: unexplained, Elasticity: rest})
	}
	return limits
}

// stretch is by how much the phase takes longer when the utilisations at its old speed become these.
func stretch(before, after []Limit) float64 {
	p, rest := fit(before)
	return rest + math.Pow(powerSum(after, p)/max(powerSum(before, p), math.SmallestNonzeroFloat64), 1/p)*(1-rest)
}

func powerSum(limits []Limit, p float64) float64 {
	var sum float64
	for _, l := range limits {
		sum += math.Pow(l.Utilisation, p)
	}
	return sum
}
