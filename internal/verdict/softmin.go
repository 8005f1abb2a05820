package verdict

import "math"

// The throughput of a line of stations with bounds B_r lies under min(B_r), and the more so the more
// variable they are and the smaller the queues: X = (sum B_r^-p)^(-1/p). With utilisation U_r = X/B_r that
// reads sum U_r^p = 1, which fixes p from the measurement; the elasticity of X by B_r is then U_r^p.
const (
	leastExponent = 1.0
	mostExponent  = 256.0 // there, 97 % busy counts for nothing beside 100 %
)

// fit returns the exponent that explains the utilisations, and the share of the time that no
// resource explains: above 0 when even p = 1 gives less than 1.
func fit(limits []Limit) (p, unexplained float64) {
	sum := powerSum(limits, leastExponent)
	if sum <= 1 {
		return leastExponent, 1 - sum
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
	return p, 0
}

// unexplained is the part of a phase in which no resource was busy.
const unexplained = "unexplained"

// elasticities divides the phase among its resources.
func elasticities(limits []Limit) []Limit {
	p, rest := fit(limits)
	sum := powerSum(limits, p)
	for i := range limits {
		limits[i].Elasticity = math.Pow(limits[i].Utilisation, p) / max(1, sum)
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
