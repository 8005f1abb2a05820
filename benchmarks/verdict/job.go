package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/report"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/internal/vfs/slowfs"
)

// job is a run of the pipeline in a process of its own: a scenario with all its paths.
type job struct {
	Scenario  Scenario  `json:"scenario"`
	Reference string    `json:"reference"`
	Reads     []string  `json:"reads"`
	Output    string    `json:"output"`
	Temp      string    `json:"temp"`
	Report    string    `json:"report"`
	Slow      []slowDir `json:"slow"`
}

// slowDir is a path on one of the scenario's slow disks.
type slowDir struct {
	Path   string `json:"path"`
	Role   string `json:"role"`
	Cached bool   `json:"cached"`
}

// ampleMemory is enough for the largest read sets, sorted in memory.
const ampleMemory = 4 << 30

// arguments are those of the shipped program for this job.
func (j *job) arguments() []string {
	s := &j.Scenario
	args := []string{"align", "-q", "-o", j.Output, "-t", fmt.Sprint(s.Threads), "-m", fmt.Sprint(j.memory()), "-T", j.Temp,
		"--sort", s.Sort, "-l", fmt.Sprint(s.Level), "--report", j.Report}
	if s.Shards > 0 {
		args = append(args, "--shards", fmt.Sprint(s.Shards))
	}
	if s.Input.Layout == layoutInterleaved {
		args = append(args, "--interleaved")
	}
	if s.Output.Via == viaFifo {
		args = append(args, "--format", "bam")
	}
	return append(append(args, j.Reference), j.Reads...)
}

func (j *job) memory() int64 {
	if j.Scenario.MemoryBytes > 0 {
		return j.Scenario.MemoryBytes
	}
	return ampleMemory
}

// config is the same job for the pipeline itself, with its slow disks and its drags.
func (j *job) config() pipeline.Config {
	s := &j.Scenario
	return pipeline.Config{
		FS: j.fileSystem(), Ref: j.Reference, Reads: j.Reads, Interleaved: s.Input.Layout == layoutInterleaved,
		Output: j.Output, Format: pipeline.FormatBAM, Sort: sortOrders[s.Sort], Shards: s.Shards, Level: s.Level,
		Threads: s.Threads, Memory: j.memory(), TempDir: j.Temp, Version: "harness",
		Tuning: pipeline.Tuning{BatchBases: s.BatchBases, InFlight: s.InFlight, Drag: s.Drag},
	}
}

var sortOrders = map[string]pipeline.SortOrder{"coordinate": pipeline.SortCoordinate, "name": pipeline.SortName, "none": pipeline.SortNone}

// fileSystem has one disk for each name.
func (j *job) fileSystem() vfs.FS {
	disks := map[string]*slowfs.Disk{}
	var roles []slowfs.Role
	for _, dir := range j.Slow {
		d := j.Scenario.Disks[dir.Role]
		if disks[d.Name] == nil {
			disks[d.Name] = slowfs.NewDisk(slowfs.Limits{ReadRate: d.ReadRate, WriteRate: d.WriteRate, Shared: d.Shared,
				Latency: milliseconds(d.LatencyMS), Jitter: milliseconds(d.JitterMS), WriteBack: d.WriteBack, Seed: j.Scenario.Seed})
		}
		roles = append(roles, slowfs.Role{Prefix: dir.Path, Disk: disks[d.Name], Cached: dir.Cached})
	}
	return slowfs.New(vfs.OS, roles...)
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// runJob is the child: it runs the job in the file, and writes the report.
func runJob(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var j job
	if err := json.Unmarshal(data, &j); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	runtime.GOMAXPROCS(j.Scenario.Threads)
	result, err := pipeline.Run(ctx, j.config())
	if err != nil {
		return err
	}
	f, err := os.Create(j.Report)
	if err != nil {
		return err
	}
	return errors.Join(report.WriteJSON(f, report.Build(result.Report("harness", nil))), f.Close())
}
