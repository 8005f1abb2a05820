package main

import (
	"context"
	"io"
	"log/slog"
	"runtime"

	"github.com/alignpipe/alignpipe/internal/host"
	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

const alignHelp = `Map reads to a reference; write BAM, sorted by coordinate and indexed.

Usage: alignpipe align -o OUT [flags] REF READS_1 [READS_2]

  REF is FASTA (plain, gzip, BGZF) or an .apx index; REF.apx is used when it matches.
  READS are FASTQ: plain, gzip, BGZF, or - for standard input.

  -o, --output PATH        .bam, .sam, a folder with --shards, - for standard output (required)
      --format bam|sam     default by the ending; BAM for -
  -t, --threads N          threads in all (default: the CPUs this process may use)
  -m, --memory SIZE        for the whole program, as 512M or 1.5G
                           (default: 80 % of what Slurm, cgroup or RAM allows)
  -T, --tmpdir DIR         for sorted runs, in a private folder (default $TMPDIR, /tmp)
  -R, --read-group LINE    as '@RG\tID:s1\tSM:s1' (default: none)
  -p, --interleaved        READS_1 holds both mates
  -C, --comments           append FASTQ comments, in SAM tag form, to the records
      --orientation O      of mates: fr, rf or ff (default fr)
      --sort ORDER         coordinate, name (as samtools sort -n), or none: as the reads come,
                           mates together (default coordinate)
      --mark-duplicates    set flag 0x400 as samtools markdup does; counts in OUT.duplicates.txt
      --optical-distance N count those that close to a better one as optical, in pixels
      --shards N           N coordinate ranges, each an indexed BAM, and manifest.json
  -l, --level 0-9          of compression (default 1)
      --index KIND         bai, csi or none (default bai; csi for references over 512 Mb)
      --on-bad-record ACT  fail or skip; skip counts and lists them (default fail)
      --report FILE.json   what the run did and what limited it
      --no-auto            keep the first split of workers and the first in-flight limit
  -q, --quiet              errors only
  -v, --verbose            tell the plan as well
  -h, --help

Examples:
  alignpipe align -o out.bam -R '@RG\tID:s1\tSM:s1' ref.fa reads_1.fq.gz reads_2.fq.gz
  zcat reads.fq.gz | alignpipe align -t 8 -m 4G --sort none -o - ref.fa - | samtools flagstat -
`

// alignFlags are the flags as they stand on the command line.
type alignFlags struct {
	format, memory, readGroup, orientation, sort, index, onBad string
	report, args                                               []string
	quiet, verbose                                             bool
	cfg                                                        pipeline.Config
}

func alignCommand(ctx context.Context, args []string, std stdio) error {
	a := alignFlags{args: args}
	flags := newFlags("align", alignHelp, std)
	flags.StringVarP(&a.cfg.Output, "output", "o", "", "")
	flags.StringVar(&a.format, "format", "", "")
	flags.IntVarP(&a.cfg.Threads, "threads", "t", 0, "")
	flags.StringVarP(&a.memory, "memory", "m", "", "")
	flags.StringVarP(&a.cfg.TempDir, "tmpdir", "T", "", "")
	flags.StringVarP(&a.readGroup, "read-group", "R", "", "")
	flags.BoolVarP(&a.cfg.Interleaved, "interleaved", "p", false, "")
	flags.BoolVarP(&a.cfg.Comments, "comments", "C", false, "")
	flags.StringVar(&a.orientation, "orientation", "fr", "")
	flags.StringVar(&a.sort, "sort", "coordinate", "")
	flags.BoolVar(&a.cfg.MarkDuplicates, "mark-duplicates", false, "")
	flags.IntVar(&a.cfg.OpticalDistance, "optical-distance", 0, "")
	flags.IntVar(&a.cfg.Shards, "shards", 0, "")
	flags.IntVarP(&a.cfg.Level, "level", "l", 1, "")
	flags.StringVar(&a.index, "index", "", "")
	flags.StringVar(&a.onBad, "on-bad-record", "fail", "")
	flags.StringArrayVar(&a.report, "report", nil, "")
	flags.BoolVar(&a.cfg.Tuning.FixedSplit, "no-auto", false, "")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "")
	files, err := parse(flags, args, 2, 3)
	if err != nil {
		return err
	}
	if flags.Changed("shards") && a.cfg.Shards < 1 {
		return pipeline.Misuse("", "--shards %d: at least one is needed", a.cfg.Shards)
	}
	if flags.Changed("threads") && a.cfg.Threads < 1 {
		return pipeline.Misuse("", "--threads %d: at least one is needed", a.cfg.Threads)
	}
	a.cfg.Ref, a.cfg.Reads = files[0], files[1:]
	return a.run(ctx, std)
}

