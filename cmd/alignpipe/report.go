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
	r := report.Build(result.Report(version, append([]string{"alignpipe", "align"}, a.args...)))
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
