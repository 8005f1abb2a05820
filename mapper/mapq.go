package mapper

import "math"

// mapqSingle is bwa-mem's estimate for one alignment (mem_approx_mapq_se): it grows with
// the lead over the next best place and falls with divergence.
func mapqSingle(a *alignment, unseen int) int {
	sub := max(a.sub, unseen)
	if sub == 0 {
		sub = seedK - 1
	}
	if a.score <= sub {
		return 0
	}
	l := max(a.qe-a.qb, int(a.end-a.pos))
	identity := 1 - float64(l*matchScore-a.score)/float64(matchScore+mismatchCost)/float64(l)
	const coefLen = 50
	t := 1.0
	if l >= coefLen {
		t = math.Log(coefLen) / math.Log(float64(l))
	}
	t *= identity * identity
	q := int(6.02*float64(a.score-sub)/matchScore*t*t + .499)
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
