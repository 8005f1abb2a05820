package pipeline

import (
	"path/filepath"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/report"
)

// Report puts a result in the words of package report. version is the program's, command its arguments
// with its name first.
func (res *Result) Report(version string, command []string) report.Run {
	run := report.Run{
		Version: version, Command: command, Options: res.options,
		CPUs: res.CPUs, Queues: res.Queues, Phases: res.Phases,
		Flight: res.Flight, Inputs: res.Inputs, Files: res.Files, Host: res.Host, IO: res.IO, Auto: res.Auto, AutoOff: res.AutoOff,
		Partners: res.Partners, DebtBytes: res.DebtBytes,
		Makespan: res.Makespan, MakespanReason: res.MakespanReason, Probed: res.Probed,
		Reads: report.Reads{Total: int64(res.Sum.Count), Mapped: res.Mapped,
			PrimaryWritten: res.Primary, Skipped: res.Skipped},
		Sort: report.Sort{Records: res.Sort.Records, SpilledRuns: res.Sort.SpilledRuns,
			SpilledBytes: res.Sort.SpilledBytes},
		Memory: report.Memory{LimitBytes: res.MemoryBytes},
	}
	if res.NeededBytes > 0 {
		run.Sort.NeededBytes = &res.NeededBytes
	}
	if d := res.Duplicates; d != nil {
		records := d.Records()
		run.Reads.Duplicates, run.Duplicates = &records, d
	}
	return run
}

// reportOptions are those that forecasts need to know.
func (c *Config) reportOptions() report.Options {
	o := report.Options{Level: c.Level, Shards: c.Shards, Sort: sortNames[c.Sort], Format: "bam"}
	if c.Format == FormatSAM {
		o.Format = "sam"
	}
	if c.streams() {
		return o
	}
	path, err := filepath.Abs(c.Output)
	if err != nil {
		return o // forecasts go without a sample of the output
	}
	if c.Shards > 0 {
		path = filepath.Join(path, bgzfout.ShardName(0))
	}
	o.OutputFile = path
	return o
}
