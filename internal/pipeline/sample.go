package pipeline

import (
	"context"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/mapper"
	"github.com/alignpipe/alignpipe/reader"
)

const (
	// batchBases is the size of a batch: some 870 pairs of 150 bases, tens of
	// milliseconds of mapping. Larger ones cost memory and balance worse at the end.
	batchBases = 256 << 10
	// samplePairs and sampleBases bound the pairs that the insert size is estimated
	// from, whichever comes first. They are held back until that is done, so more
	// would cost memory in every run of pairs.
	samplePairs = mapper.InsertSamplePairs
	sampleBases = 2 << 20
)

// sample holds back the first batches of pairs, estimates the insert size from them, and returns them.
// The sample depends on the input alone.
func (r *run) sample(ctx context.Context, in *meter.Queue[*reader.Batch]) ([]*reader.Batch, error) {
	var held []*reader.Batch
	pairs, bases := 0, 0
	for pairs < samplePairs && bases < sampleBases {
		b, ok, err := in.Recv(ctx)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		held = append(held, b)
		pairs += b.Templates()
		bases += b.Bases
	}
	me := r.stages.Map.Enter()
	defer me.Exit()
	r.params.Insert = mapper.EstimateInsert(r.index, r.params, held)
	return held, nil
}

// inFlight is how many batches exist at once: those a sample may hold, the ones in work,
// and a few queued, so that nobody waits for a batch to come back.
func inFlight(cfg *Config) int {
	n := max(2*cfg.Threads+4, cfg.Tuning.InFlight)
	if cfg.paired() {
		n += sampleBases/cfg.Tuning.batchBases() + 1
	}
	return n
}
