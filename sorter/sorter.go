package sorter

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// Order says what the records are ordered by.
type Order uint8

const (
	// Coordinate orders by key, and by ordinal where keys are equal.
	Coordinate Order = iota
	// Input orders by ordinal alone; keys are carried along.
	Input
	// Name orders by the names of the records as `samtools sort -n` does, and by ordinal where
	// they are equal; keys are carried along.
	Name
)

// Config says where and with how much a Sorter works.
type Config struct {
	FS       vfs.FS
	Dir      string // private folder for runs, made and later removed by the caller
	MemBytes int64  // bound of all the sorter's memory, slabs and merge buffers; see MinMem
	Workers  int    // slabs, and goroutines of the phases between Add and Next
	Order    Order

	CallStage      *meter.Stage // whoever calls Add; charged with waiting for a spill
	SortStage      *meter.Stage // sorting, gathering and compressing
	SpillStage     *meter.Stage // writing runs
	MergeReadStage *meter.Stage // reading and decompressing runs
	MergeStage     *meter.Stage // merging; intermediate merges, and Next's waits and items
}

// Stats counts what a Sorter did.
type Stats struct {
	Records      int64 // sorted so far: all of them once Prepare has returned
	SpilledRuns  int64 // written because memory was full
	MergedRuns   int64 // written by intermediate merges
	SpilledBytes int64 // of run files, intermediate ones included
	RawBytes     int64 // the same before compression
	PeakBytes    int64 // the most memory charged at once; no more than Config.MemBytes
}

// Sorter holds all slabs and runs of one sort.
type Sorter struct {
	cfg       Config
	tune      tuning
	mem       account
	maxRecord int64 // bytes of the longest record that can be merged
	slabs     []*Slab
	hist      histogram
	ready     []input         // set by Prepare
	life      context.Context // of the spills that Add begins
	end       context.CancelFunc

	records, spilledRuns, mergedRuns atomic.Int64
	given                            atomic.Int64 // records that mergers gave out
	spilledBytes, rawBytes           atomic.Int64

	mu      sync.Mutex
	err     error                // the first failure of any slab
	runs    uint64               // made so far, numbers them
	files   map[string]struct{}  // to be removed by Close
	mergers map[*Merger]struct{} // open
	readers int                  // goroutines that read runs now
	most    int                  // of them at once so far
	merged  bool
	closed  bool
}

var errClosed = errors.New("sorter: closed")

// New sets a sorter up; Close must follow. It fails with a [MemoryError] where MemBytes is
// below MinMem.
func New(cfg Config) (*Sorter, error) { return newSorter(cfg, standard) }

func newSorter(cfg Config, tune tuning) (s *Sorter, err error) {
	cfg.Workers = max(cfg.Workers, 1)
	if least := tune.minMem(cfg.Workers); cfg.MemBytes < least {
		return nil, &MemoryError{Have: cfg.MemBytes, Least: least}
	}
	if tune.files == 0 {
		tune.files = fileLimit()
	}
	s = &Sorter{cfg: cfg, tune: tune, mem: account{limit: cfg.MemBytes}, files: map[string]struct{}{}, mergers: map[*Merger]struct{}{}}
	s.maxRecord = tune.maxRecord(cfg.Workers, cfg.MemBytes)
	s.life, s.end = context.WithCancel(context.Background())
	if err := s.allocate(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Sorter) allocate() error {
	if err := s.hist.open(&s.mem, s.tune.cells); err != nil {
		return err
	}
	n := s.cfg.Workers
	size := (s.mem.free() - s.tune.reserve(n, s.cfg.MemBytes)) / int64(2*n) &^ (pageBytes - 1)
	for range n {
		sl := &Slab{sorter: s}
		s.slabs = append(s.slabs, sl) // for Close, whatever happens
		for i := range sl.buffers {
			var err error
			if sl.buffers[i], err = s.newBuffer(size); err != nil {
				return err
			}
		}
	}
	return nil
}

// Slab returns the slab of one worker, counted from 0. One goroutine at a time may use it.
func (s *Sorter) Slab(worker int) *Slab { return s.slabs[worker] }

// Stats may be called at any time.
func (s *Sorter) Stats() Stats {
	s.mem.mu.Lock()
	peak := s.mem.peak
	s.mem.mu.Unlock()
	return Stats{
		Records: s.records.Load(), SpilledRuns: s.spilledRuns.Load(), MergedRuns: s.mergedRuns.Load(),
		SpilledBytes: s.spilledBytes.Load(), RawBytes: s.rawBytes.Load(), PeakBytes: peak,
	}
}

// Close stops the mergers, removes the runs and gives all memory back: records that Next
// returned are gone, stable ones too. No slab, merger or record may be in use. Close may be called again, and then
// tries once more what failed before.
func (s *Sorter) Close() error {
	var errs []error
	s.end()
	s.mu.Lock()
	open := s.mergers
	s.closed, s.mergers = true, map[*Merger]struct{}{}
	s.mu.Unlock()
	for m := range open {
		errs = append(errs, m.close())
		m.err = errClosed
	}
	for _, sl := range s.slabs {
		errs = append(errs, sl.free())
	}
	errs = append(errs, s.hist.close(&s.mem))
	s.mu.Lock()
	defer s.mu.Unlock()
	for path := range s.files {
		errs = append(errs, s.removeLocked(path))
	}
	return errors.Join(errs...)
}

// fail keeps the first error of any slab, for Merge, and returns err.
func (s *Sorter) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	return err
}

// nextRun names a new run. The file is Close's to remove from now on.
func (s *Sorter) nextRun() (path string, number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number = s.runs
	s.runs++
	path = filepath.Join(s.cfg.Dir, fmt.Sprintf("run-%06d", number))
	s.files[path] = struct{}{}
	return path, number
}

func (s *Sorter) remove(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.removeLocked(path)
}

func (s *Sorter) removeLocked(path string) error {
	err := s.cfg.FS.Remove(path)
	if err != nil && !isMissing(err) {
		return fmt.Errorf("sorter: %w", err)
	}
	delete(s.files, path)
	return nil
}
