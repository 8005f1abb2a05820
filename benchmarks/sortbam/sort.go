package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/biogo/hts/bgzf"
	"golang.org/x/sync/errgroup"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/sorter"
)

// job is one file to sort.
type job struct {
	in, out string
	temp    string // parent of the folder for runs
	threads int
	memory  int64 // bytes, for the whole program
	level   int
	writers int
	write   *meter.Stage // of the output file
}

// result is what main prints.
type result struct {
	Records         int64   `json:"records"`
	InputBytes      int64   `json:"input_bytes"`
	OutputBytes     int64   `json:"output_bytes"`
	WallSeconds     float64 `json:"wall_seconds"`
	UserSeconds     float64 `json:"user_seconds"`
	SystemSeconds   float64 `json:"system_seconds"`
	ReadSeconds     float64 `json:"read_seconds"`
	MergeSeconds    float64 `json:"merge_seconds"`
	CPUUSPerRecord  float64 `json:"cpu_us_per_record"`
	PeakRSSBytes    int64   `json:"peak_rss_bytes"`
	SorterPeakBytes int64   `json:"sorter_peak_bytes"`
	SpilledRuns     int64   `json:"spilled_runs"`
	MergedRuns      int64   `json:"merged_runs"`
	SpilledBytes    int64   `json:"spilled_bytes"`
	WriteCallSecs   float64 `json:"write_call_seconds"`
	WriteCPUSecs    float64 `json:"write_cpu_seconds"`
}

// runtimeSlack is for code, stacks and the collector's lag.
const runtimeSlack = 24 << 20

// buffers is what the program needs beside the sorter, in bytes.
func (j *job) buffers() int64 {
	return int64(pieces(j.threads)+2)*pieceMemory + j.writer().MemoryBound() + runtimeSlack
}

// pieces is how many are on their way.
func pieces(threads int) int { return threads + 2 }

func (j *job) writer() bgzfout.Config {
	return bgzfout.Config{Level: j.level, Workers: j.threads, Writers: j.writers, WriteStage: j.write}
}

func (j *job) run(ctx context.Context) (res result, err error) {
	begun := time.Now()
	j.write = meter.NewStage("write", meter.KindDeviceWrite, j.writers)
	runtime.GOMAXPROCS(j.threads)
	debug.SetMemoryLimit(j.buffers())
	in, err := os.Open(j.in)
	if err != nil {
		return res, err
	}
	defer in.Close()
	if whole, err := bgzf.HasEOF(in); err != nil || !whole {
		return res, errors.Join(fmt.Errorf("%s: no end-of-file block", j.in), err)
	}
	split := &splitter{src: in}
	head, err := readHeader(split)
	if err != nil {
		return res, fmt.Errorf("%s: %w", j.in, err)
	}
	dir, err := vfs.TempDir(vfs.OS, j.temp)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := sorter.New(sorter.Config{FS: vfs.OS, Dir: dir, MemBytes: j.memory - j.buffers(), Workers: j.threads})
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := readAll(ctx, split, head.rest, s, j.threads); err != nil {
		return res, fmt.Errorf("%s: %w", j.in, err)
	}
	res.ReadSeconds = time.Since(begun).Seconds()
	if err := j.writeAll(ctx, s, head); err != nil {
		return res, err
	}
	res.finish(s.Stats(), begun)
	written := j.write.Snapshot()
	res.WriteCallSecs, res.WriteCPUSecs = float64(written.WaitNS[meter.BlkWrite])/1e9, float64(written.CPUNS)/1e9
	return res, res.sizes(j)
}

// readAll brings all records into the slabs of s, or into runs. rest is what the header left.
func readAll(ctx context.Context, split *splitter, rest []byte, s *sorter.Sorter, threads int) error {
	free, full := make(chan *piece, pieces(threads)), make(chan *piece, pieces(threads))
	for range cap(free) {
		free <- newPiece()
	}
	g, ctx := errgroup.WithContext(ctx)
	turns := newTurns(split.next, rest)
	defer context.AfterFunc(ctx, func() { turns.fail(context.Cause(ctx)) })()
	g.Go(func() error { defer close(full); return splitAll(ctx, split, free, full) })
	for i := range threads {
		g.Go(func() error {
			for p := range full {
				if err := p.add(ctx, turns, s.Slab(i)); err != nil {
					return err
				}
				free <- p // has room for all
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return turns.end()
}

// splitAll cuts the file into pieces. The first is empty: it takes what the header left.
func splitAll(ctx context.Context, split *splitter, free <-chan *piece, full chan<- *piece) error {
	for first := true; ; first = false {
		var p *piece
		select {
		case p = <-free:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if first {
			p.number = split.next
			split.next++
		} else if err := split.fill(p); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		full <- p // has room for all
	}
}

// add is what a worker does with a piece.
func (p *piece) add(ctx context.Context, turns *turns, slab *sorter.Slab) error {
	if err := p.inflate(); err != nil {
		return err
	}
	records, err := turns.records(p)
	if err != nil {
		return err
	}
	return addRecords(ctx, slab, records, p.number<<ordBits)
}

// writeAll makes the BAM and its index. A BAM that is not whole is removed.
func (j *job) writeAll(ctx context.Context, s *sorter.Sorter, head *header) (err error) {
	merger, err := s.Merge(ctx)
	if err != nil {
		return err
	}
	out, err := os.Create(j.out)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, out.Close()); err != nil {
			os.Remove(j.out)
		}
	}()
	kind := bgzfout.BAI
	if !bgzfout.BAIPossible(head.lens) {
		kind = bgzfout.CSI
	}
	b, err := bgzfout.NewBAM(out, head.encoded, head.lens, kind, j.writer())
	if err != nil {
		return err
	}
	if err := drain(ctx, merger, b); err != nil {
		b.Abort(err)
		return err
	}
	if err := b.Close(); err != nil {
		return err
	}
	index, err := os.Create(j.out + kind.Ext())
	if err != nil {
		return err
	}
	return errors.Join(b.WriteIndex(index), index.Close())
}

// drain moves the sorted records into the file.
func drain(ctx context.Context, m *sorter.Merger, b *bgzfout.BAM) error {
	for n := 0; ; n++ {
		if n&0x3ff == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		it, err := m.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = b.AddRecord(bgzfout.Record{Data: it.Rec, Stable: it.Stable})
		}
		if err != nil {
			return err
		}
	}
}

// finish takes down what the sort has cost.
func (r *result) finish(stats sorter.Stats, begun time.Time) {
	r.WallSeconds = time.Since(begun).Seconds()
	r.MergeSeconds = r.WallSeconds - r.ReadSeconds
	user, system := meter.CPUNow()
	r.UserSeconds, r.SystemSeconds = user.Seconds(), system.Seconds()
	r.Records, r.PeakRSSBytes = stats.Records, meter.PeakRSS()
	r.CPUUSPerRecord = (r.UserSeconds + r.SystemSeconds) * 1e6 / float64(max(r.Records, 1))
	r.SorterPeakBytes, r.SpilledBytes = stats.PeakBytes, stats.SpilledBytes
	r.SpilledRuns, r.MergedRuns = stats.SpilledRuns, stats.MergedRuns
}

func (r *result) sizes(j *job) error {
	in, err1 := os.Stat(j.in)
	out, err2 := os.Stat(j.out)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	r.InputBytes, r.OutputBytes = in.Size(), out.Size()
	return nil
}
