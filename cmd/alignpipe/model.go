package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/alignpipe/alignpipe/internal/model"
	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/reader"
)

const modelHelp = `Simulate a line of stages: how long does it take, and what limits it?

Usage: alignpipe model [flags] STAGES.json

  STAGES.json, or - for standard input, is one object:
    stages                 list of name, service_seconds, service_per_item_seconds, workers (1),
                           queue (items that can wait before it; 0: no bound), batch (1),
                           memory_bytes (of a worker, for each item of its batch), reliability (1)
    items                  how many pass the line (required)
    arrival_seconds        between two items; 0: all are there
    handoff                queue, or barrier: a stage waits until the one before has done all
    in_flight              most items in the line at once; 0: no limit
    contention_per_item    services take this share longer for each item beyond the workers
    memory_cap_bytes       of a stage; batches are cut to it, and the best batch under it is named
    serial_before_seconds, serial_after_seconds
    dependencies           [[item, needed], ...]: an item enters when the needed one has left

      --json   the answer as JSON
  -h, --help

docs/model.md explains the answer. Items times stages may be 5,000,000.

Examples:
  alignpipe model stages.json
  alignpipe model --json - <stages.json
`

func modelCommand(ctx context.Context, args []string, std stdio) error {
	flags := newFlags("model", modelHelp, std)
	asJSON := flags.Bool("json", false, "")
	files, err := parse(flags, args, 1, 1)
	if err != nil {
		return err
	}
	spec, err := readSpec(files[0], std.in)
	if err != nil {
		return modelError(files[0], err)
	}
	answer, err := answerOrStop(ctx, spec)
	if err != nil {
		return modelError(files[0], err)
	}
	if *asJSON {
		return writeAnswer(std.out, answer)
	}
	return tellAnswer(std.out, spec, answer)
}

func readSpec(path string, stdin io.Reader) (*model.Spec, error) {
	if path == pipeline.Stdio {
		return model.ParseSpec(stdin)
	}
	f, err := vfs.OS.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return model.ParseSpec(f)
}

// answerOrStop leaves the simulation alone when the context ends: it takes seconds at most.
func answerOrStop(ctx context.Context, spec *model.Spec) (*model.Answer, error) {
	type outcome struct {
		answer *model.Answer
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		answer, err := spec.Answer()
		done <- outcome{answer, err}
	}()
	select {
	case o := <-done:
		return o.answer, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// modelError names the file, and gives bad input its exit code. Errors of reading name it already.
func modelError(path string, err error) error {
	var bad *model.InputError
	if !errors.As(err, &bad) {
		return err
	}
	if path == pipeline.Stdio {
		path = "standard input"
	}
	return &hinted{fmt.Errorf("%s: %w", path, err), reader.ErrInput, "alignpipe help model"}
}

func writeAnswer(w io.Writer, a *model.Answer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(a)
}

// tellAnswer prints the line in words and the stages as a table.
func tellAnswer(w io.Writer, spec *model.Spec, a *model.Answer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "makespan     %s for %d items\n", seconds(a.MakespanSeconds), spec.Items)
	fmt.Fprintf(&b, "throughput   %s items/s when the line is full, at most %s\n", figure(a.ThroughputPerSecond), figure(a.CeilingPerSecond))
	fmt.Fprintf(&b, "latency      %s (first item %s, mean %s)\n", seconds(a.LatencySeconds), seconds(a.FirstLatencySeconds), seconds(a.MeanLatencySeconds))
	fmt.Fprintf(&b, "limit        %s\n", limitWords(a))
	fmt.Fprintf(&b, "utilisation  %s, bubble %s, %s items in flight\n", percent(a.Utilisation), percent(a.Bubble), figure(a.MeanInFlight))
	if a.Reliability < 1 {
		fmt.Fprintf(&b, "reliability  %.6g: %s good items/s\n", a.Reliability, figure(a.GoodputPerSecond))
	}
	if a.MemoryBytes > 0 {
		fmt.Fprintf(&b, "memory       %s bytes\n", figure(a.MemoryBytes))
	}
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\nstage\tworkers\tbatch\tbusy\tblocked\tidle\tat most/s\tlatency\tmemory\tbest batch\t")
	for i := range a.Stages {
		tellStage(table, &a.Stages[i])
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func limitWords(a *model.Answer) string {
	switch a.LimitKind {
	case model.LimitStage, model.LimitResource:
		return a.LimitKind + " " + a.Limit
	case model.LimitInFlight:
		return "in_flight: more items in the line would help"
	case model.LimitSerial:
		return "the serial parts"
	default:
		return a.Limit
	}
}

func tellStage(w io.Writer, s *model.StageAnswer) {
	all := s.BusySeconds + s.BlockedSeconds + s.IdleSeconds
	best := "-"
	if s.BestBatch != nil {
		best = fmt.Sprintf("%d: %s", *s.BestBatch, seconds(*s.BestBatchMakespanSeconds))
	} else if s.BestBatchReason != "" {
		best = "not tried"
	}
	fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", s.Name, s.Workers, s.Batch, percent(s.BusySeconds/all),
		percent(s.BlockedSeconds/all), percent(s.IdleSeconds/all), figure(s.CeilingPerSecond), seconds(s.LatencySeconds), figure(s.MemoryBytes), best)
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

func seconds(s float64) string { return figure(s) + " s" }

// figure shows four digits, and all of what stands before the point.
func figure(v float64) string {
	if v >= 1000 && v < 1e15 {
		return fmt.Sprintf("%.0f", v)
	}
	if v == math.Trunc(v) {
		return fmt.Sprintf("%g", v)
	}
	return fmt.Sprintf("%.4g", v)
}
