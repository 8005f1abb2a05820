package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/alignpipe/alignpipe/internal/deflate"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/mapper"
	"github.com/alignpipe/alignpipe/reader"
	"github.com/alignpipe/alignpipe/sorter"
)

// The names of the ceilings of a core; a run's stages are looked up by them.
const (
	nameParse = meter.NameParse
	nameMap   = meter.NameMap
	nameSort  = meter.NameSort
	nameMerge = meter.NameMerge
)

func nameInflate(container string) string { return meter.NameInflate + " " + container }
func nameDeflate(level int) string        { return fmt.Sprintf("%s level %d", meter.NameDeflate, level) }

// coreBench measures what one core does. Each kind of work runs on a thread of its own whose CPU time is
// taken, so that other programs on the machine disturb less than they would a clock on the wall.
type coreBench struct {
	ctx     context.Context
	fsys    vfs.FS
	repeats int
	sample  *sample
	level   int    // that the runs compress with, measured beside 1 and 6
	dir     string // private, for the sorter
	out     ceilings

	records    []record
	recordSize int64 // bytes of all records
	sorted     []byte
	spill      Value // bytes per read, when all records are spilled
}

// all measures in the order of the pipeline: what one step makes is the input of the next.
func (b *coreBench) all(ix *mapper.Index) error {
	if err := b.input(); err != nil {
		return err
	}
	if err := b.mapping(ix); err != nil {
		return err
	}
	if err := b.sorting(); err != nil {
		return err
	}
	if err := b.spillSize(); err != nil {
		return err
	}
	return b.compression()
}

// cpuOf is a stage's CPU time in seconds, or its busy time where threads have no clock.
func cpuOf(stages ...*meter.Stage) float64 {
	var ns int64
	for _, s := range stages {
		if snap := s.Snapshot(); snap.CPUNS > 0 {
			ns += snap.CPUNS
		} else {
			ns += max(0, snap.BusyNS())
		}
	}
	return time.Duration(max(ns, 1)).Seconds()
}

// add keeps a ceiling made of the seconds that work on some reads and bytes took.
func (b *coreBench) add(name string, reads int, size int64, seconds []float64) {
	rate := func(amount float64) (out []float64) {
		for _, s := range seconds {
			out = append(out, amount/s)
		}
		return out
	}
	b.out = append(b.out, Ceiling{Name: name, Streams: 1, Values: []Value{
		valueOf(readsPerSecond, rate(float64(reads))), valueOf(bytesPerSecond, rate(float64(size)))}})
}

func newCPUStage(name string) *meter.Stage { return meter.NewStage(name, meter.KindCPU, 1) }

// input measures inflating both containers, and parsing.
func (b *coreBench) input() error {
	text := b.sample.texts[0]
	reads := b.sample.reads / len(b.sample.texts)
	var parse []float64
	for _, container := range []string{containerGzip, containerBGZF} {
		data, err := packed(text, container)
		if err != nil {
			return err
		}
		columns, err := repeat(b.ctx, b.repeats, func() ([]float64, error) {
			inflated, parsing := newCPUStage(meter.NameInflate), newCPUStage(meter.NameParse)
			batches, err := parsed(b.ctx, data, reads, defaultBatchBases, false, inflated, parsing)
			releaseAll(batches)
			return []float64{cpuOf(inflated), cpuOf(parsing)}, err
		})
		if err != nil {
			return err
		}
		b.add(nameInflate(container), reads, int64(len(text)), columns[0])
		parse = append(parse, columns[1]...)
	}
	b.add(nameParse, reads, int64(len(text)), parse)
	return nil
}

// mapping measures the mapper, and keeps its records.
func (b *coreBench) mapping(ix *mapper.Index) error {
	text := b.sample.interleaved()
	batches, err := parsed(b.ctx, text, b.sample.reads, defaultBatchBases, len(b.sample.texts) == 2, nil, nil)
	defer releaseAll(batches)
	if err != nil {
		return err
	}
	p := mapper.DefaultParams()
	if len(b.sample.texts) == 2 {
		p.Insert = mapper.EstimateInsert(ix, p, firstPairs(batches))
	}
	if b.records, err = mapped(ix, p, batches); err != nil {
		return err
	}
	for _, r := range b.records {
		b.recordSize += int64(len(r.data))
	}
	columns, err := repeat(b.ctx, b.repeats, func() ([]float64, error) {
		stage := newCPUStage(nameMap)
		err := mapTimed(b.ctx, ix, p, batches, stage)
		return []float64{cpuOf(stage)}, err
	})
	if err != nil {
		return err
	}
	b.add(nameMap, b.sample.reads, int64(len(text)), columns[0])
	return nil
}

// firstPairs are the batches that a run would estimate the insert size from.
func firstPairs(batches []*reader.Batch) []*reader.Batch {
	pairs := 0
	for i, b := range batches {
		if pairs += b.Templates(); pairs >= mapper.InsertSamplePairs {
			return batches[:i+1]
		}
	}
	return batches
}

