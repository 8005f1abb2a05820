package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/report"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// checkReportName refuses kinds of report that are not written, before there is work to lose.
func checkReportName(path string) error {
	if !strings.EqualFold(filepath.Ext(path), ".json") {
		return pipeline.Misuse("name it with .json", "report %s is of no kind that can be written", path)
	}
	return nil
}

// tell prints the summary and writes the reports.
func (a *alignFlags) tell(result *pipeline.Result, w io.Writer) error {
	r := report.Build(describe(result, a.args))
	for _, path := range a.report {
		if err := writeReport(path, r); err != nil {
			return fmt.Errorf("the output is complete, but not the report: %w", err)
		}
	}
	if a.quiet {
		return nil
	}
	return report.Summary(w, r)
}

// describe puts a result in the words of package report.
func describe(result *pipeline.Result, args []string) report.Run {
	run := report.Run{
		Version: version, Command: append([]string{"alignpipe", "align"}, args...),
		CPUs: result.CPUs, Queues: result.Queues, Phases: result.Phases,
		Flight: result.Flight, Inputs: result.Inputs, Files: result.Files, Host: result.Host,
		Reads: report.Reads{Total: int64(result.Sum.Count), Mapped: result.Mapped,
			PrimaryWritten: result.Primary, Skipped: result.Skipped},
		Sort: report.Sort{Records: result.Sort.Records, SpilledRuns: int64(result.Sort.SpilledRuns),
			SpilledBytes: int64(result.Sort.SpilledBytes)},
		Memory: report.Memory{LimitBytes: result.MemoryBytes},
	}
	if d := result.Duplicates; d != nil {
		records := d.Records()
		run.Reads.Duplicates, run.Duplicates = &records, d
	}
	return run
}

// writeReport writes one report, whole or not at all.
func writeReport(path string, r *report.Report) error {
	if vfs.IsStream(vfs.OS, path) {
		f, err := vfs.OS.OpenStream(path)
		if err != nil {
			return err
		}
		if err := report.WriteJSON(f, r); err != nil {
			f.Close()
			return err
		}
		return f.Close()
	}
	f, err := vfs.CreateAtomic(vfs.OS, path)
	if err != nil {
		return err
	}
	defer f.Abort()
	if err := report.WriteJSON(f, r); err != nil {
		return err
	}
	return vfs.Commit(f)
}
