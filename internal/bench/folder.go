package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/alignpipe/alignpipe/internal/host"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// The names of a folder's ceilings.
const (
	nameWrite       = "write and sync"
	nameRead        = "read, cold"
	nameDirectWrite = "write, direct"
	nameDirectRead  = "read, direct"
	nameSync        = "sync of 4 KiB"
	nameRandom      = "random read of 4 KiB, cold"
)

const (
	maxStreams = 4
	ioBytes    = 1 << 20 // of one call
	pageBytes  = 4 << 10
	probeBytes = 8 << 20
	// warmShare is how much of a file may stay in the page cache for its reading to be called cold.
	warmShare = 0.05
)

// streamCounts are how many files are read or written side by side.
var streamCounts = []int{1, 2, maxStreams}

// Folder has the ceilings of a folder's file system.
type Folder struct {
	Path          string    `json:"path"`
	Roles         []string  `json:"roles"` // what the run uses it for
	Place         host.File `json:"place"`
	TransferBytes int64     `json:"transfer_bytes"` // of one repeat
	Ceilings      []Ceiling `json:"ceilings"`
}

// folderBench measures one folder.
type folderBench struct {
	ctx     context.Context
	repeats int
	files   []vfs.File
	bufs    [][]byte // one for each file, page-aligned
	memory  []byte
	size    int64 // bytes of one transfer, all streams together
}

// measureFolder takes the ceilings of f.Path. goal is the time of one repeat.
func measureFolder(ctx context.Context, fsys vfs.FS, f *Folder, effort effort) (err error) {
	b := &folderBench{ctx: ctx, repeats: effort.repeats}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.open(fsys, f.Path); err != nil {
		return diskFailed(err)
	}
	if err := b.choose(f.Path, effort); err != nil {
		return diskFailed(fmt.Errorf("%s: %w", f.Path, err))
	}
	f.TransferBytes = b.size
	if f.Ceilings, err = b.all(); err != nil {
		return diskFailed(fmt.Errorf("%s: %w", f.Path, err))
	}
	return nil
}

func (b *folderBench) open(fsys vfs.FS, dir string) (err error) {
	if b.memory, err = vfs.Alloc(maxStreams * ioBytes); err != nil {
		return err
	}
	rng := rng{1}
	rng.fill(b.memory) // what a file system cannot compress
	for i := range maxStreams {
		f, err := namelessFile(fsys, dir)
		if err != nil {
			return err
		}
		b.files = append(b.files, f)
		b.bufs = append(b.bufs, b.memory[i*ioBytes:(i+1)*ioBytes])
	}
	return nil
}

func (b *folderBench) close() error {
	var errs []error
	for _, f := range b.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(append(errs, vfs.Free(b.memory))...)
}

// choose sets the size of a transfer so that one takes about effort.transfer.
func (b *folderBench) choose(dir string, effort effort) error {
	b.size = probeBytes
	rate, err := b.write(1)
	if err != nil {
		return err
	}
	size := min(int64(rate*effort.transfer.Seconds()), effort.maxTransfer)
	if free, ok := freeBytes(dir); ok {
		size = min(size, free/4)
	}
	const unit = maxStreams * ioBytes
	b.size = max(size/unit, 1) * unit
	return nil
}

