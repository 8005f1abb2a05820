package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/alignpipe/alignpipe/internal/inflate"
	"github.com/alignpipe/alignpipe/internal/readsum"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// Reader reads one input, which is one file or two files of mates.
type Reader struct {
	cfg     Config
	files   []vfs.File // of Paths; nil for Stdin
	streams []*inflate.Stream
	parsers []*parser

	free      chan *Batch
	limit     atomic.Int32 // of batches in use
	parked    []*Batch     // those that are not, of Run's goroutine
	ordinal   int64        // of the next batch
	templates int64        // in batches so far

	hasher  readsum.Hasher
	sum     readsum.Sum
	skipped atomic.Int64
	debt    debt

	closing  sync.Once
	closeErr error
}

// Open opens the files and starts to read ahead. It waits for a fifo's writer, but not for data.
// The error is the caller's fault or the file system's, never the data's.
func Open(ctx context.Context, cfg Config) (*Reader, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	r := &Reader{cfg: cfg, free: make(chan *Batch, cfg.InFlight)}
	for range cfg.InFlight {
		r.free <- &Batch{Paired: cfg.paired(), limit: limitsOf(cfg.BatchBases), free: r.free, flight: cfg.Flight}
	}
	r.limit.Store(int32(cfg.InFlight))
	files, err := openAll(ctx, cfg.FS, cfg.Paths)
	r.files = files
	if err != nil {
		r.Close()
		return nil, err
	}
	for i := range cfg.Paths {
		if err := r.start(ctx, i); err != nil {
			r.Close()
			return nil, err
		}
	}
	return r, nil
}

// start begins to inflate file i.
func (r *Reader) start(ctx context.Context, i int) error {
	name, src := r.cfg.Paths[i], io.Reader(r.files[i])
	if name == "-" {
		name, src = "stdin", r.cfg.Stdin
	}
	s, err := inflate.Open(ctx, src, name, r.cfg.inflate())
	if err != nil {
		return err
	}
	r.streams = append(r.streams, s)
	r.parsers = append(r.parsers, newParser(name, r.cfg.Comments, window{src: s, stage: r.cfg.ParseStage}))
	return nil
}

// openAll opens all files at the same time: who writes two fifos may open them in any order.
func openAll(ctx context.Context, fsys vfs.FS, paths []string) ([]vfs.File, error) {
	type opened struct {
		i    int
		file vfs.File
		err  error
	}
	files := make([]vfs.File, len(paths))
	results := make(chan opened, len(paths))
	waiting := 0
	for i, path := range paths {
		if path == "-" {
			continue
		}
		waiting++
		go func() {
			f, err := fsys.Open(path)
			results <- opened{i, f, err}
		}()
	}
	errs := make([]error, len(paths))
	for ; waiting > 0; waiting-- {
		select {
		case o := <-results:
			files[o.i], errs[o.i] = o.file, o.err
			if o.err != nil {
				files[o.i] = nil
			}
		case <-ctx.Done():
			go func(n int) { // open(2) of a fifo cannot be called off
				for range n {
					if o := <-results; o.err == nil {
						o.file.Close()
					}
				}
			}(waiting)
			return files, ctx.Err()
		}
	}
	return files, errors.Join(errs...)
}

// Close stops reading, closes the files and joins the goroutines. Batches that are still out may
// be used and released after it. It may be called again.
func (r *Reader) Close() error {
	r.closing.Do(func() {
		var errs []error
		for i, f := range r.files {
			if f == nil {
				continue
			}
			if err := f.Close(); err != nil {
				errs = append(errs, fmt.Errorf("close %s: %w", r.cfg.Paths[i], err))
			}
		}
		for _, s := range r.streams {
			errs = append(errs, s.Close())
		}
		r.closeErr = errors.Join(errs...)
	})
	return r.closeErr
}

// Input is one of the files, as far as it has been decoded.
type Input struct {
	Path   string
	Format string // plain, gzip, gzip in pieces, bgzf
	Serial bool   // one goroutine inflates it, however many there could be
}

// Inputs describes the files, in order. It may be called at any time.
func (r *Reader) Inputs() []Input {
	var all []Input
	for i, s := range r.streams {
		f := s.Format()
		all = append(all, Input{r.cfg.Paths[i], f.String(), f == inflate.Gzip || f == inflate.Plain})
	}
	return all
}

// Fds are the descriptors of the files, [vfs.NoFd] for standard input. They are valid until Close.
func (r *Reader) Fds() []uintptr {
	var all []uintptr
	for _, f := range r.files {
		fd := vfs.NoFd
		if f != nil {
			fd = f.Fd()
		}
		all = append(all, fd)
	}
	return all
}

// Sum is the checksum of all reads sent. Call it after Run.
func (r *Reader) Sum() readsum.Sum { return r.sum }

// Skipped is the number of reads dropped because they, or their mates, were bad. It may be
// called at any time.
func (r *Reader) Skipped() int64 { return r.skipped.Load() }

// MemoryBound is that of the configuration: see [Config.MemoryBound].
func (r *Reader) MemoryBound() int64 { return r.cfg.MemoryBound() }
