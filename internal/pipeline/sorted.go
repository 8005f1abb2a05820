package pipeline

import (
	"context"
	"errors"
	"io"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/host"
	"github.com/alignpipe/alignpipe/internal/markdup"
	"github.com/alignpipe/alignpipe/internal/report"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/sorter"
)

// sorted is the way of sorted records: a first half in which all reads are mapped, into a slab per mapper, and
// a second one in which the slabs, and what was spilled, are merged into the output.
type sorted struct {
	run    *run
	sorter *sorter.Sorter
	marker *markdup.Marker // nil where duplicates are not marked
}

// open makes the private temporary folder, and the sorter in it.
func (c *sorted) open() error {
	r := c.run
	parent := r.cfg.tempParent()
	dir, err := vfs.TempDir(r.cfg.FS, parent)
	if err != nil {
		return outputError(err)
	}
	r.foresight.spillFolder = dir
	r.undo.file(func() error {
		if r.cfg.FS.RemoveAll(dir) == nil {
			return nil
		}
		return r.cfg.FS.RemoveAll(dir)
	})
	if host.FileOf(parent).InMemory {
		r.cfg.Log.Warn("the temporary folder is in memory: what spills there adds to the memory of the job", "folder", parent)
	}
	st := r.stages
	c.sorter, err = sorter.New(sorter.Config{
		FS: r.cfg.FS, Dir: dir, MemBytes: r.plan.sorter, Workers: r.cfg.Threads, Order: r.cfg.Sort.order(),
		CallStage: st.Map, SortStage: st.Sort, SpillStage: st.SpillWrite, MergeReadStage: st.MergeRead, MergeStage: st.Merge,
	})
	if err != nil {
		return outputError(err)
	}
	r.undo.later(c.sorter.Close)
	return c.openMarker(dir)
}

func (c *sorted) work(ctx context.Context) error {
	r := c.run
	if err := r.stream(func() error { return r.mapAll(ctx, c.lane) }, r.stages.Stream()...); err != nil {
		return err
	}
	merge := report.PhaseRun{Name: "merge"}
	if err := r.monitor.phase(merge, func() error { return c.merge(ctx) }, r.stages.Final()...); err != nil {
		return err
	}
	return r.finish(ctx)
}

// slabLane is one mapper's way into its slab.
type slabLane struct {
	ctx        context.Context // of the mappers
	slab       *sorter.Slab
	signatures *markdup.Writer // nil where duplicates are not marked
	sample     *recordSample
}

func (c *sorted) lane(ctx context.Context, i int) lane {
	l := slabLane{ctx: ctx, slab: c.sorter.Slab(i), sample: &c.run.foresight.sample}
	if c.marker != nil {
		l.signatures = c.marker.Writer(i)
	}
	return l
}

func (l slabLane) begin(context.Context) error { return nil }

func (l slabLane) emit(rec []byte, ref, pos int32, reverse bool, ord uint64) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	l.sample.take(rec)
	key := sorter.Unplaced
	if ref >= 0 {
		key = sorter.KeyOf(ref, pos, reverse)
	}
	if l.signatures != nil {
		if err := l.signatures.Add(l.ctx, ord, rec[4:]); err != nil {
			return outputError(err)
		}
	}
	return outputError(l.slab.Add(l.ctx, key, ord, rec))
}

func (l slabLane) end(int64) {}

func (l slabLane) close() {}

// merge brings the sorted records into the output.
func (c *sorted) merge(ctx context.Context) error {
	r := c.run
	if err := r.reader.Close(); err != nil { // its memory is for the compressors now
		return err
	}
	if err := c.decide(ctx); err != nil {
		return err
	}
	if err := c.mergeAll(ctx); err != nil {
		// The compressors may still look at records in the slabs, which are given back first otherwise.
		return errors.Join(err, r.sink.abort())
	}
	r.stats = c.sorter.Stats()
	return r.settle()
}

// mergeAll brings the sorted records into the sink, which is complete but for its end when it returns nil.
func (c *sorted) mergeAll(ctx context.Context) error {
	if err := c.sorter.Prepare(ctx); err != nil {
		return outputError(err)
	}
	if shards, ok := c.run.sink.(*shardSink); ok {
		return outputError(shards.write(ctx, c.sorter))
	}
	me := c.run.feeder.Enter()
	defer me.Exit()
	return outputError(c.fill(ctx, c.run.sink.(sink)))
}

// fill merges all records into one file.
func (c *sorted) fill(ctx context.Context, s sink) error {
	if err := s.begin(); err != nil {
		return err
	}
	m, err := c.sorter.Part(ctx, nil, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(moveAll(ctx, m, s.add), m.Close()); err != nil {
		return err
	}
	if err := c.sorter.Complete(); err != nil {
		return err
	}
	return s.settle()
}

// moveAll gives all records of a merge to add.
func moveAll(ctx context.Context, m *sorter.Merger, add func(bgzfout.Record) error) error {
	for n := 0; ; n++ {
		if n&0x3ff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		it, err := m.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = add(bgzfout.Record{Data: it.Rec, Tag: it.Ord, Stable: it.Stable})
		}
		if err != nil {
			return err
		}
	}
}
