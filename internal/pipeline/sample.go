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
	// samplePairs, sampleBases and sampleBytes (names, comments, bases and qualities) bound the pairs that the
	// insert size is estimated from, whichever comes first. They are held back until that is done, so more
	// would cost memory in every run of pairs.
	samplePairs = mapper.InsertSamplePairs
	sampleBases = 2 << 20
	sampleBytes = 5 << 20
)

// sample holds back the first batches of pairs, estimates the insert size from them, and returns them.
// The sample depends on the input alone.
func (r *run) sample(ctx context.Context, in *meter.Queue[*reader.Batch]) ([]*reader.Batch, error) {
	var held, sample []*reader.Batch
	var n sampled
	for !n.enough() {
		b, ok, err := in.Recv(ctx)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		held = append(held, b)
		sample = append(sample, n.take(b))
	}
	me := r.stages.Map.Enter()
	defer me.Exit()
	r.params.Insert = mapper.EstimateInsert(r.index, r.params, sample)
	return held, nil
}

// sampled counts what is in the sample.
type sampled struct{ pairs, bases, bytes int }

func (n *sampled) enough() bool {
	return n.pairs >= samplePairs || n.bases >= sampleBases || n.bytes >= sampleBytes
}

// take returns the part of a batch that belongs to the sample. Where that ends does not depend on where
// batches do.
func (n *sampled) take(b *reader.Batch) *reader.Batch {
	for i := 0; i+1 < len(b.Reads); i += 2 {
		if n.enough() {
			part := *b
			part.Reads = b.Reads[:i]
			return &part
		}
		n.pairs++
		for _, r := range b.Reads[i : i+2] {
			n.bases += len(r.Seq)
			n.bytes += len(r.Name) + len(r.Comment) + len(r.Seq) + len(r.Qual)
		}
	}
	return b
}

// inFlight is how many batches exist at once: those a sample may hold, the ones in work,
// and a few queued, so that nobody waits for a batch to come back.
func inFlight(cfg *Config) int {
	n := max(2*cfg.Threads+4, cfg.Tuning.InFlight)
	if cfg.paired() {
		n += sampleBases/cfg.Tuning.batchBases() + 1
		if cfg.Tuning.BatchBases > 0 { // batches that are full of long names are more
			n += sampleBytes/cfg.Tuning.BatchBases + 2
		}
	}
	return n
}
