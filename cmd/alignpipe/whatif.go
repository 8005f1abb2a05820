package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/report"
	"github.com/alignpipe/alignpipe/internal/verdict"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/internal/whatif"
)

const whatifHelp = `Forecast what a run would have taken on another machine or with other options.

Usage: alignpipe whatif REPORT.json [knobs]

REPORT.json is what 'alignpipe align --report' wrote. Without knobs every one that makes sense is
tried alone, and those that change nothing are listed. Knobs given together are turned together.

      --cores N            CPUs, and as many threads
      --quota N            CPUs that the control group (container, job) allows
      --quiet-machine      no other programs on the same CPUs
      --input-disk Fx      F times as fast; free for one that takes no time
      --spill-disk Fx      that of the temporary folder
      --output-disk Fx
      --disk Fx            all three
      --input-cached       the reads are in the page cache
      --bgzf               the reads are BGZF instead of gzip
      --upstream Fx        the program that writes into the input pipe
      --downstream Fx      the program that reads the output pipe
  -l, --level 0-9          of compression; measured on blocks of the run's output
      --shards N
  -m, --memory SIZE
      --in-flight N        batches of reads
      --index-ready        the index is built, and in memory
      --stage NAME=Fx      a stage (repeatable)
      --json
  -h, --help
`

func whatifCommand(_ context.Context, args []string, std stdio) error {
	flags := newFlags("whatif", whatifHelp, std)
	k := whatif.Knobs{Stages: map[string]float64{}}
	speeds := map[string]*float64{"input-disk": &k.Input, "spill-disk": &k.Spill, "output-disk": &k.Output, "disk": &k.Disk,
		"upstream": &k.Upstream, "downstream": &k.Downstream}
	for name, to := range speeds {
		flags.Var((*speed)(to), name, "")
	}
	flags.Float64Var(&k.Cores, "cores", 0, "")
	flags.Float64Var(&k.Quota, "quota", 0, "")
	flags.BoolVar(&k.QuietHost, "quiet-machine", false, "")
	flags.BoolVar(&k.Cached, "input-cached", false, "")
	flags.BoolVar(&k.BGZF, "bgzf", false, "")
	level := flags.IntP("level", "l", 0, "")
	flags.IntVar(&k.Shards, "shards", 0, "")
	memory := flags.StringP("memory", "m", "", "")
	flags.IntVar(&k.InFlight, "in-flight", 0, "")
	flags.BoolVar(&k.IndexReady, "index-ready", false, "")
	flags.Var(stageSpeeds(k.Stages), "stage", "")
	asJSON := flags.Bool("json", false, "")
	files, err := parse(flags, args, 1, 1)
	if err != nil {
		return err
	}
	if flags.Changed("level") {
		if *level < 0 || *level > 9 {
			return pipeline.Misuse("", "level %d is not between 0 and 9", *level)
		}
		k.Level = level
	}
	if err := checkKnobs(flags); err != nil {
		return err
	}
	if *memory != "" {
		if k.Memory, err = pipeline.ParseSize(*memory); err != nil {
			return pipeline.Misuse("", "--memory: %w", err)
		}
	}
	r, err := readReport(files[0])
	if err != nil {
		return err
	}
	return askAll(std.out, r, k, turned(flags), *asJSON)
}

// checkKnobs refuses numbers that cannot be.
func checkKnobs(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "cores", "quota", "shards", "in-flight":
			if n, _ := strconv.ParseFloat(f.Value.String(), 64); !(n > 0) {
				err = pipeline.Misuse("", "--%s %s: it must be above 0", f.Name, f.Value)
			}
		}
	})
	return err
}

// turned are the knobs that the user gave.
func turned(flags *pflag.FlagSet) []string {
	var all []string
	flags.Visit(func(f *pflag.Flag) {
		if f.Name != "json" {
			all = append(all, f.Name)
		}
	})
	return all
}

