package main

import (
	"context"
	"fmt"

	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

const indexHelp = `Build the index of a reference once. align takes REF, and uses REF.apx when it is
there and was made from REF as it is now.

Usage: alignpipe index [flags] REF
       alignpipe index --check INDEX

  REF is FASTA: plain, gzip or BGZF.

  -o, --output FILE   the index (default REF.apx)
  -t, --threads N     threads in all (default: the CPUs this process may use)
      --check         build nothing; read a whole index and compare its checksum, which align
                      does not: it opens an index in milliseconds
  -h, --help

Examples:
  alignpipe index ref.fa
  alignpipe index -t 8 -o /scratch/ref.apx ref.fa.gz
  alignpipe index --check /scratch/ref.apx
`

func indexCommand(ctx context.Context, args []string, std stdio) error {
	flags := newFlags("index", indexHelp, std)
	out := flags.StringP("output", "o", "", "")
	threads := flags.IntP("threads", "t", 0, "")
	check := flags.Bool("check", false, "")
	files, err := parse(flags, args, 1, 1)
	if err != nil {
		return err
	}
	if *check {
		return checkIndex(files[0], *out, std)
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

func checkIndex(path, out string, std stdio) error {
	if out != "" {
		return pipeline.Misuse("", "--check writes no index, so --output makes no sense")
	}
	if err := pipeline.CheckIndex(vfs.OS, path); err != nil {
		return err
	}
	_, err := fmt.Fprintf(std.out, "ok: %s\n", path)
	return err
}
