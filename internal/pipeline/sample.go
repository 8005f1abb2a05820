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

// sampler holds back the first batches of pairs, estimates the insert size from them, and
// then passes everything on in order. The sample depends on the input alone.
type sampler struct {
	in, out *meter.Queue[*reader.Batch]
	stage   *meter.Stage // that the estimate counts for
	ix      *mapper.Index
	params  *mapper.Params // set before the first batch goes out
}

func (s *sampler) run(ctx context.Context) error {
	held, err := s.hold(ctx)
	if err != nil {
		return err
	}
	me := s.stage.Enter()
	s.params.Insert = mapper.EstimateInsert(s.ix, *s.params, held)
	me.Exit()
	for _, b := range held {
		if err := s.out.Send(ctx, b); err != nil {
			return err
		}
	}
	for {
		b, ok, err := s.in.Recv(ctx)
		if !ok || err != nil {
			return err
		}
		if err := s.out.Send(ctx, b); err != nil {
			return err
		}
	}
}

func (s *sampler) hold(ctx context.Context) ([]*reader.Batch, error) {
	var held []*reader.Batch
	pairs, bases := 0, 0
	for pairs < samplePairs && bases < sampleBases {
		b, ok, err := s.in.Recv(ctx)
		if !ok || err != nil {
			return held, err
		}
		held = append(held, b)
		pairs += b.Templates()
		bases += b.Bases
	}
	return held, nil
}

// inFlight is how many batches exist at once: those a sample may hold, the ones in work,
// and a few queued, so that nobody waits for a batch to come back.
func inFlight(paired bool, threads int) int {
	n := 2*threads + 4
	if paired {
		n += sampleBases/batchBases + 1
	}
	return n
}
