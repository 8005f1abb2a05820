package main

import (
	"context"
	"fmt"
	"io"

	"github.com/alignpipe/alignpipe/internal/bench"
	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/report"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

const benchHelp = `Measure what this machine can do, disk, memory and cores, and the pipeline against it.

Usage: alignpipe bench [flags] [READS_2]

  Takes up to two minutes. It runs on made-up reads, or on the first of those given;
  all files it makes are removed.

      --input-dir DIR      where reads lie (default: the folder of --reads, or .)
  -T, --tmpdir DIR         where sorted runs would lie (default .)
  -o, --output DIR         where outputs would lie (default .)
      --ref REF            FASTA or .apx index (default: made up)
      --reads READS_1      FASTQ; a second file of mates may follow (default: made up)
      --handoff WAY        compare by: queue, barrier, or both (default both)
  -t, --threads N          threads of a run (default: the CPUs this process may use)
  -m, --memory SIZE        of a run (default: 80 % of what Slurm, cgroup or RAM allows)
  -l, --level 0-9          of compression (default 1)
      --quick              a few seconds, rough figures
      --json               all figures as JSON
  -q, --quiet              do not tell what is measured
  -h, --help

Examples:
  alignpipe bench -o /scratch/out -T /scratch/tmp
  alignpipe bench --json --ref ref.fa --reads reads_1.fq.gz reads_2.fq.gz > bench.json
`

// benchFlags are the flags as they stand on the command line.
type benchFlags struct {
	memory, reads, handoff string
	json, quiet            bool
	cfg                    bench.Config
}

func benchCommand(ctx context.Context, args []string, std stdio) error {
	var b benchFlags
	flags := newFlags("bench", benchHelp, std)
	flags.StringVar(&b.cfg.InputDir, "input-dir", "", "")
	flags.StringVarP(&b.cfg.TempDir, "tmpdir", "T", "", "")
	flags.StringVarP(&b.cfg.OutputDir, "output", "o", "", "")
	flags.StringVar(&b.cfg.Ref, "ref", "", "")
	flags.StringVar(&b.reads, "reads", "", "")
	flags.StringVar(&b.handoff, "handoff", string(bench.HandoffBoth), "")
	flags.IntVarP(&b.cfg.Threads, "threads", "t", 0, "")
	flags.StringVarP(&b.memory, "memory", "m", "", "")
	flags.IntVarP(&b.cfg.Level, "level", "l", 1, "")
	flags.BoolVar(&b.cfg.Quick, "quick", false, "")
	flags.BoolVar(&b.json, "json", false, "")
	flags.BoolVarP(&b.quiet, "quiet", "q", false, "")
	files, err := parse(flags, args, 0, 1)
	if err != nil {
		return err
	}
	if err := b.interpret(files, std); err != nil {
		return err
	}
	result, err := bench.Run(ctx, b.cfg)
	if err != nil {
		return err
	}
	if b.json {
		return bench.WriteJSON(std.out, result)
	}
	return bench.WriteTable(std.out, result)
}

// interpret turns words into values.
func (b *benchFlags) interpret(mates []string, std stdio) (err error) {
	if b.reads == "" && len(mates) > 0 {
		return pipeline.Misuse("give the first file with --reads", "%s: reads of which mates?", mates[0])
	}
	if b.reads != "" {
		b.cfg.Reads = append([]string{b.reads}, mates...)
	}
	if b.cfg.Handoff, err = choose("handoff", b.handoff, map[string]bench.Handoff{"queue": bench.HandoffQueue,
		"barrier": bench.HandoffBarrier, "both": bench.HandoffBoth}); err != nil {
		return err
	}
	if b.memory != "" {
		if b.cfg.Memory, err = pipeline.ParseSize(b.memory); err != nil {
			return pipeline.Misuse("", "--memory: %w", err)
		}
	}
	if b.cfg.Threads, err = useThreads(b.cfg.Threads); err != nil {
		return err
	}
	b.cfg.FS, b.cfg.Version = vfs.OS, version
	b.cfg.Verdict = func(r *pipeline.Result) (class, stage string) {
		v := report.Build(r.Report(version, nil)).Verdict
		if v.Stage != nil {
			stage = *v.Stage
		}
		return v.Class, stage
	}
	if !b.quiet {
		b.cfg.Say = progress(std.err)
	}
	return nil
}

// progress tells what is measured now.
func progress(w io.Writer) func(string) {
	return func(what string) { fmt.Fprintf(w, "alignpipe: measuring %s\n", what) }
}