func readReport(path string) (*report.Report, error) {
	f, err := vfs.OS.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	var r report.Report
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, pipeline.BadData("alignpipe align --report REPORT.json writes one", "%s: %w", path, err)
	}
	if r.SchemaVersion != report.SchemaVersion || len(r.Model.Phases) == 0 {
		return nil, pipeline.BadData("", "%s: no report of this version of alignpipe", path)
	}
	return &r, nil
}

// answers is what --json prints.
type answers struct {
	MeasuredWallSeconds float64      `json:"measured_wall_seconds"`
	Verdict             string       `json:"verdict"`
	Rows                []whatif.Row `json:"forecasts"`
}

func askAll(w io.Writer, r *report.Report, k whatif.Knobs, given []string, asJSON bool) error {
	var rows []whatif.Row
	if len(given) == 0 {
		rows = whatif.Survey(r)
	} else {
		f, err := k.Ask(r)
		if errors.Is(err, verdict.ErrNoData) {
			return pipeline.BadData("", "no forecast: %w", err)
		}
		if err != nil {
			return err
		}
		rows = []whatif.Row{{Knob: strings.Join(given, " + "), Change: "as given", Forecast: &f, FreeReason: "not asked for"}}
	}
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(answers{r.WallSeconds, r.Verdict.Class, rows})
	}
	return printForecasts(w, r, rows)
}

// printForecasts draws the table, what has no effect below it.
func printForecasts(w io.Writer, r *report.Report, rows []whatif.Row) error {
	fmt.Fprintf(w, "measured: %.1f s, %.0f reads/s, limited by %s\n\n", r.WallSeconds, float64(r.Reads.Total)/r.WallSeconds, r.Verdict.Name())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "what if\tchange\twall s\treads/s\tspeed-up\t90 % interval\tif free\tlimit becomes")
	var none, unknown []string
	for _, row := range rows {
		f := row.Forecast
		switch {
		case f == nil:
			unknown = append(unknown, fmt.Sprintf("%s (%s): %s", row.Knob, row.Change, row.Reason))
		case f.NoEffect && len(rows) > 1:
			none = append(none, fmt.Sprintf("%s (%s)", row.Knob, row.Change))
		default:
			free := "-"
			if row.Free != nil {
				free = fmt.Sprintf("%.2fx", row.Free.Speedup)
			}
			fmt.Fprintf(t, "%s\t%s\t%.1f\t%.0f\t%.2fx\t%.2f to %.2fx\t%s\t%s\n", row.Knob, row.Change, f.WallSeconds, *f.ReadsPerSecond,
				f.Speedup, f.SpeedupLow, f.SpeedupHigh, free, f.Limit)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(none) > 0 {
		fmt.Fprintf(w, "\nno effect: %s\n", strings.Join(none, ", "))
	}
	for _, line := range unknown {
		fmt.Fprintf(w, "not known: %s\n", line)
	}
	if len(rows) == 1 && rows[0].Forecast != nil {
		fmt.Fprintf(w, "\nbasis: %s\n", rows[0].Forecast.Basis)
	}
	return nil
}

// speed is a flag such as 2x, 1.5, or free.
type speed float64

func (s *speed) String() string {
	if *s == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(*s), 'g', -1, 64) + "x"
}

func (*speed) Type() string { return "factor" }

func (s *speed) Set(text string) error {
	if text == "free" {
		*s = whatif.Free
		return nil
	}
	f, err := strconv.ParseFloat(strings.TrimSuffix(text, "x"), 64)
	if err != nil || !(f > 0) || f > whatif.Free {
		return fmt.Errorf("%q is no factor such as 2x", text)
	}
	*s = speed(f)
	return nil
}

// stageSpeeds is the flag --stage NAME=Fx.
type stageSpeeds map[string]float64

func (stageSpeeds) String() string { return "" }

func (stageSpeeds) Type() string { return "name=factor" }

func (s stageSpeeds) Set(text string) error {
	name, factor, ok := strings.Cut(text, "=")
	var f speed
	if !ok || name == "" {
		return fmt.Errorf("%q is not NAME=FACTOR", text)
	}
	if err := f.Set(factor); err != nil {
		return err
	}
	s[name] = float64(f)
	return nil
}
