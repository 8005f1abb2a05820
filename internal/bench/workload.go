package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/mapper"
)

// Workload is what the pipeline runs on.
type Workload struct {
	Source         string  `json:"source"`    // "made up", or "given"
	Container      string  `json:"container"` // plain, gzip or bgzf
	Paired         bool    `json:"paired"`
	Reads          int64   `json:"reads"`
	ReadBases      float64 `json:"read_bases_mean"` // of the first reads
	FASTQBytes     int64   `json:"fastq_bytes"`     // without the container
	InputBytes     int64   `json:"input_bytes"`
	ReferenceBases int64   `json:"reference_bases"`

	source source
	ref    string // of an index
	files  []string
	sizes  []int64 // bytes of files
}

const (
	sourceMade  = "made up"
	sourceGiven = "given"
)

// openWorkload finds or makes the reference, its index and the source of the reads. dir is private.
func openWorkload(ctx context.Context, cfg *Config, dir string, effort effort) (*Workload, error) {
	w := &Workload{Source: sourceMade, Container: containerGzip, Paired: true}
	ref := cfg.Ref
	if ref == "" {
		genome := makeGenome(effort.genomeBases)
		ref = filepath.Join(dir, "made-up.fa")
		if err := writeFile(cfg.FS, ref, fasta(genome)); err != nil {
			return nil, diskFailed(err)
		}
		w.source = newReadMaker(genome)
	}
	var err error
	if w.ref, err = indexOf(ctx, cfg, ref, dir); err != nil {
		return nil, err
	}
	if cfg.Ref == "" {
		return w, nil
	}
	w.Source, w.Paired = sourceGiven, len(cfg.Reads) == 2
	if w.Container, err = containerOf(cfg.FS, cfg.Reads[0]); err != nil {
		return nil, fmt.Errorf("reads: %w", err)
	}
	w.source, err = openGiven(ctx, cfg.FS, cfg.Reads, cfg.Threads)
	return w, err
}

// indexOf returns an index of ref: itself, the one beside it, or a new one in dir.
func indexOf(ctx context.Context, cfg *Config, ref, dir string) (string, error) {
	is, err := mapper.IsIndex(cfg.FS, ref)
	if err != nil {
		return "", fmt.Errorf("reference: %w", err)
	}
	if is || indexMatches(cfg.FS, ref) {
		return ref, nil
	}
	made := filepath.Join(dir, "bench"+pipeline.IndexSuffix)
	return made, pipeline.BuildIndex(ctx, cfg.FS, ref, made, cfg.Threads)
}

// indexMatches tells whether a run would use the index beside ref.
func indexMatches(fsys vfs.FS, ref string) bool {
	ix, err := mapper.OpenIndex(fsys, ref+pipeline.IndexSuffix)
	if err != nil {
		return false
	}
	defer ix.Close()
	ok, err := ix.Matches(fsys, ref)
	return ok && err == nil
}

func writeFile(fsys vfs.FS, path string, data []byte) error {
	f, err := fsys.CreateNew(path, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// readsFile is one of the files that the pipeline will read.
type readsFile struct {
	file   vfs.File
	buffer *bufio.Writer
	packer io.WriteCloser
	plain  int64
}

func createReads(fsys vfs.FS, path, container string) (*readsFile, error) {
	f, err := fsys.CreateNew(path, 0o600)
	if err != nil {
		return nil, err
	}
	r := &readsFile{file: f, buffer: bufio.NewWriterSize(f, ioBytes)}
	if r.packer, err = pack(r.buffer, container); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

func (r *readsFile) write(text []byte) error {
	r.plain += int64(len(text))
	_, err := r.packer.Write(text)
	return err
}

// finish leaves a whole file on the disk.
func (r *readsFile) finish() error {
	return errors.Join(r.packer.Close(), r.buffer.Flush(), r.file.Sync(), r.file.Close())
}

const takeTemplates = 4096 // at a time

// writeReads writes the sample, and what comes after it in the source, as the files that the
// pipeline will read: about reads in all, or as many as there are.
func (w *Workload) writeReads(ctx context.Context, fsys vfs.FS, dir string, s *sample, reads int) (err error) {
	var files []*readsFile
	w.files, w.Reads, w.ReadBases = nil, 0, s.meanBases()
	for i := range s.texts {
		name := filepath.Join(dir, fmt.Sprintf("reads_%d.fq", i+1))
		f, err := createReads(fsys, name, w.Container)
		if err != nil {
			return diskFailed(err)
		}
		files, w.files = append(files, f), append(w.files, name)
	}
	err = w.copyReads(ctx, files, s, reads)
	for _, f := range files {
		err = errors.Join(err, diskFailed(f.finish()))
		w.FASTQBytes += f.plain
	}
	if err != nil {
		return err
	}
	return w.measureFiles(fsys)
}

func (w *Workload) measureFiles(fsys vfs.FS) error {
	for _, name := range w.files {
		info, err := fsys.Stat(name)
		if err != nil {
			return err
		}
		w.InputBytes += info.Size()
		w.sizes = append(w.sizes, info.Size())
	}
	return nil
}

// copyReads compresses both files side by side.
func (w *Workload) copyReads(ctx context.Context, files []*readsFile, s *sample, reads int) error {
	texts, got := s.texts, s.reads/len(files)
	for {
		var g errgroup.Group
		for i, f := range files {
			g.Go(func() error { return f.write(texts[i]) })
		}
		if err := g.Wait(); err != nil {
			return diskFailed(err)
		}
		w.Reads += int64(got * len(files))
		if err := ctx.Err(); err != nil {
			return err
		}
		if got == 0 || w.Reads >= int64(reads) {
			return nil
		}
		one, two, n, err := w.source.take(ctx, nil, nil, takeTemplates)
		if err != nil {
			return err
		}
		texts, got = [][]byte{one, two}, n
	}
}