// all measures with one stream, then with several.
func (b *folderBench) all() ([]Ceiling, error) {
	var out []Ceiling
	for _, streams := range streamCounts {
		w, err := b.rate(nameWrite, streams, func() (float64, error) { return b.write(streams) })
		if err != nil {
			return nil, err
		}
		r, err := b.rate(nameRead, streams, func() (float64, error) { return b.readCold(streams) })
		if err != nil {
			return nil, err
		}
		out = append(out, w, r)
		if streams > 1 {
			continue
		}
		more, err := b.alone()
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// alone has what is measured with one file only: direct access and latencies.
func (b *folderBench) alone() ([]Ceiling, error) {
	steps := []func() (Ceiling, error){
		func() (Ceiling, error) {
			return b.rate(nameDirectWrite, 1, func() (float64, error) { return b.direct(b.write) })
		},
		func() (Ceiling, error) {
			return b.rate(nameDirectRead, 1, func() (float64, error) { return b.direct(b.read) })
		},
		func() (Ceiling, error) { return b.latency(nameRandom, b.randomReads) },
		func() (Ceiling, error) { return b.latency(nameSync, b.syncs) },
	}
	var out []Ceiling
	for _, step := range steps {
		c, err := step()
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// missing is why there is no value; the benchmark goes on.
type missing struct{ error }

// rate repeats a transfer.
func (b *folderBench) rate(name string, streams int, transfer func() (float64, error)) (Ceiling, error) {
	return b.ceiling(name, streams, bytesPerSecond, transfer)
}

// latency repeats a series of calls, and takes the median of each.
func (b *folderBench) latency(name string, series func() ([]float64, error)) (Ceiling, error) {
	return b.ceiling(name, 1, unitSeconds, func() (float64, error) {
		times, err := series()
		if err != nil {
			return 0, err
		}
		return figureOf(times).Median, nil
	})
}

func (b *folderBench) ceiling(name string, streams int, unit string, once func() (float64, error)) (Ceiling, error) {
	c := Ceiling{Name: name, Streams: streams}
	columns, err := repeat(b.ctx, b.repeats, func() ([]float64, error) {
		v, err := once()
		return []float64{v}, err
	})
	var none missing
	switch {
	case errors.As(err, &none):
		c.Values = []Value{noValue(unit, none.Error())}
	case err != nil:
		return c, err
	default:
		c.Values = []Value{valueOf(unit, columns[0])}
	}
	return c, nil
}

// sideBySide runs one goroutine per stream and returns bytes per second.
func (b *folderBench) sideBySide(streams int, each func(ctx context.Context, i int, size int64) error) (float64, error) {
	g, ctx := errgroup.WithContext(b.ctx)
	start := time.Now()
	for i := range streams {
		g.Go(func() error { return each(ctx, i, b.size/int64(streams)) })
	}
	err := g.Wait()
	return float64(b.size) / time.Since(start).Seconds(), err
}

// write fills new files and syncs them: bytes that only lie in memory are not written.
func (b *folderBench) write(streams int) (float64, error) {
	for _, f := range b.files[:streams] {
		if err := unix.Ftruncate(int(f.Fd()), 0); err != nil {
			return 0, err
		}
	}
	return b.sideBySide(streams, func(ctx context.Context, i int, size int64) error {
		if err := b.blocks(ctx, size, func(off int64) (int, error) { return b.files[i].WriteAt(b.bufs[i], off) }); err != nil {
			return err
		}
		return b.files[i].Sync()
	})
}

// read reads what write wrote with as many streams.
func (b *folderBench) read(streams int) (float64, error) {
	return b.sideBySide(streams, func(ctx context.Context, i int, size int64) error {
		return b.blocks(ctx, size, func(off int64) (int, error) { return b.files[i].ReadAt(b.bufs[i], off) })
	})
}

func (b *folderBench) blocks(ctx context.Context, size int64, call func(off int64) (int, error)) error {
	for off := int64(0); off < size; off += ioBytes {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := call(off); err != nil {
			return err
		}
	}
	return nil
}

func (b *folderBench) readCold(streams int) (float64, error) {
	for _, f := range b.files[:streams] {
		if err := chill(f, b.size/int64(streams)); err != nil {
			return 0, err
		}
	}
	return b.read(streams)
}

// chill takes a file out of the page cache and looks whether that worked, where the system tells.
func chill(f vfs.File, size int64) error {
	if err := dropCache(f); err != nil {
		return missing{fmt.Errorf("the file cannot be taken out of the page cache: %w", err)}
	}
	cached := host.Cached(f.Fd()).CachedBytes
	if cached == nil {
		return nil
	}
	if share := float64(*cached) / float64(size); share > warmShare {
		return missing{fmt.Errorf("%.0f %% of the file stay in memory", 100*share)}
	}
	return nil
}

// direct does a transfer around the page cache.
func (b *folderBench) direct(transfer func(streams int) (float64, error)) (float64, error) {
	f := b.files[0]
	if err := setDirect(f, true); err != nil {
		return 0, missing{fmt.Errorf("no direct access: %w", err)}
	}
	rate, err := transfer(1)
	if errors.Is(err, unix.EINVAL) {
		err = missing{fmt.Errorf("no direct access: %w", err)}
	}
	return rate, errors.Join(err, setDirect(f, false))
}

const (
	maxCalls   = 64
	seriesTime = 150 * time.Millisecond
)

// series times single calls.
func (b *folderBench) series(call func(n int) error) ([]float64, error) {
	var times []float64
	for begin := time.Now(); len(times) < maxCalls && (len(times) < 3 || time.Since(begin) < seriesTime); {
		if err := b.ctx.Err(); err != nil {
			return nil, err
		}
		start := time.Now()
		if err := call(len(times)); err != nil {
			return nil, err
		}
		times = append(times, time.Since(start).Seconds())
	}
	return times, nil
}

// randomReads reads pages of a cold file, all different ones.
func (b *folderBench) randomReads() ([]float64, error) {
	f := b.files[0]
	if err := chill(f, b.size); err != nil {
		return nil, err
	}
	if err := noReadAhead(f); err != nil {
		return nil, missing{err}
	}
	pages := int(b.size / pageBytes)
	rng := rng{2}
	places := make([]int, 0, maxCalls)
	for len(places) < cap(places) {
		if p := rng.below(pages); !slices.Contains(places, p) {
			places = append(places, p)
		}
	}
	return b.series(func(n int) error {
		_, err := f.ReadAt(b.bufs[0][:pageBytes], int64(places[n])*pageBytes)
		return err
	})
}

// syncs makes small writes durable, one by one, behind each other.
func (b *folderBench) syncs() ([]float64, error) {
	f := b.files[maxStreams-1]
	return b.series(func(n int) error {
		if _, err := f.WriteAt(b.bufs[0][:pageBytes], int64(n)*pageBytes); err != nil {
			return err
		}
		return f.Sync()
	})
}
