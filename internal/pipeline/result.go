package pipeline

import (
	"runtime/metrics"
	"slices"
	"time"

	"github.com/alignpipe/alignpipe/internal/markdup"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/readsum"
	"github.com/alignpipe/alignpipe/mapper"
	"github.com/alignpipe/alignpipe/sorter"
)

// Result is what a run that went well did.
type Result struct {
	Threads     int
	Paired      bool
	Sum         readsum.Sum // of the input, and equally of the output
	Records     int64       // in the output, supplementary ones included
	Primary     int64       // primary records in the output
	Mapped      int64       // of those, with a place
	Proper      int64       // of those, in proper pairs
	Skipped     int64       // bad reads that were left out
	Insert      mapper.InsertSize
	Sort        sorter.Stats
	Duplicates  *markdup.Metrics // nil where they were not looked for
	MemoryBytes int64            // the budget
	IndexBytes  int64
	Phases      []Phase
	Queues      []meter.QueueSnapshot
}

// Phase is a stretch of the run in which the same stages ran side by side.
type Phase struct {
	Name       string
	Wall       time.Duration
	Startup    bool
	CPU        time.Duration // of the process
	RuntimeCPU time.Duration // of that, the garbage collector's
	Stages     []meter.Snapshot
}

// clock begins a phase.
type clock struct {
	wall       time.Time
	cpu, inner time.Duration
}

func startClock() clock { return clock{time.Now(), processCPU(), collectorCPU()} }

// timed runs one phase of the reads, which stages belong to.
func (r *run) timed(name string, step func() error, stages ...*meter.Stage) error {
	c := startClock()
	err := step()
	p := c.phase(name)
	p.Stages = r.since(stages...)
	r.phases = append(r.phases, p)
	return err
}

// phase ends one.
func (c clock) phase(name string) Phase {
	return Phase{Name: name, Wall: time.Since(c.wall), CPU: processCPU() - c.cpu, RuntimeCPU: collectorCPU() - c.inner}
}

func processCPU() time.Duration {
	user, system := meter.CPUNow()
	return user + system
}

func collectorCPU() time.Duration {
	sample := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindFloat64 {
		return 0
	}
	return time.Duration(sample[0].Value.Float64() * float64(time.Second))
}

// since is what each stage did since the last call, in pipeline order: those of the phase
// that ends now, and the others where they worked too. Merging runs early when there are
// many, and the last slabs are sorted after the first half.
func (r *run) since(phase ...*meter.Stage) []meter.Snapshot {
	all := append(r.stages.Stream(), r.stages.Final()...)
	now := meter.Snapshots(all...)
	if r.before == nil {
		r.before = make([]meter.Snapshot, len(all))
	}
	var out []meter.Snapshot
	for i, s := range now {
		if s = s.Sub(r.before[i]); s.LifetimeNS > 0 || slices.Contains(phase, all[i]) {
			out = append(out, s)
		}
	}
	r.before = now
	return out
}

func (r *run) result() *Result {
	var duplicates *markdup.Metrics
	if r.duplicates != nil {
		duplicates = &r.duplicates.Metrics
	}
	return &Result{
		Duplicates: duplicates,
		Threads:    r.cfg.Threads, Paired: r.cfg.paired(), Sum: r.reader.Sum(),
		Records: r.counts.records, Primary: r.counts.reads, Mapped: r.counts.mapped, Proper: r.counts.proper,
		Skipped: r.reader.Skipped(), Insert: r.params.Insert, Sort: r.stats,
		MemoryBytes: r.plan.total, IndexBytes: r.plan.index, Phases: r.phases, Queues: r.queues,
	}
}
