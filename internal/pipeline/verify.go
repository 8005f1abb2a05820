package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/biogo/hts/sam"
	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/errgroup"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/readsum"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/reader"
)

// Source names files of reads.
type Source struct {
	FS          vfs.FS
	Stdin       io.Reader
	Paths       []string // one or two FASTQ files; two are the mates of pairs
	Interleaved bool     // one file holds both mates
	Threads     int
}

// SumFASTQ reads FASTQ files to their ends and sums the reads.
func SumFASTQ(ctx context.Context, src Source) (sum readsum.Sum, err error) {
	r, err := reader.Open(ctx, reader.Config{
		FS: src.FS, Paths: src.Paths, Stdin: src.Stdin, Interleaved: src.Interleaved,
		BatchBases: batchBases, InFlight: 2*src.Threads + 4, InflateWorkers: src.Threads,
	})
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	batches := meter.NewQueue[*reader.Batch](2, nil, nil)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { defer batches.Close(); return r.Run(ctx, batches) })
	g.Go(func() error {
		for {
			b, ok, err := batches.Recv(ctx)
			if !ok || err != nil {
				return err
			}
			b.Release()
		}
	})
	err = g.Wait()
	return r.Sum(), err
}

// SumBAM sums one BAM file, or the shards of a folder.
func SumBAM(ctx context.Context, fsys vfs.FS, path string, workers int) (*BAMSum, error) {
	files, err := bamFiles(fsys, path)
	if err != nil {
		return nil, err
	}
	b := &BAMSum{last: place{0, -1}}
	for _, f := range files {
		if err := b.addFile(ctx, fsys, f, workers); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Verify compares a BAM file, or a folder of shards, with the reads that it should hold,
// and checks that mates agree about each other, and that records are in coordinate order
// unless the header says that they are not. The error tells the first difference.
func Verify(ctx context.Context, src Source, bamPath string) (*BAMSum, error) {
	got, err := SumBAM(ctx, src.FS, bamPath, src.Threads)
	if err != nil {
		return nil, err
	}
	want, err := SumFASTQ(ctx, src)
	if err != nil {
		return nil, err
	}
	switch {
	case got.Reads.Count != want.Count:
		return nil, fmt.Errorf("%w: %s holds %d reads, the input %d", errBadBAM, bamPath, got.Reads.Count, want.Count)
	case got.Reads != want:
		return nil, fmt.Errorf("%w: %s has as many reads as the input, but not the same: %s, not %s", errBadBAM, bamPath, got.Reads, want)
	case got.selves != got.mates:
		return nil, fmt.Errorf("%w: %s: mates disagree about where the other one is", errBadBAM, bamPath)
	case got.unordered != "" && got.order != sam.Unsorted && got.order != sam.QueryName:
		return nil, fmt.Errorf("%w: %s: record %s is out of coordinate order", errBadBAM, bamPath, got.unordered)
	}
	return got, nil
}

// IsBAM tells whether a file starts like BAM: compressed, with its magic.
func IsBAM(fsys vfs.FS, path string) (bool, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return false, nil
	}
	var magic [4]byte
	if _, err := io.ReadFull(z, magic[:]); err != nil {
		return false, nil
	}
	return string(magic[:]) == "BAM\x01", nil
}
