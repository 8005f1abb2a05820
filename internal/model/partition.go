package model

import "slices"

// Partition cuts costs into k contiguous parts, none empty, so that the most expensive part costs as
// little as possible: layers for stages, or steps for workers. It returns where each part ends
// (exclusive) and the cost of the most expensive one, and fails unless 1 <= k <= len(costs). Time and
// memory grow with k * len(costs), the time by a further logarithm.
func Partition(costs []float64, k int) (ends []int, most float64, err error) {
	n := len(costs)
	if k < 1 || k > n {
		return nil, 0, wrong("stages", "%d parts of %d costs", k, n)
	}
	if n > MaxWork/k {
		return nil, 0, wrong("stages", "%d costs in %d parts; their product may be %d at most", n, k, MaxWork)
	}
	sums := make([]float64, n+1)
	for i, c := range costs {
		if err := inRange("costs", c, maxSeconds); err != nil {
			return nil, 0, err
		}
		sums[i+1] = sums[i] + c
	}
	best := sums[1:] // best[i]: the least for the first i+1 costs in the parts so far
	starts := make([][]int32, k)
	for part := 1; part < k; part++ {
		best, starts[part] = addPart(best, sums, part)
	}
	ends = make([]int, k)
	end := n
	for part := k - 1; part >= 0; part-- {
		ends[part] = end
		if part > 0 {
			end = int(starts[part][end-1])
		}
	}
	return ends, best[n-1], nil
}

// addPart lets the last of part+1 parts start where that is best, for each number of costs.
func addPart(best, sums []float64, part int) (with []float64, starts []int32) {
	n := len(best)
	with, starts = slices.Clone(best), make([]int32, n)
	for i := part; i < n; i++ {
		// With a later start the parts before cost more and the last costs less: the best start is
		// where they cross, or just before.
		lo, hi := part, i
		for lo < hi {
			mid := (lo + hi) / 2
			if best[mid-1] >= sums[i+1]-sums[mid] {
				hi = mid
			} else {
				lo = mid + 1
			}
		}
		start, cost := lo, max(best[lo-1], sums[i+1]-sums[lo])
		if before := lo - 1; before >= part {
			if c := max(best[before-1], sums[i+1]-sums[before]); c < cost {
				start, cost = before, c
			}
		}
		with[i], starts[i] = cost, int32(start)
	}
	return with, starts
}
