package pipeline

import (
	"context"
	"math"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alignpipe/alignpipe/internal/deflate"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/report"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/sorter"
)

const (
	// foreseeAt is the share of the input after which the rest of the run is forecast.
	foreseeAt = 0.10
	// probeBytes of records are compressed to learn how fast that goes: a hundredth of a second.
	probeBytes = 1 << 20
	// To learn how fast a device is, a sixteenth of what it is to take is written to it, and synced, but for
	// very little and for more than tells enough.
	probeShare     = 1.0 / 16
	leastDiskProbe = 512 << 10
	mostDiskProbe  = 8 << 20
	// mergeSeconds is CPU time of merging, collecting and writing a record, on a core that compresses at
	// mergeAtRate bytes a second: 0.37 us are the sum of those stages in the report of a run of human chr20.
	mergeSeconds = 0.40e-6
	mergeAtRate  = 320e6
	// Records are spilled when so much of the sorter's memory is taken, and compressed to so much of their bytes.
	spillsFrom = 0.75
	runRatio   = 0.5
	blockBytes = 65280 // of BGZF, before compression
)

// foresight forecasts, from the first tenth of a run, when it will end. It belongs to the monitor's goroutine.
type foresight struct {
	run         *run
	began       time.Time       // of the run
	size        int64           // of the input, compressed
	ctx         context.Context // until the run is over
	stop        context.CancelFunc
	possible    bool
	spillFolder string // the run's own
	sample      recordSample
	probing     sync.WaitGroup
	// Bytes written and read to learn how fast devices are.
	wrote, read atomic.Int64
	mu          sync.Mutex
	forecast    *report.Makespan // nil until there is one
	why         string           // there is none
}

// recordSample holds records as the mappers made them.
type recordSample struct {
	wanted atomic.Bool
	mu     sync.Mutex
	data   []byte
	n      int64
}

// take keeps a copy of a record while some are wanted.
func (s *recordSample) take(rec []byte) {
	if s == nil || !s.wanted.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.data) < probeBytes {
		s.data = append(s.data, rec...)
		s.n++
	} else {
		s.wanted.Store(false)
	}
}

func newForesight(ctx context.Context, r *run) *foresight {
	f := &foresight{run: r, began: time.Now(), why: "nothing is measured in this build"}
	f.ctx, f.stop = context.WithCancel(ctx)
	for _, file := range r.files {
		switch {
		case file.Role != "input":
		case file.SizeBytes == nil:
			f.why = "how much comes out of a pipe is not known"
			return f
		default:
			f.size += *file.SizeBytes
		}
	}
	if r.cfg.streams() && r.cfg.Sort != SortNone {
		f.why = "nobody knows how fast the other end of the output pipe is before there is output"
		return f
	}
	f.possible = meter.Enabled
	f.why = "the run ended before a tenth of the input was mapped"
	f.sample.wanted.Store(meter.Enabled)
	return f
}

// progress is how far the mappers are.
type progress struct {
	reads  int64   // mapped
	total  float64 // expected
	mapped meter.Snapshot
	cpu    float64 // seconds of the process since the first read
}

// progressOf works out the share of the input that is mapped; ok is false where that cannot be said.
func (f *foresight) progressOf(k *mark) (p progress, ok bool) {
	by := map[string]meter.Snapshot{}
	for _, s := range k.stages {
		by[s.Name] = s
	}
	in, parse := by[meter.NameInflate], by[meter.NameParse]
	p = progress{mapped: by[meter.NameMap], cpu: (k.cpu - f.run.monitor.reading.cpu).Seconds()}
	p.reads = p.mapped.Items
	if in.BytesIn == 0 || parse.BytesIn == 0 || parse.Items == 0 || p.reads == 0 || f.size == 0 {
		return p, false
	}
	plain := float64(f.size) * float64(in.BytesOut) / float64(in.BytesIn)
	p.total = max(float64(parse.Items)*plain/float64(parse.BytesIn), float64(parse.Items))
	return p, true
}

// watch is told of every look at the accounts.
func (f *foresight) watch(k *mark) {
	f.mu.Lock()
	done := f.forecast != nil || !f.possible
	f.mu.Unlock()
	if done {
		return
	}
	p, ok := f.progressOf(k)
	if !ok || float64(p.reads) < foreseeAt*p.total {
		return
	}
	f.mu.Lock()
	f.forecast = &report.Makespan{AtSeconds: time.Since(f.began).Seconds(), InputShare: float64(p.reads) / p.total}
	f.mu.Unlock()
	f.probing.Go(func() { f.foresee(p) })
}

