package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/markdup"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/report"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/mapper"
	"github.com/alignpipe/alignpipe/reader"
	"github.com/alignpipe/alignpipe/sorter"
)

// stopGrace is how long a stopped run waits for its goroutines. One of them may sit in a
// read of a fifo that nobody writes; the program has two seconds in all.
const stopGrace = time.Second

// Run maps reads and writes them in the order asked for. When it returns nil, the output is whole, holds
// every read, and is durable; otherwise there is nothing under the final names that was
// not there before. [ExitCode] and [Hint] say what to make of an error.
//
// When ctx ends, Run returns within about a second, with ctx's error, even if a stage is
// stuck in a device; its goroutines may then still exist, and the process should end.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if err := cfg.normalise(); err != nil {
		return nil, err
	}
	r := &run{cfg: &cfg}
	done := make(chan error, 1)
	go func() { done <- r.whole(ctx) }()
	select {
	case err := <-done:
		return r.outcome(err)
	case <-ctx.Done():
	}
	timer := time.NewTimer(stopGrace)
	defer timer.Stop()
	select {
	case err := <-done:
		return r.outcome(err)
	case <-timer.C:
		r.undo.filesOnly()
		return nil, ctx.Err()
	}
}

// run is the state of one run. Fields are set in the order of whole's steps.
type run struct {
	cfg        *Config
	stages     *meter.Set
	index      *mapper.Index
	params     mapper.Params
	reader     *reader.Reader
	plan       memoryPlan
	kind       bgzfout.IndexKind
	sink       output
	audit      *auditor           // made when the output begins
	duplicates *markdup.Decisions // nil where none are marked
	feeder     *meter.Stage       // whose goroutine feeds the sink
	flight     *meter.Flight      // of batches, from the parser to the mappers' release
	convoy     *convoy            // nil unless mappers are to wait for each other
	auto       *auto              // made when the mapping begins
	way        way
	counts     counts
	stats      sorter.Stats
	monitor    *monitor
	foresight  *foresight
	partners   *partners
	debt       *int64         // bytes of the output that were not on its device when the sync began; nil: not known
	outFd      func() uintptr // of the output where it is a stream; may be nil
	files      []report.FileRole
	queues     []meter.QueueSnapshot
	undo       undoList
}

func (r *run) outcome(err error) (*Result, error) {
	if err != nil {
		return nil, err
	}
	return r.result(), nil
}

// whole runs all steps and leaves nothing behind: no goroutine, no temporary file. What
// cannot be cleaned up is told; it neither makes a whole output a failure, nor hides why
// there is none.
func (r *run) whole(ctx context.Context) error {
	defer func() {
		if err := r.undo.all(); err != nil {
			r.cfg.Log.Warn("cleaning up", "error", err)
		}
	}()
	r.makeStages()
	r.monitor = newMonitor(r.stages, r.placeDevices(), r.cfg.Threads)
	r.undo.later(r.monitor.close)
	r.foresight, r.partners = newForesight(ctx, r), &partners{run: r}
	r.undo.later(r.foresight.close)
	r.monitor.watchers = append(r.monitor.watchers, r.partners.watch)
	if err := r.start(ctx); err != nil {
		return err
	}
	r.monitor.end(report.PhaseRun{Name: "startup", Startup: true}, nil)
	return r.way.work(ctx)
}

// way is how mapped records get into the output: by way of the sorter (sorted.go), or
// in the order of the input (unsorted.go).
type way interface {
	// open prepares what can fail before the work.
	open() error
	// work maps all reads, writes the records and finishes the output, phase by phase.
	work(ctx context.Context) error
}

func (r *run) chooseWay() way {
	if r.cfg.Sort == SortNone {
		r.feeder = r.stages.Order
		return &unsorted{run: r}
	}
	r.feeder = r.stages.Merge
	return &sorted{run: r}
}

// finish ends the output, whose records are complete and audited: what is left is the device's work.
func (r *run) finish(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.monitor.phase(report.PhaseRun{Name: "sync"}, func() error { return outputError(r.sink.finish()) }, r.stages.Sync)
}

// start prepares everything that can fail early: a wrong name or too little memory ends
// the run before any mapping.
func (r *run) start(ctx context.Context) error {
	cfg := r.cfg
	for _, path := range cfg.Reads {
		if path == Stdio {
			continue
		}
		if _, err := cfg.FS.Stat(path); err != nil {
			return fmt.Errorf("reads: %w", err)
		}
	}
	r.way = r.chooseWay()
	budget, err := cfg.budget()
	if err != nil {
		return err
	}
	if r.index, err = loadIndex(ctx, cfg, budget); err != nil {
		return err
	}
	r.undo.later(r.index.Close)
	stop := vfs.Ahead(r.index.Mapping())
	r.undo.later(func() error { stop(); return nil })
	if r.kind, err = r.indexKind(); err != nil {
		return err
	}
	if err := r.openReader(ctx, budget); err != nil {
		return err
	}
	restore := r.plan.apply()
	r.undo.later(func() error { restore(); return nil })
	cfg.Log.Info(r.plan.String(), "threads", cfg.Threads)
	r.params = mapper.DefaultParams()
	r.params.ReadGroup, r.params.Comments, r.params.Orientation = cfg.ReadGroup.ID, cfg.Comments, cfg.Orientation
	if r.sink, err = r.openSink(); err != nil {
		return outputError(err)
	}
	return r.way.open()
}

func (r *run) makeStages() {
	n := r.cfg.Threads
	r.stages = meter.NewSet(meter.SetConfig{
		ReadWorkers: len(r.cfg.Reads), InflateWorkers: n, MapWorkers: n, CollectWorkers: n, DeflateWorkers: n,
		InputPipe:  r.cfg.Reads[0] == Stdio || vfs.IsStream(r.cfg.FS, r.cfg.Reads[0]),
		OutputPipe: r.cfg.streams(),
	})
	r.cfg.Tuning.drag(r.stages)
	r.flight, r.convoy = new(meter.Flight), r.newConvoy()
}

// openReader plans the memory, too: where it is scarce, plain gzip is inflated with less.
func (r *run) openReader(ctx context.Context, budget int64) (err error) {
	cfg, rc := r.cfg, r.readerConfig()
	if r.plan, err = planMemory(budget, r.index.Bytes(), rc.MemoryBound(), cfg); err != nil {
		rc.InflateAlone = true
		r.plan, err = planMemory(budget, r.index.Bytes(), rc.MemoryBound(), cfg)
	}
	if err != nil {
		return err
	}
	r.monitor.beginReading()
	if r.reader, err = reader.Open(ctx, rc); err != nil {
		return err
	}
	r.undo.later(r.reader.Close)
	r.monitor.before = r.tellInflater
	return nil
}

func (r *run) readerConfig() reader.Config {
	cfg, st := r.cfg, r.stages
	return reader.Config{
		FS: cfg.FS, Paths: cfg.Reads, Stdin: cfg.Stdin, Interleaved: cfg.Interleaved, Comments: cfg.Comments,
		BatchBases: cfg.Tuning.batchBases(), InFlight: inFlight(cfg), InflateWorkers: cfg.Threads,
		SkipBad: cfg.SkipBad, OnSkip: func(err error) { cfg.Log.Warn("skipped", "error", err) },
		ReadStage: st.Read, InflateStage: st.Inflate, ParseStage: st.Parse, Flight: r.flight,
	}
}
