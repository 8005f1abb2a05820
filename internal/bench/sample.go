package bench

import (
	"bytes"
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/mapper"
	"github.com/alignpipe/alignpipe/reader"
)

// sample are the first reads, in memory, for the work of one core.
type sample struct {
	texts [][]byte // FASTQ: one, or one for each mate
	reads int
}

var errNoReads = pipeline.Misuse("give files with reads", "there are no reads to measure with")

func takeSample(ctx context.Context, src source, reads int) (*sample, error) {
	templates, files := reads, 1
	if src.paired() {
		templates, files = reads/2, 2
	}
	one, two, n, err := src.take(ctx, nil, nil, templates)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, errNoReads
	}
	return &sample{texts: [][]byte{one, two}[:files], reads: n * files}, nil
}

// interleaved has the mates in turn.
func (s *sample) interleaved() []byte {
	if len(s.texts) == 1 {
		return s.texts[0]
	}
	one, two := s.texts[0], s.texts[1]
	out := make([]byte, 0, len(one)+len(two))
	for len(one) > 0 {
		a, b := fourLines(one), fourLines(two)
		out = append(append(out, one[:a]...), two[:b]...)
		one, two = one[a:], two[b:]
	}
	return out
}

// meanBases is the mean length of the first file's reads.
func (s *sample) meanBases() float64 {
	text, bases, n := s.texts[0], 0, 0
	for ; len(text) > 0; n++ {
		name := bytes.IndexByte(text, '\n') + 1
		bases += bytes.IndexByte(text[name:], '\n')
		text = text[fourLines(text):]
	}
	return float64(bases) / float64(max(n, 1))
}

// first returns the text of the first file's first reads: about as many bases as asked for, or all.
func (s *sample) first(bases int) []byte {
	text := s.texts[0]
	for at := 0; at < len(text); at += fourLines(text[at:]) {
		if bases <= 0 {
			return text[:at]
		}
		name := bytes.IndexByte(text[at:], '\n') + 1
		bases -= bytes.IndexByte(text[at+name:], '\n')
	}
	return text
}

// fourLines is the length of the first record.
func fourLines(text []byte) int {
	n := 0
	for range 4 {
		n += bytes.IndexByte(text[n:], '\n') + 1
	}
	return n
}

// parsed reads the sample through the reader, from memory, and keeps all batches. They are the
// caller's to release. It fails where their memory cannot be bounded, never for their content.
func parsed(ctx context.Context, data []byte, reads, batchBases int, paired bool, inflated, parse *meter.Stage) (batches []*reader.Batch, err error) {
	cfg := reader.Config{Paths: []string{pipeline.Stdio}, Stdin: bytes.NewReader(data), Interleaved: paired,
		BatchBases: batchBases, InFlight: len(data)/batchBases + reads/1000 + 8, InflateWorkers: 1, InflateAlone: true,
		InflateStage: inflated, ParseStage: parse}
	r, err := reader.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	queue := meter.NewQueue[*reader.Batch](cfg.InFlight, parse, nil)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { defer queue.Close(); return r.Run(ctx, queue) })
	for {
		b, ok, err := queue.Recv(ctx)
		if err != nil || !ok {
			break
		}
		batches = append(batches, b)
	}
	return batches, g.Wait()
}

func releaseAll(batches []*reader.Batch) {
	for _, b := range batches {
		b.Release()
	}
}

// record is a mapped read as the sorter takes it.
type record struct {
	data     []byte
	ref, pos int32
	reverse  bool
	ord      uint64
}

// mapped is the sample after the mapper.
func mapped(ix *mapper.Index, p mapper.Params, batches []*reader.Batch) ([]record, error) {
	var out []record
	w := mapper.NewWorker(ix, p)
	for _, b := range batches {
		err := w.Map(b, func(rec []byte, ref, pos int32, reverse bool, ord uint64) error {
			out = append(out, record{append([]byte(nil), rec...), ref, pos, reverse, ord})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