// foresee adds up what is to come.
func (f *foresight) foresee(p progress) {
	r := f.run
	now := time.Since(f.began).Seconds()
	span := time.Duration(p.mapped.LastNS - p.mapped.FirstNS).Seconds()
	rate := math.Inf(1)
	if n := float64(p.mapped.Batches); n > 1 && span > 0 { // between the ends of the first batch and the last
		rate = float64(p.reads) * (n - 1) / n / span
	}
	rate = min(rate, float64(p.reads)*r.monitor.cpus.Limit()/max(p.cpu, 1e-9)) // a quota is not felt at once
	stream := (p.total - float64(p.reads)) / rate
	var merge, write float64
	if r.cfg.Sort != SortNone {
		stream, merge, write = f.sorted(p, stream)
	}
	if f.ctx.Err() != nil {
		return // half a measurement is none
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forecast.StreamSeconds, f.forecast.MergeSeconds, f.forecast.OutputSeconds = now+stream, merge, write
	f.forecast.WallSeconds = now + stream + max(merge, write)
}

// sorted forecasts the rest of a run with a sort: the rest of the stream, which may have to spill, merging by
// the cores, and writing by the device.
func (f *foresight) sorted(p progress, stream float64) (streamSeconds, merge, write float64) {
	r := f.run
	perRecord, raw, packed := f.compress()
	records := p.total
	all := records * raw
	if r.cfg.Format == FormatSAM {
		packed = raw
	}
	cores := r.monitor.cpus.Limit()
	merge = records * perRecord / cores
	write, _ = f.device(f.outputFolder(), records*packed)
	if spilled := all + records*float64(sorter.EntryBytes) - float64(r.plan.sorter)*spillsFrom; spilled > 0 {
		out, in := f.device(f.spillFolder, spilled*runRatio)
		stream = max(stream, out)
		merge = max(merge, in)
	}
	return stream, merge, write
}

// outputFolder is where the output's bytes go.
func (f *foresight) outputFolder() string {
	cfg := f.run.cfg
	path := filepath.Clean(cfg.Output)
	if target, err := cfg.FS.EvalSymlinks(path); err == nil {
		path = target
	}
	return filepath.Dir(path)
}

// compress measures the CPU seconds that a record takes in the second half, and its bytes before and after
// compression.
func (f *foresight) compress() (seconds, raw, packed float64) {
	f.sample.wanted.Store(false)
	f.sample.mu.Lock()
	defer f.sample.mu.Unlock()
	e, err := deflate.New(f.run.cfg.Level)
	if err != nil || f.sample.n == 0 {
		return mergeSeconds, 0, 0
	}
	data, n := f.sample.data, float64(f.sample.n)
	work := meter.ThreadTimer()
	var out []byte
	size := 0
	for at := 0; at < len(data) && f.ctx.Err() == nil; at += blockBytes {
		out = e.Append(out[:0], data[at:min(len(data), at+blockBytes)])
		size += len(out)
	}
	took := work().Seconds()
	scale := took * mergeAtRate / float64(len(data))
	if f.run.cfg.Level != 1 {
		scale = 1 // how fast the core is, only level 1 tells
	}
	f.sample.data = nil
	return took/n + mergeSeconds*min(max(scale, 0.5), 2), float64(len(data)) / n, float64(size) / n
}

// device is how long it takes to bring so many bytes to the device of a folder, and to read them back; the
// page cache may have them then.
func (f *foresight) device(dir string, bytes float64) (write, read float64) {
	probe := int(min(bytes*probeShare, mostDiskProbe))
	if probe < leastDiskProbe || f.run.cfg.streams() || f.ctx.Err() != nil {
		return 0, 0
	}
	out, in, err := f.probeDevice(dir, probe)
	if err != nil {
		return 0, 0
	}
	times := bytes / float64(probe)
	return times * out.Seconds(), times * in.Seconds()
}

// probeDevice writes a file that has no name any more, and reads it.
func (f *foresight) probeDevice(dir string, bytes int) (write, read time.Duration, err error) {
	file, err := vfs.Unnamed(f.run.cfg.FS, dir, filepath.Base(f.run.cfg.Output))
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	data := make([]byte, bytes)
	start := time.Now()
	n, err := file.Write(data)
	f.wrote.Add(int64(n))
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		return 0, 0, err
	}
	write = time.Since(start)
	n, err = file.ReadAt(data, 0)
	f.read.Add(int64(n))
	return write, time.Since(start) - write, err
}

// probeGrace is how long a run that is over waits for a probe under way: the device may be slow, and the
// probe's file has no name that could be left.
const probeGrace = 300 * time.Millisecond

// close waits for a probe under way, but not for long.
func (f *foresight) close() error {
	f.stop()
	done := make(chan struct{})
	go func() {
		f.probing.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(probeGrace):
	}
	return nil
}

// result returns the forecast, or why there is none.
func (f *foresight) result() (*report.Makespan, string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.forecast == nil:
		return nil, f.why
	case f.forecast.WallSeconds == 0:
		return nil, "the run was over before the devices had answered"
	}
	made := *f.forecast
	return &made, ""
}
