package bench

import (
	"context"
	"errors"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/alignpipe/alignpipe/internal/pipeline"
)

// runner runs the pipeline on a workload.
type runner struct {
	cfg  *Config
	work *Workload
	dir  string // private, for outputs

	stepTime time.Duration // of one experiment; it may take longer to get the least it needs
}

// how says in which way the pipeline runs.
type how struct {
	order  pipeline.SortOrder
	single bool // the first file alone
	cold   bool // read the files from the disk
	tune   pipeline.Tuning

	threads int // 0: as the user wants
}

// orders are the words for orders of records.
var orders = map[pipeline.SortOrder]string{pipeline.SortCoordinate: "coordinate", pipeline.SortNone: "none"}

// run runs once and removes the output.
func (r *runner) run(ctx context.Context, h how) (*pipeline.Result, error) {
	files := r.work.files
	if h.single {
		files = files[:1]
	}
	if h.cold {
		for i, name := range files {
			if err := r.chill(name, r.work.sizes[i]); err != nil {
				return nil, err
			}
		}
	}
	threads := r.cfg.Threads
	if h.threads > 0 {
		threads = h.threads
	}
	out := filepath.Join(r.dir, "out.bam")
	debug.FreeOSMemory() // each begins as a new process does: its memory comes with its first use
	result, err := pipeline.Run(ctx, pipeline.Config{
		FS: r.cfg.FS, Ref: r.work.ref, Reads: files, Output: out, Sort: h.order, Level: r.cfg.Level,
		Threads: threads, Memory: r.cfg.Memory, TempDir: r.cfg.TempDir, Version: r.cfg.Version, Tuning: h.tune,
	})
	if err != nil {
		return nil, err
	}
	for _, name := range []string{out, out + ".bai", out + ".csi"} {
		if _, err := r.cfg.FS.Stat(name); err == nil {
			if err := r.cfg.FS.Remove(name); err != nil {
				return nil, diskFailed(err)
			}
		}
	}
	return result, nil
}

// chill does what it can: where a file stays in memory, the run reads it from there, and the
// ceiling of the disk says why it is missing.
func (r *runner) chill(name string, size int64) error {
	f, err := r.cfg.FS.Open(name)
	if err != nil {
		return err
	}
	err = chill(f, size)
	var none missing
	if errors.As(err, &none) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

// workTime is a run's time without start-up, which no read passes through.
func workTime(r *pipeline.Result) time.Duration {
	var sum time.Duration
	for _, p := range r.Phases {
		if !p.Startup {
			sum += p.Wall
		}
	}
	return sum
}

// rateOf is a run's throughput in reads per second.
func rateOf(r *pipeline.Result) float64 {
	return float64(r.Primary) / max(workTime(r).Seconds(), 1e-9)
}
