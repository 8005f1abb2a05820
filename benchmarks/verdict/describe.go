package main

import (
	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/report"
)

// describe puts a result in the words of package report, as the command does.
func describe(result *pipeline.Result) report.Run {
	run := report.Run{
		Version: "harness", CPUs: float64(result.Threads), Threads: result.Threads, Queues: result.Queues,
		Reads: report.Reads{Total: int64(result.Sum.Count), Mapped: result.Mapped,
			PrimaryWritten: result.Primary, Skipped: result.Skipped},
		Sort: report.Sort{Records: result.Sort.Records, SpilledRuns: int64(result.Sort.SpilledRuns),
			SpilledBytes: int64(result.Sort.SpilledBytes)},
		Memory: report.Memory{LimitBytes: result.MemoryBytes},
	}
	for _, p := range result.Phases {
		run.Phases = append(run.Phases, report.PhaseRun{Name: p.Name, Wall: p.Wall, Startup: p.Startup,
			CPU: p.CPU, RuntimeCPU: p.RuntimeCPU, Stages: p.Stages})
	}
	return run
}
