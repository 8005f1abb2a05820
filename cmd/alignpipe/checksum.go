package main

import (
	"context"
	"fmt"

	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

const checksumHelp = `Print an order-independent checksum of the reads in each file: COUNT:HEX, two
blanks, the file. Equal sums mean the same reads (name, mate, bases, qualities), in any
order; of BAM the primary records count, turned back to read orientation.

Usage: alignpipe checksum [flags] FILE...

  FILE is FASTQ (plain, gzip, BGZF, or - for standard input), BAM, or a folder of shards.

      --pair          FASTQ files come in twos, mates 1 and 2; one line for each pair
  -p, --interleaved   a FASTQ file holds both mates in turn
  -t, --threads N     threads in all (default: the CPUs this process may use)
  -h, --help

Without --pair or -p the reads of FASTQ count as unpaired, and so differ from those of a
BAM of pairs.

Examples:
  alignpipe checksum --pair reads_1.fq.gz reads_2.fq.gz
  alignpipe checksum out.bam
`

func checksumCommand(ctx context.Context, args []string, std stdio) error {
	flags := newFlags("checksum", checksumHelp, std)
	pair := flags.Bool("pair", false, "")
	interleaved := flags.BoolP("interleaved", "p", false, "")
	threads := flags.IntP("threads", "t", 0, "")
	files, err := parse(flags, args, 1, -1)
	if err != nil {
		return err
	}
	if *pair && *interleaved {
		return pipeline.Misuse("", "--pair and --interleaved exclude each other")
	}
	n, err := useThreads(*threads)
	if err != nil {
		return err
	}
	src := pipeline.Source{FS: vfs.OS, Stdin: std.in, Interleaved: *interleaved, Threads: n}
	for len(files) > 0 {
		used, err := checksumNext(ctx, src, files, *pair, std)
		if err != nil {
			return err
		}
		files = files[used:]
	}
	return nil
}

// checksumNext prints one line and tells how many files it stands for.
func checksumNext(ctx context.Context, src pipeline.Source, files []string, pair bool, std stdio) (used int, err error) {
	isBAM, err := isAligned(files[0])
	if err != nil {
		return 0, err
	}
	if isBAM {
		sum, err := pipeline.SumBAM(ctx, src.FS, files[0], src.Threads)
		if err != nil {
			return 0, err
		}
		_, err = fmt.Fprintf(std.out, "%s  %s\n", sum.Reads, files[0])
		return 1, err
	}
	label := files[0]
	src.Paths = files[:1]
	if pair {
		if len(files) < 2 {
			return 0, pipeline.Misuse("", "--pair: %s has no second file", files[0])
		}
		src.Paths = files[:2]
		label += " " + files[1]
	}
	sum, err := pipeline.SumFASTQ(ctx, src)
	if err != nil {
		return 0, err
	}
	_, err = fmt.Fprintf(std.out, "%s  %s\n", sum, label)
	return len(src.Paths), err
}

// isAligned tells BAM files and folders of shards from FASTQ.
func isAligned(path string) (bool, error) {
	if path == pipeline.Stdio || vfs.IsStream(vfs.OS, path) {
		info, err := vfs.OS.Stat(path)
		return err == nil && info.IsDir(), nil
	}
	return pipeline.IsBAM(vfs.OS, path)
}
