package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"syscall"

	"github.com/alignpipe/alignpipe/internal/gather"
	"github.com/alignpipe/alignpipe/internal/host"
	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/reader"
)

const gatherHelp = `Join BAM files that are sorted by coordinate into one, with its index.

Usage: alignpipe gather -o OUT [flags] PART...

  PART is a BAM file, or a folder that align --shards wrote. Parts that follow each other, in
  whatever order they are named, are joined by copying their compressed blocks; parts that
  overlap are merged, and of records that sort alike those of the part named first come first.

  -o, --output PATH    .bam, or - for standard output (required)
  -t, --threads N      threads in all (default: the CPUs this process may use)
  -m, --memory SIZE    for the whole program (default: 80 % of what Slurm, cgroup or RAM allows)
  -T, --tmpdir DIR     for a merge of more parts than fit at once (default $TMPDIR, /tmp)
  -l, --level 0-9      of compression, where parts are merged (default 1)
      --index KIND     bai, csi or none (default bai; csi for references over 512 Mb)
  -q, --quiet          errors only
  -h, --help

Parts of other references, or with read groups that contradict each other, are refused, and so is
a part that is cut short. Copied blocks are not inflated: damage inside of one is not seen.

Examples:
  alignpipe gather -o out.bam shards/
  alignpipe gather -o out.bam lane1.bam lane2.bam lane3.bam
`

func gatherCommand(ctx context.Context, args []string, std stdio) error {
	var memory, index string
	cfg := gather.Config{FS: vfs.OS, Stdout: std.out}
	flags := newFlags("gather", gatherHelp, std)
	flags.StringVarP(&cfg.Output, "output", "o", "", "")
	flags.IntVarP(&cfg.Threads, "threads", "t", 0, "")
	flags.StringVarP(&memory, "memory", "m", "", "")
	flags.StringVarP(&cfg.TempDir, "tmpdir", "T", "", "")
	flags.IntVarP(&cfg.Level, "level", "l", 1, "")
	flags.StringVar(&index, "index", "", "")
	quiet := flags.BoolP("quiet", "q", false, "")
	parts, err := parse(flags, args, 1, -1)
	if err != nil {
		return err
	}
	if flags.Changed("threads") && cfg.Threads < 1 {
		return pipeline.Misuse("", "--threads %d: at least one is needed", cfg.Threads)
	}
	cfg.Parts = parts
	if err := interpretGather(&cfg, memory, index); err != nil {
		return err
	}
	result, err := gather.Run(ctx, cfg)
	if err != nil {
		return gatherError(err)
	}
	if *quiet {
		return nil
	}
	return tellGathered(result, std.err)
}

// interpretGather turns words into values, and finds the limits of this process.
func interpretGather(cfg *gather.Config, memory, index string) (err error) {
	cfg.Index, err = choose("index", index, map[string]gather.IndexChoice{
		"": gather.IndexAuto, "bai": gather.IndexBAI, "csi": gather.IndexCSI, "none": gather.IndexNone})
	if err != nil {
		return err
	}
	if cfg.Threads, err = useThreads(cfg.Threads); err != nil {
		return err
	}
	if memory != "" {
		if cfg.Memory, err = pipeline.ParseSize(memory); err != nil {
			return pipeline.Misuse("", "--memory: %w", err)
		}
	} else if limit, _ := host.MemoryLimit(); limit > 0 {
		cfg.Memory = limit / 5 * 4
	}
	if cfg.Memory > 0 {
		debug.SetMemoryLimit(cfg.Memory)
	}
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) == nil {
		cfg.MaxOpen = int(min(files.Cur, 1<<20))
	}
	return nil
}

func tellGathered(r gather.Result, w io.Writer) error {
	how := "blocks copied"
	if !r.Copied {
		how = "merged"
	}
	if r.Passes > 1 {
		how += fmt.Sprintf(" in %d passes", r.Passes)
	}
	if r.Scanned > 0 {
		how += fmt.Sprintf(", %d read to make their index", r.Scanned)
	}
	_, err := fmt.Fprintf(w, "alignpipe: gathered %d parts: %d records, %.1f MB, %s\n", r.Parts, r.Records, float64(r.Bytes)/1e6, how)
	return err
}

// gatherError gives an error of gather the class that its exit code comes from.
func gatherError(err error) error {
	var g *gather.Error
	if !errors.As(err, &g) || errors.Is(err, context.Canceled) {
		return err
	}
	classes := map[gather.Class]error{gather.BadCall: pipeline.ErrMisuse, gather.BadData: reader.ErrInput, gather.BadOutput: pipeline.ErrOutput}
	hint := g.Hint
	if hint == "" && (errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)) {
		hint = "free some space, or choose another folder with -o or -T"
	}
	return &hinted{err, classes[g.Class], hint}
}

// hinted is an error of another package with its class for [errors.Is], and a hint.
type hinted struct {
	error
	class error
	hint  string
}

func (h *hinted) Unwrap() []error { return []error{h.error, h.class} }

// hintOf is the advice that belongs to an error, or empty.
func hintOf(err error) string {
	var h *hinted
	if errors.As(err, &h) {
		return h.hint
	}
	return pipeline.Hint(err)
}
