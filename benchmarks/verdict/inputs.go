package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/klauspost/compress/gzip"

	"github.com/alignpipe/alignpipe/bgzfout"
)

// data makes what the runs read, each file when it is first asked for, and keeps it.
type data struct {
	dir   string // of the work directory
	tools map[string]string
	log   func(format string, args ...any)
}

// The references: bases, and the pairs simulated from them, of 2x150.
var references = map[string]struct{ bases, pairs int }{
	"small": {4_600_000, 1_024_000},
	"large": {200_000_000, 256_000},
}

// sized names a reference with its size, so that a folder of before a change of it does no harm.
func sized(reference string) string {
	return fmt.Sprintf("%s-%d", reference, references[reference].bases)
}

const (
	readLength   = 150
	gzipLevel    = 6 // as sequencers' software has it
	fastqLines   = 4
	makingSuffix = ".making" // a file that is not whole yet
)

// build compiles one of the module's commands. The harness runs in the module's folder.
func (d *data) build(ctx context.Context, name, pkg string) (string, error) {
	if path, ok := d.tools[name]; ok {
		return path, nil
	}
	path := filepath.Join(d.dir, "bin", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", err
	}
	if err := d.command(ctx, "go", "build", "-o", path, pkg); err != nil {
		return "", err
	}
	d.tools[name] = path
	return path, nil
}

func (d *data) command(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %v: %w\n%s", name, args, err, out)
	}
	return nil
}

func (d *data) path(name string) string { return filepath.Join(d.dir, "data", name) }

// once makes a file if it is not there. make writes it under the name that it is given.
func (d *data) once(name string, make func(path string) error) (string, error) {
	path := d.path(name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	d.log("making %s", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", err
	}
	if err := make(path + makingSuffix); err != nil {
		return "", errors.Join(fmt.Errorf("%s: %w", name, err), os.Remove(path+makingSuffix))
	}
	return path, os.Rename(path+makingSuffix, path)
}

// fasta is a made-up genome. It lies in a folder without an index beside it.
func (d *data) fasta(ctx context.Context, reference string) (string, error) {
	return d.once("fasta/"+sized(reference)+".fa", func(path string) error {
		tool, err := d.build(ctx, "genome", "./benchmarks/genome")
		if err != nil {
			return err
		}
		return d.command(ctx, tool, "-size", fmt.Sprint(references[reference].bases), "-seed", "1", "-o", path)
	})
}

func (d *data) index(ctx context.Context, reference string) (string, error) {
	return d.once(sized(reference)+".apx", func(path string) error {
		fasta, err := d.fasta(ctx, reference)
		if err != nil {
			return err
		}
		tool, err := d.build(ctx, "alignpipe", "./cmd/alignpipe")
		if err != nil {
			return err
		}
		return d.command(ctx, tool, "index", "-o", path, fasta)
	})
}

// master is a plain file of all simulated reads of one mate.
func (d *data) master(ctx context.Context, reference string, mate int) (string, error) {
	name := func(mate int) string { return fmt.Sprintf("master/%s_%d.fq", sized(reference), mate) }
	return d.once(name(mate), func(string) error {
		fasta, err := d.fasta(ctx, reference)
		if err != nil {
			return err
		}
		tool, err := d.build(ctx, "readsim", "./benchmarks/readsim")
		if err != nil {
			return err
		}
		prefix := d.path("master/" + sized(reference) + "-new")
		pairs := fmt.Sprint(references[reference].pairs)
		if err := d.command(ctx, tool, "-ref", fasta, "-o", prefix, "-pairs", pairs, "-len", fmt.Sprint(readLength), "-plain"); err != nil {
			return err
		}
		other := 3 - mate
		return errors.Join(os.Remove(prefix+"_truth.tsv"), os.Rename(fmt.Sprintf("%s_%d.fq", prefix, other), d.path(name(other))),
			os.Rename(fmt.Sprintf("%s_%d.fq", prefix, mate), d.path(name(mate))+makingSuffix))
	})
}

// most is how many templates of a layout there are: single reads are those of the first mate.
func most(reference string) int { return references[reference].pairs }

// reads are the files of an input, as many templates as there are at most.
func (d *data) reads(ctx context.Context, reference string, in Input) ([]string, error) {
	n := min(in.Templates, most(reference))
	mates := map[string][][]int{layoutSingle: {{1}}, layoutPair: {{1}, {2}}, layoutInterleaved: {{1, 2}}}[in.Layout]
	var paths []string
	for i, from := range mates {
		name := fmt.Sprintf("reads/%s-%s-%d_%d%s", sized(reference), in.Layout, n, i+1, suffix(in.Format))
		path, err := d.once(name, func(path string) error { return d.cut(ctx, path, reference, from, n, in.Format) })
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func suffix(format string) string {
	return map[string]string{formatPlain: ".fq", formatGzip: ".fq.gz", formatBGZF: ".fq.bgz"}[format]
}

// cut writes the first n reads of the mates, taking turns.
func (d *data) cut(ctx context.Context, path, reference string, mates []int, n int, format string) (err error) {
	var sources []*bufio.Reader
	for _, mate := range mates {
		name, err := d.master(ctx, reference, mate)
		if err != nil {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		sources = append(sources, bufio.NewReaderSize(f, 1<<20))
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := compressor(f, format)
	for range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, src := range sources {
			if err := copyLines(w, src, fastqLines); err != nil {
				return err
			}
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return f.Sync() // so that it is not written back during a run
}

func copyLines(w io.Writer, r *bufio.Reader, n int) error {
	for range n {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// compressor writes a format.
func compressor(f io.Writer, format string) io.WriteCloser {
	bw := bufio.NewWriterSize(f, 1<<20)
	switch format {
	case formatGzip:
		z, _ := gzip.NewWriterLevel(bw, gzipLevel) // the level is a good one
		return &flushing{z, bw}
	case formatBGZF:
		return &flushing{bgzf{bgzfout.NewWriter(bw, bgzfout.Config{Level: gzipLevel, Workers: 2})}, bw}
	}
	return &flushing{nil, bw}
}

// bgzf writes lines as if they were records, which blocks do not split.
type bgzf struct{ *bgzfout.Writer }

func (b bgzf) Write(p []byte) (int, error) { return len(p), b.WriteRecord(p) }

// flushing is a compressor, or none, over a buffer.
type flushing struct {
	inner io.WriteCloser
	bw    *bufio.Writer
}

func (f *flushing) Write(p []byte) (int, error) {
	if f.inner == nil {
		return f.bw.Write(p)
	}
	return f.inner.Write(p)
}

func (f *flushing) Close() error {
	if f.inner == nil {
		return f.bw.Flush()
	}
	return errors.Join(f.inner.Close(), f.bw.Flush())
}

// sizes adds up files.
func sizes(paths []string) (n int64, err error) {
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return 0, err
		}
		n += info.Size()
	}
	return n, nil
}
