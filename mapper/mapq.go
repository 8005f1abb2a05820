package mapper

import "math"

// mapqSingle is bwa-mem's estimate for one alignment (mem_approx_mapq_se): it grows with
// the lead over the next best place and falls with divergence.
func mapqSingle(a *alignment, unseen int) int {
	lead := a.score - max(a.sub, unseen)
	if max(a.sub, unseen) == 0 {
		lead = a.aligned - (seedK - 1)
	}
	if lead <= 0 {
		return 0
	}
	l := max(a.qe-a.qb, int(a.end-a.pos))
	identity := 1 - float64(l*matchScore-a.aligned)/float64(matchScore+mismatchCost)/float64(l)
	t := lengthFactor(l) * identity * identity
	q := int(6.02*float64(lead)/matchScore*t*t + .499)
	if a.subN > 0 {
		q -= int(4.343*math.Log(float64(a.subN+1)) + .499)
	}
	return min(max(q, 0), maxMapQ)
}

// rawMapQ turns a score difference into a Phred scale.
func rawMapQ(diff int) int { return int(6.02*float64(diff)/matchScore + .499) }

// mapqPaired is bwa-mem's estimate for a mate whose pair won (mem_sam_pe): the pair lifts
// a mate that alone is uncertain, by at most 40.
func mapqPaired(single, pair int) int {
	return min(max(single, min(pair, single+40)), maxMapQ)
}

// mapqPair is the estimate for the pair itself.
func mapqPair(best, second, close int) int {
	q := rawMapQ(best - second)
	if close > 0 {
		q -= int(4.343*math.Log(float64(close+1)) + .499)
	}
	return min(max(q, 0), maxMapQ)
}

// lengthFactor weighs down the lead of long alignments.
func lengthFactor(l int) float64 {
	if l < len(lengthFactors) {
		return lengthFactors[l]
	}
	return computeLengthFactor(l)
}

func computeLengthFactor(l int) float64 {
	const coefLen = 50
	if l < coefLen {
		return 1
	}
	return math.Log(coefLen) / math.Log(float64(l))
}

var lengthFactors = func() (t [maxPacked + 1]float64) {
	for l := range t {
		t[l] = computeLengthFactor(l)
	}
	return t
}()

// lagSlack is added to what MAPQ needs, since candidates are left out by bounds that hold for
// the usual case only.
const lagSlack = 2

// sureScore is the lead with which a perfect read of n bases has the largest MAPQ.
func sureScore(n int) int {
	t := lengthFactor(n)
	return int(math.Ceil((maxMapQ - .5) / (6.02 * t * t)))
}
