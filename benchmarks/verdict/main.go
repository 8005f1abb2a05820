// Verdict holds the verdict of alignpipe against runs of which it is known what limits them.
//
//	verdict run -seed S -count N [-truth M] [-classes LIST] -work DIR -results FILE
//	verdict one -seed S -index I [-count N] [-truth M] [-class NAME] -work DIR
//	verdict list -seed S -count N [-truth M]
//	verdict table FILE...
//
// Run it from the folder of the module: it builds what it needs. run plays the scenarios 0 to N-1 of a seed, and adds a
// line of JSON for each to FILE; those that are there already are left out, so it can be stopped at any time and
// started again. table turns such files into Markdown.
//
// A scenario is a run of a few seconds in a world that is bad in one way: a slow disk, a slow producer, a quota,
// a neighbour, a stage that is dragged, and so on. generate.go draws it from the seed, with decoys: what
// looks like a limit and is none. How bad it is depends on the machine, so it is first run without all that, to
// see what it takes by itself (a profile, kept in DIR), and then tune.go makes the constraint just so bad that it must be the
// limit. The class it was made for is its label.
//
// For M of the scenarios the truth is measured: three knobs, that of the label and those that the verdict names first, and one more,
// are really turned, one at a time, by 1.5 where they have a size. The runs take turns, -rounds times, every other
// time backwards. The gain of a knob is the median of the rounds' ratios; knobs whose interval reaches the best's are right answers.
//
// Slow disks are a layer in the process (package slowfs), or loop devices that the kernel throttles, for which, as for quotas, the
// harness has to be root and the control groups version 1; what cannot be had is skipped, with the reason. Each run is a process of its
// own: this program as the pipeline where there are slow layers or drags, else alignpipe as it is shipped.
//
// The noise guard waits for a quiet machine before each run, and rejects one, up to four times, in which other programs
// used more than 5 % of the CPUs or more than 2 % were stolen. The table says how many.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "verdict: error:", err)
		}
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return errors.New("give run, one, list or table; the head of main.go says more")
	}
	o := options{stdout: stdout, stderr: stderr}
	switch args[0] {
	case "run":
		return o.withHarness(args, (*options).campaign)
	case "one":
		return o.withHarness(args, (*options).one)
	case "list":
		return o.list(args)
	case "table":
		return tableCommand(args[1:], stdout)
	}
	return helper(args)
}

// options are those of the commands.
type options struct {
	stdout, stderr io.Writer
	plan           plan
	index          int
	work, results  string
	verbose        bool
	h              *harness
}

func (o *options) flags(name string) (fs *flag.FlagSet, finish func() error) {
	fs = flag.NewFlagSet("verdict "+name, flag.ContinueOnError)
	fs.SetOutput(o.stderr)
	fs.Uint64Var(&o.plan.seed, "seed", 1, "another seed gives other scenarios")
	fs.IntVar(&o.plan.count, "count", 120, "number of scenarios")
	fs.IntVar(&o.plan.truths, "truth", 40, "how many of them have their constraints relaxed")
	names := fs.String("classes", strings.Join(classes, ","), "classes to take turns with")
	fs.StringVar(names, "class", *names, "the same, for one")
	fs.IntVar(&o.index, "index", 0, "of the scenario")
	fs.StringVar(&o.work, "work", "", "folder for data, devices and runs; some 5 GB")
	fs.StringVar(&o.results, "results", "", "file that results are added to")
	fs.BoolVar(&o.verbose, "v", false, "tell more")
	return fs, func() error {
		o.plan.classes = strings.Split(*names, ",")
		for _, c := range o.plan.classes {
			if !slices.Contains(classes, c) {
				return fmt.Errorf("there is no class %q", c)
			}
		}
		return nil
	}
}

// withHarness runs a command with a harness, and takes away what that made, also after an interrupt.
func (o *options) withHarness(args []string, command func(*options, context.Context) error) (err error) {
	fs, finish := o.flags(args[0])
	rounds := fs.Int("rounds", 3, "how often each knob is turned")
	hold := fs.String("hold", "", "no run begins while this file exists")
	binary := fs.String("alignpipe", "", "program to use (default: built from this module)")
	keep := fs.Bool("keep", false, "leave the files of the last run in the work folder")
	guard := fs.Bool("guard", true, "false, for one only: reject no slot, to see whether a scenario works at all")
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	if err := finish(); err != nil {
		return err
	}
	if o.work == "" || fs.NArg() > 0 || *rounds < 3 {
		return errors.New("-work DIR is needed, three rounds or more, and nothing that is no flag")
	}
	if !*guard && args[0] != "one" {
		return errors.New("results without the noise guard are none")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	o.h, err = newHarness(o.work, func(format string, args ...any) { fmt.Fprintf(o.stderr, format+"\n", args...) })
	if err != nil {
		return err
	}
	o.h.rounds, o.h.hold, o.h.keep, o.h.guard = *rounds, *hold, *keep, *guard
	if *binary != "" {
		o.h.data.tools["alignpipe"] = *binary
	}
	defer func() { err = errors.Join(err, o.h.close()) }()
	return command(o, ctx)
}

// campaign plays all scenarios that have no result yet.
func (o *options) campaign(ctx context.Context) error {
	if o.results == "" {
		return errors.New("-results FILE is needed")
	}
	results, end, err := loadResults(o.results)
	if err != nil {
		return err
	}
	have := done(results)
	commit := currentCommit(ctx)
	for i := range o.plan.count {
		s := o.plan.scenario(i)
		if have[key{s.Seed, s.Index}] {
			continue
		}
		r, err := o.playOne(ctx, s)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.Skipped = skippedFailed + err.Error()
		}
		r.Commit = commit
		if end, err = appendResult(o.results, end, &r); err != nil {
			return err
		}
	}
	return nil
}

func currentCommit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// playOne plays a scenario and says in a line or two what came of it.
func (o *options) playOne(ctx context.Context, s Scenario) (Result, error) {
	fmt.Fprintf(o.stderr, "%d/%d %s %s: %s\n", s.Seed, s.Index, s.Class, s.Stage, s.brief())
	r, err := o.h.play(ctx, s)
	switch {
	case err != nil:
		fmt.Fprintf(o.stderr, "  failed: %v\n", err)
	case r.Skipped != "":
		fmt.Fprintf(o.stderr, "  skipped: %s\n", r.Skipped)
	default:
		fmt.Fprintf(o.stderr, "  %.2f s: %s, confidence %.2f\n", r.Base.WallSeconds, verdictName(&r.Verdict), r.Verdict.Confidence)
		if r.Truth != nil {
			fmt.Fprintf(o.stderr, "  truth: %s\n", r.Truth)
		}
	}
	return r, err
}

// one plays a single scenario and explains it.
func (o *options) one(ctx context.Context) error {
	s := o.plan.scenario(o.index)
	r, err := o.playOne(ctx, s)
	if err != nil {
		return err
	}
	explain(o.stdout, &r, o.verbose)
	return nil
}

func (o *options) list(args []string) error {
	fs, finish := o.flags("list")
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	if err := finish(); err != nil {
		return err
	}
	for i := range o.plan.count {
		s := o.plan.scenario(i)
		fmt.Fprintf(o.stdout, "%d\t%s\t%s\ttruth=%v\t%s\n", i, s.Class, s.Stage, s.Truth, s.brief())
	}
	return nil
}
