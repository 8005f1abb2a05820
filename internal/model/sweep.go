package model

// maxSweep bounds the simulations of a sweep together, in items times stages.
const maxSweep = 2 * MaxWork

// BestBatch tries each batch from 1 to most in a stage, and returns the one with the shortest
// makespan, the smallest of equals. It refuses a sweep that would take long.
func BestBatch(l Line, stage, most int) (batch int, makespanSeconds float64, err error) {
	return bestBatch(l, stage, most, maxSweep)
}

func bestBatch(l Line, stage, most, budget int) (batch int, makespanSeconds float64, err error) {
	if err := l.validate(); err != nil {
		return 0, 0, err
	}
	if stage < 0 || stage >= len(l.Stages) {
		return 0, 0, wrong("stages", "there is no stage %d", stage)
	}
	most = min(most, l.Items)
	if most < 1 {
		return 0, 0, wrong("batch", "%d; at least 1 must be allowed", most)
	}
	if work := l.Items * len(l.Stages); most > budget/work {
		return 0, 0, wrong("batch", "%d batches of %d items in %d stages are too many to try", most, l.Items, len(l.Stages))
	}
	stages := append([]Stage(nil), l.Stages...)
	l.Stages = stages
	for b := 1; b <= most; b++ {
		stages[stage].Batch = b
		r, err := Simulate(l)
		if err != nil {
			return 0, 0, err
		}
		if batch == 0 || r.MakespanSeconds < makespanSeconds {
			batch, makespanSeconds = b, r.MakespanSeconds
		}
	}
	return batch, makespanSeconds, nil
}