func (a *alignFlags) run(ctx context.Context, std stdio) error {
	if err := a.interpret(); err != nil {
		return err
	}
	threads, err := useThreads(a.cfg.Threads)
	if err != nil {
		return err
	}
	a.cfg.Threads = threads
	a.cfg.FS, a.cfg.Stdin, a.cfg.Stdout, a.cfg.Version = vfs.OS, std.in, std.out, version
	a.cfg.Log = a.logger(std.err)
	result, err := pipeline.Run(ctx, a.cfg)
	if err != nil {
		return err
	}
	return a.tell(result, std.err)
}

// interpret turns words into values.
func (a *alignFlags) interpret() (err error) {
	if a.cfg.Format, err = choose("format", a.format, map[string]pipeline.Format{
		"": pipeline.FormatAuto, "bam": pipeline.FormatBAM, "sam": pipeline.FormatSAM}); err != nil {
		return err
	}
	if a.cfg.Index, err = choose("index", a.index, map[string]pipeline.IndexChoice{"": pipeline.IndexAuto,
		"bai": pipeline.IndexBAI, "csi": pipeline.IndexCSI, "none": pipeline.IndexNone}); err != nil {
		return err
	}
	if a.cfg.Orientation, err = choose("orientation", a.orientation, pipeline.Orientations()); err != nil {
		return err
	}
	if a.cfg.Sort, err = choose("sort", a.sort, map[string]pipeline.SortOrder{
		"coordinate": pipeline.SortCoordinate, "name": pipeline.SortName, "none": pipeline.SortNone}); err != nil {
		return err
	}
	if a.cfg.SkipBad, err = choose("on-bad-record", a.onBad, map[string]bool{"fail": false, "skip": true}); err != nil {
		return err
	}
	if a.memory != "" {
		if a.cfg.Memory, err = pipeline.ParseSize(a.memory); err != nil {
			return pipeline.Misuse("", "--memory: %w", err)
		}
	}
	for _, path := range a.report {
		if err := checkReportName(path); err != nil {
			return err
		}
	}
	a.cfg.ReadGroup, err = pipeline.ParseReadGroup(a.readGroup)
	return err
}

// choose looks a word up; the empty word is not named as a choice.
func choose[T any](flag, word string, values map[string]T) (T, error) {
	v, ok := values[word]
	if !ok {
		return v, pipeline.Misuse("alignpipe help align", "--%s cannot be %q", flag, word)
	}
	return v, nil
}

// logger tells warnings, with -v the plan as well, with -q nothing.
func (a *alignFlags) logger(w io.Writer) *slog.Logger {
	level := slog.LevelWarn
	switch {
	case a.quiet:
		return slog.New(slog.DiscardHandler)
	case a.verbose:
		level = slog.LevelInfo
	}
	return slog.New(&talker{w: w, level: level})
}

// useThreads sets the bound on running threads of the process, and returns it.
func useThreads(n int) (int, error) {
	if n < 0 {
		return 0, pipeline.Misuse("", "--threads %d: at least one is needed", n)
	}
	if n == 0 {
		n = host.Threads()
	}
	runtime.GOMAXPROCS(n)
	return n, nil
}
