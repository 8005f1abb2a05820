package pipeline

import (
	"runtime/metrics"
	"time"

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
	MemoryBytes int64 // the budget
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

// timed runs one phase; stages tells, at its end, what the stages did in it.
func (r *run) timed(name string, startup bool, step func() error, stages func() []meter.Snapshot) error {
	c := startClock()
	err := step()
	r.phases = append(r.phases, Phase{Name: name, Startup: startup, Wall: time.Since(c.wall),
		CPU: processCPU() - c.cpu, RuntimeCPU: collectorCPU() - c.inner, Stages: stages()})
	return err
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

func noStages() []meter.Snapshot { return nil }

// streamStages are those of the first half, and what the others did in it, as merging
// runs early when there are many.
func (r *run) streamStages() []meter.Snapshot {
	r.early = meter.Snapshots(r.stages.Final()...)
	return append(meter.Snapshots(r.stages.Stream()...), working(r.early)...)
}

// finalStages are those of the second half, less what they did in the first. What the first
// half's stages do after it, the last sort of the slabs above all, counts here.
func (r *run) finalStages() []meter.Snapshot {
	late := meter.Snapshots(r.stages.Stream()...)
	for i, s := range r.phases[len(r.phases)-1].Stages[:len(late)] {
		late[i] = late[i].Sub(s)
	}
	final := meter.Snapshots(r.stages.Final()...)
	for i, s := range r.early {
		final[i] = final[i].Sub(s)
	}
	return append(working(late), final...)
}

func working(all []meter.Snapshot) []meter.Snapshot {
	var out []meter.Snapshot
	for _, s := range all {
		if s.LifetimeNS > 0 {
			out = append(out, s)
		}
	}
	return out
}

func (r *run) result() *Result {
	return &Result{
		Threads: r.cfg.Threads, Paired: r.cfg.paired(), Sum: r.reader.Sum(),
		Records: r.counts.records, Primary: r.counts.reads, Mapped: r.counts.mapped, Proper: r.counts.proper,
		Skipped: r.reader.Skipped(), Insert: r.params.Insert, Sort: r.sorted,
		MemoryBytes: r.plan.total, IndexBytes: r.plan.index, Phases: r.phases, Queues: r.queues,
	}
}
