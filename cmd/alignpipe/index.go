package main

import (
	"context"

	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

const indexHelp = `Build the index of a reference once. align takes REF, and uses REF.apx when it is
there and was made from REF as it is now.

Usage: alignpipe index [flags] REF

  REF is FASTA: plain, gzip or BGZF.

  -o, --output FILE   the index (default REF.apx)
  -t, --threads N     threads in all (default: the CPUs this process may use)
  -h, --help

Examples:
  alignpipe index ref.fa
  alignpipe index -t 8 -o /scratch/ref.apx ref.fa.gz
`

func indexCommand(ctx context.Context, args []string, std stdio) error {
	flags := newFlags("index", indexHelp, std)
	out := flags.StringP("output", "o", "", "")
	threads := flags.IntP("threads", "t", 0, "")
	files, err := parse(flags, args, 1, 1)
	if err != nil {
		return err
	}
	if *out == "" {
		*out = files[0] + pipeline.IndexSuffix
	}
	n, err := useThreads(*threads)
	if err != nil {
		return err
	}
	return pipeline.BuildIndex(ctx, vfs.OS, files[0], *out, n)
}
