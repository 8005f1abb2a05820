// Plot turns the rounds that scaling.sh measured into a Markdown table and an SVG.
//
//	plot [-svg FILE] [-title TEXT] RUNS.tsv > table.md
//
// Each line of RUNS.tsv is one run of one tool on one genome, beside the run on a single
// pair before it: see [readRuns] for the columns. What the single pair took, which is
// loading the index, is taken off, so rates are those of long runs.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "plot: error:", err)
		}
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("plot", flag.ContinueOnError)
	fs.SetOutput(stderr)
	svg := fs.String("svg", "", "picture to write (default: none)")
	title := fs.String("title", "Mapping speed against genome size", "of the picture")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return errors.New("give one file of runs")
	}
	file, err := os.Open(fs.Arg(0))
	if err != nil {
		return err
	}
	defer file.Close()
	runs, err := readRuns(file)
	if err != nil {
		return fmt.Errorf("%s: %w", fs.Arg(0), err)
	}
	results := summarize(runs)
	if *svg != "" {
		if err := os.WriteFile(*svg, draw(results, *title), 0o666); err != nil {
			return err
		}
	}
	return writeTable(stdout, results)
}
