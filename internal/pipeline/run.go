package pipeline

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/readsum"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/mapper"
	"github.com/alignpipe/alignpipe/reader"
	"github.com/alignpipe/alignpipe/sorter"
)

// stopGrace is how long a stopped run waits for its goroutines. One of them may sit in a
// read of a fifo that nobody writes; the program has two seconds in all.
const stopGrace = time.Second

// Run maps reads and writes them sorted. When it returns nil, the output is whole, holds
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
	cfg    *Config
	stages *meter.Set
	index  *mapper.Index
	params mapper.Params
	reader *reader.Reader
	plan   memoryPlan
	kind   bgzfout.IndexKind
	sink   sink
	sorter *sorter.Sorter
	counts counts
	sorted sorter.Stats
	phases []Phase
	early  []meter.Snapshot // of the second half's stages, at the end of the first
	queues []meter.QueueSnapshot
	undo   undoList
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
	if err := r.timed("startup", true, func() error { return r.start(ctx) }, noStages); err != nil {
		return err
	}
	if err := r.timed("stream", false, func() error { return r.mapAll(ctx) }, r.streamStages); err != nil {
		return err
	}
	return r.timed("merge", false, func() error { return r.mergeAndFinish(ctx) }, r.finalStages)
}

// mergeAndFinish brings the sorted records into the output, and the output under its name.
func (r *run) mergeAndFinish(ctx context.Context) error {
	if err := r.reader.Close(); err != nil { // its memory is for the compressors now
		return err
	}
	// The sink's end belongs to the stage too: closing waits for the compressors.
	me := r.stages.Merge.Enter()
	defer me.Exit()
	if err := r.mergeAll(ctx); err != nil {
		return err
	}
	r.sorted = r.sorter.Stats()
	if err := ctx.Err(); err != nil {
		return err
	}
	return outputError(r.sink.finish())
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
	r.makeStages()
	budget, err := cfg.budget()
	if err != nil {
		return err
	}
	if r.index, err = loadIndex(ctx, cfg, budget); err != nil {
		return err
	}
	r.undo.later(r.index.Close)
	if r.kind, err = r.indexKind(); err != nil {
		return err
	}
	if err := r.openReader(ctx); err != nil {
		return err
	}
	if r.plan, err = planMemory(budget, r.index.Bytes(), r.reader.MemoryBound(), cfg.Threads); err != nil {
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
	return r.openSorter()
}

func (r *run) makeStages() {
	n := r.cfg.Threads
	r.stages = meter.NewSet(meter.SetConfig{
		ReadWorkers: len(r.cfg.Reads), InflateWorkers: n, MapWorkers: n, DeflateWorkers: n,
		InputPipe:  r.cfg.Reads[0] == Stdio || vfs.IsStream(r.cfg.FS, r.cfg.Reads[0]),
		OutputPipe: r.cfg.streams(),
	})
}

func (r *run) openReader(ctx context.Context) (err error) {
	cfg, st := r.cfg, r.stages
	r.reader, err = reader.Open(ctx, reader.Config{
		FS: cfg.FS, Paths: cfg.Reads, Stdin: cfg.Stdin, Interleaved: cfg.Interleaved, Comments: cfg.Comments,
		BatchBases: batchBases, InFlight: inFlight(cfg.paired(), cfg.Threads), InflateWorkers: cfg.Threads,
		SkipBad: cfg.SkipBad, OnSkip: func(err error) { cfg.Log.Warn("skipped", "error", err) },
		ReadStage: st.Read, InflateStage: st.Inflate, ParseStage: st.Parse,
	})
	if err == nil {
		r.undo.later(r.reader.Close)
	}
	return err
}

// openSorter makes the private temporary folder, and the sorter in it.
func (r *run) openSorter() error {
	parent := r.cfg.TempDir
	if parent == "" {
		parent = os.TempDir()
	}
	dir, err := vfs.TempDir(r.cfg.FS, parent)
	if err != nil {
		return outputError(err)
	}
	r.undo.file(func() error {
		if r.cfg.FS.RemoveAll(dir) == nil {
			return nil
		}
		return r.cfg.FS.RemoveAll(dir)
	})
	if inMemory(parent) {
		r.cfg.Log.Warn("the temporary folder is in memory: what spills there adds to the memory of the job", "folder", parent)
	}
	st := r.stages
	r.sorter, err = sorter.New(sorter.Config{
		FS: r.cfg.FS, Dir: dir, MemBytes: r.plan.sorter, Workers: r.cfg.Threads,
		SortStage: st.Sort, SpillStage: st.SpillWrite, MergeReadStage: st.MergeRead, MergeStage: st.Merge,
	})
	if err == nil {
		r.undo.later(r.sorter.Close)
	}
	return outputError(err)
}

// drain moves the sorted records on.
func (r *run) drain(ctx context.Context, m *sorter.Merger, audit *auditor) error {
	if err := outputError(r.sink.begin(r.sorter)); err != nil {
		return err
	}
	for n := 0; ; n++ {
		if n&0x3ff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		key, rec, err := m.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = r.sink.add(key, rec)
		}
		if err != nil {
			return outputError(err)
		}
		audit.add(rec)
	}
}

// errSums tells two checksums that should be one.
type errSums struct{ want, got readsum.Sum }

func (e errSums) Error() string { return fmt.Sprintf("read %s, merged %s", e.want, e.got) }
