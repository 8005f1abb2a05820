package main

import (
	"context"
	"fmt"

	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

const verifyHelp = `Check that a BAM holds every input read exactly once, unchanged: the file is read
again with a decoder that shares nothing with the writer. Also checked: the end-of-file block,
coordinate order unless its header says otherwise, and that mates agree about each other.

Usage: alignpipe verify --bam OUT [flags] READS_1 [READS_2]

  READS are FASTQ: plain, gzip, BGZF, or - for standard input.

      --bam OUT       a BAM file, or a folder of shards with its manifest (required)
  -p, --interleaved   READS_1 holds both mates
  -t, --threads N     threads in all (default: the CPUs this process may use)
  -q, --quiet         say nothing when all is well
  -h, --help

Examples:
  alignpipe verify --bam out.bam reads_1.fq.gz reads_2.fq.gz
  alignpipe verify --bam shards/ -p interleaved.fq
`

func verifyCommand(ctx context.Context, args []string, std stdio) error {
	flags := newFlags("verify", verifyHelp, std)
	bam := flags.String("bam", "", "")
	interleaved := flags.BoolP("interleaved", "p", false, "")
	threads := flags.IntP("threads", "t", 0, "")
	quiet := flags.BoolP("quiet", "q", false, "")
	files, err := parse(flags, args, 1, 2)
	if err != nil {
		return err
	}
	if *bam == "" {
		return pipeline.Misuse("alignpipe help verify", "verify: --bam is missing")
	}
	n, err := useThreads(*threads)
	if err != nil {
		return err
	}
	src := pipeline.Source{FS: vfs.OS, Stdin: std.in, Paths: files, Interleaved: *interleaved, Threads: n}
	got, err := pipeline.Verify(ctx, src, *bam)
	if err != nil || *quiet {
		return err
	}
	_, err = fmt.Fprintf(std.out, "ok: %d reads, %d mapped, %d supplementary records; %s\n",
		got.Reads.Count, got.Mapped, got.Supplementary, got.Reads)
	return err
}