func mapTimed(ctx context.Context, ix *mapper.Index, p mapper.Params, batches []*reader.Batch, stage *meter.Stage) error {
	me := stage.Enter()
	defer me.Exit()
	w := mapper.NewWorker(ix, p)
	for _, batch := range batches {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.Map(batch, func([]byte, int32, int32, bool, uint64) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

// newSorter makes one for all records and one worker.
func (b *coreBench) newSorter(memory int64, call, sort, merge *meter.Stage) (*sorter.Sorter, error) {
	return sorter.New(sorter.Config{FS: b.fsys, Dir: b.dir, MemBytes: memory, Workers: 1,
		CallStage: call, SortStage: sort, MergeStage: merge})
}

// sorting measures adding and sorting, and merging; it keeps the sorted records.
func (b *coreBench) sorting() error {
	memory := 4*(b.recordSize+64*int64(len(b.records))) + sorter.MinMem(1)
	columns, err := repeat(b.ctx, b.repeats, func() (times []float64, err error) {
		call, sort, merge := newCPUStage(meter.NameMap), newCPUStage(nameSort), newCPUStage(nameMerge)
		s, err := b.newSorter(memory, call, sort, merge)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		if err := b.addAll(s, call); err != nil {
			return nil, err
		}
		err = b.mergeAll(s, merge)
		return []float64{cpuOf(call, sort), cpuOf(merge)}, err
	})
	if err != nil {
		return diskFailed(err)
	}
	b.add(nameSort, b.sample.reads, b.recordSize, columns[0])
	b.add(nameMerge, b.sample.reads, b.recordSize, columns[1])
	return nil
}

func (b *coreBench) addAll(s *sorter.Sorter, stage *meter.Stage) error {
	me := stage.Enter()
	defer me.Exit()
	slab := s.Slab(0)
	for _, r := range b.records {
		key := sorter.Unplaced
		if r.ref >= 0 {
			key = sorter.KeyOf(r.ref, r.pos, r.reverse)
		}
		if err := slab.Add(b.ctx, key, r.ord, r.data); err != nil {
			return err
		}
	}
	return nil
}

// mergeAll goes through all records, as the merging goroutine of a run does, which leaves the
// copying to others; the copy for the compressors is made after that.
func (b *coreBench) mergeAll(s *sorter.Sorter, stage *meter.Stage) error {
	if err := s.Prepare(b.ctx); err != nil {
		return err
	}
	m, err := s.Part(b.ctx, nil, 0)
	if err != nil {
		return err
	}
	stable, err := b.drain(m, stage)
	b.sorted = b.sorted[:0]
	for _, rec := range stable {
		b.sorted = append(b.sorted, rec...)
	}
	return errors.Join(err, m.Close())
}

func (b *coreBench) drain(m *sorter.Merger, stage *meter.Stage) (records [][]byte, err error) {
	me := stage.Enter()
	defer me.Exit()
	records = make([][]byte, 0, len(b.records))
	for {
		it, err := m.Next()
		if err == io.EOF {
			return records, nil
		}
		if err != nil {
			return records, err
		}
		rec := it.Rec
		if !it.Stable {
			rec = append([]byte(nil), rec...)
		}
		records = append(records, rec)
	}
}

// spillSize sorts with the least memory, to see how many bytes a spilled read takes.
func (b *coreBench) spillSize() (err error) {
	s, err := b.newSorter(sorter.MinMem(1), nil, nil, nil)
	if err != nil {
		return diskFailed(err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := b.addAll(s, nil); err != nil {
		return diskFailed(err)
	}
	if err := s.Prepare(b.ctx); err != nil {
		return diskFailed(err)
	}
	st := s.Stats()
	if st.SpilledBytes == 0 || st.RawBytes == 0 {
		b.spill = noValue("bytes_per_read", "the sample is too small to be spilled")
		return nil
	}
	perRead := float64(b.recordSize) / float64(b.sample.reads)
	b.spill = valueOf("bytes_per_read", []float64{perRead * float64(st.SpilledBytes) / float64(st.RawBytes)})
	return nil
}

// compression measures the levels on sorted records, in blocks as in a file.
func (b *coreBench) compression() error {
	levels := []int{1, 6}
	if b.level != 1 && b.level != 6 {
		levels = append(levels, b.level)
	}
	for _, level := range levels {
		columns, err := repeat(b.ctx, b.repeats, func() ([]float64, error) {
			stage := newCPUStage(meter.NameDeflate)
			err := compress(b.ctx, level, b.sorted, stage)
			return []float64{cpuOf(stage)}, err
		})
		if err != nil {
			return err
		}
		b.add(nameDeflate(level), b.sample.reads, int64(len(b.sorted)), columns[0])
	}
	return nil
}

func compress(ctx context.Context, level int, data []byte, stage *meter.Stage) error {
	encoder, err := deflate.New(level)
	if err != nil {
		return pipeline.Misuse("", "%w", err)
	}
	me := stage.Enter()
	defer me.Exit()
	dst := make([]byte, 0, deflate.MaxInput+deflate.Overhead+8)
	for len(data) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(len(data), deflate.MaxInput)
		dst = encoder.Append(dst[:0], data[:n])
		data = data[n:]
	}
	return nil
}
