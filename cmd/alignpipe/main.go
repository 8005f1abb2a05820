// Command alignpipe maps sequencing reads to a reference and writes sorted, indexed BAM.
//
// main is a shell around run: tests call run with their own streams. stdout is data;
// everything said to people goes to stderr, errors as `alignpipe: error:` and, where one
// helps, `alignpipe: hint:`.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/alignpipe/alignpipe/internal/pipeline"
)

// version is what --version prints and @PG VN says.
const version = "0.1.0"

// command is one subcommand; its run returns an error, which main tells and turns into
// an exit code.
type command struct {
	name, about string
	run         func(ctx context.Context, args []string, std stdio) error
}

// stdio are the streams of one call of run.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// commands are in the order that help lists them.
func commands() []command {
	return []command{
		{"align", "map FASTQ reads, write sorted and indexed BAM", alignCommand},
		{"index", "build the index of a reference once, as REF.apx", indexCommand},
		{"gather", "join shards, or other sorted BAM files, into one", gatherCommand},
		{"checksum", "order-independent checksum of the reads in FASTQ or BAM", checksumCommand},
		{"verify", "check that a BAM holds every input read exactly once", verifyCommand},
		{"bench", "what can this machine do: disk, CPU, and the pipeline against both", benchCommand},
		{"whatif", "forecast a run on another machine or with other options, from its report", whatifCommand},
		{"model", "simulate a line of stages: how long does it take, and what limits it", modelCommand},
		{"version", "print the version", versionCommand},
		{"help", "print the help of a command", helpCommand},
	}
}

func main() {
	ctx, caught := cancelOnSignal(context.Background())
	code := run(ctx, os.Args[1:], interruptible(ctx, os.Stdin), os.Stdout, os.Stderr)
	if s := caught(); s != nil {
		dieBy(s)
	}
	os.Exit(code)
}

// run is the program but for signals and exit.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	err := dispatch(ctx, args, stdio{stdin, stdout, stderr})
	switch {
	case err == nil, errors.Is(err, pflag.ErrHelp):
		return pipeline.ExitOK
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "alignpipe: stopped; nothing was left behind")
	case errors.Is(err, syscall.EPIPE):
		// whoever read our output has gone, and knows
	default:
		fmt.Fprintf(stderr, "alignpipe: error: %v\n", err)
		if hint := hintOf(err); hint != "" {
			fmt.Fprintf(stderr, "alignpipe: hint: %s\n", hint)
		}
	}
	return pipeline.ExitCode(err)
}

func dispatch(ctx context.Context, args []string, std stdio) error {
	if len(args) == 0 {
		return pipeline.Misuse("alignpipe help", "no command was given")
	}
	switch args[0] {
	case "-h", "--help":
		return helpCommand(ctx, nil, std)
	case "--version":
		return versionCommand(ctx, nil, std)
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, args[1:], std)
		}
	}
	return pipeline.Misuse("alignpipe help", "there is no command %q", args[0])
}

// parse reads flags and holds the number of other arguments between low and high
// (no bound when negative).
func parse(flags *pflag.FlagSet, args []string, low, high int) ([]string, error) {
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return nil, err
		}
		return nil, pipeline.Misuse("alignpipe help "+flags.Name(), "%w", err)
	}
	n := flags.NArg()
	if n < low || high >= 0 && n > high {
		return nil, pipeline.Misuse("alignpipe help "+flags.Name(), "%s: %s", flags.Name(), countMessage(n, low, high))
	}
	return flags.Args(), nil
}

func countMessage(n, low, high int) string {
	switch {
	case high < 0:
		return fmt.Sprintf("%d files were given, at least %d are needed", n, low)
	case low == high:
		return fmt.Sprintf("%d files were given, not %d", n, low)
	default:
		return fmt.Sprintf("%d files were given, not %d to %d", n, low, high)
	}
}

// newFlags makes a flag set whose -h prints help on stdout.
func newFlags(name, help string, std stdio) *pflag.FlagSet {
	flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
	flags.SortFlags = false
	flags.SetOutput(io.Discard)
	flags.Usage = func() { fmt.Fprint(std.out, help) }
	return flags
}
