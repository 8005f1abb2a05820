package bench

import (
	"context"
	"sync/atomic"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// line is one run of the pipeline seen as a line without an end in the middle: --sort none.
type line struct {
	result  *pipeline.Result
	openNS  int64 // when the reads were opened, by the clock of meter.Now: reading ahead begins
	startNS int64 // when the parser took the first batch
	stages  map[string]meter.Snapshot
	bases   float64 // of a read, on average
}

// line runs the pipeline and keeps when it began.
func (r *runner) line(ctx context.Context, h how) (*line, error) {
	watch := &watchFS{FS: r.cfg.FS, name: r.work.files[0]}
	on := *r
	cfg := *r.cfg
	cfg.FS = watch
	on.cfg = &cfg
	result, err := on.run(ctx, h)
	if err != nil {
		return nil, err
	}
	return &line{result: result, openNS: watch.openNS.Load(), startNS: result.Flight.FirstNS, stages: sumStages(result), bases: r.work.ReadBases}, nil
}

// watchFS notes when a file is opened for the first time.
type watchFS struct {
	vfs.FS
	name   string
	openNS atomic.Int64
}

func (w *watchFS) Open(name string) (vfs.File, error) {
	if name == w.name {
		w.openNS.CompareAndSwap(0, int64(meter.Now()))
	}
	return w.FS.Open(name)
}

// sumStages adds up what the stages did in all phases.
func sumStages(r *pipeline.Result) map[string]meter.Snapshot {
	sum := map[string]meter.Snapshot{}
	for _, p := range r.Phases {
		for _, s := range p.Stages {
			sum[s.Name] = addSnapshots(sum[s.Name], s)
		}
	}
	return sum
}

func addSnapshots(a, b meter.Snapshot) meter.Snapshot {
	b.Items += a.Items
	b.BytesIn += a.BytesIn
	b.BytesOut += a.BytesOut
	b.Batches += a.Batches
	b.Calls += a.Calls
	b.LifetimeNS += a.LifetimeNS
	b.CPUNS += a.CPUNS
	for i := range b.WaitNS {
		b.WaitNS[i] += a.WaitNS[i]
	}
	return b
}

// seconds is the time from the start to the last block given to the output: what the disk needs
// to make it durable is left out.
func (l *line) seconds() float64 {
	return max(float64(l.stages[meter.NameWrite].LastNS-l.startNS)/1e9, 1e-9)
}

// rate is the throughput in reads per second.
func (l *line) rate() float64 { return float64(l.result.Primary) / l.seconds() }

// firstOutput is the time until the first block was given to the output.
func (l *line) firstOutput() float64 {
	return float64(l.stages[meter.NameWrite].FirstNS-l.startNS) / 1e9
}

// batches is how many there were.
func (l *line) batches() int { return int(l.result.Flight.Left) }
