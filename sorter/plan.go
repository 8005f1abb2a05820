package sorter

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"
)

// Merge is Prepare and a merge of everything.
func (s *Sorter) Merge(ctx context.Context) (*Merger, error) {
	if err := s.Prepare(ctx); err != nil {
		return nil, err
	}
	return s.open(ctx, everything)
}

// Prepare sorts what is left in the slabs, and merges runs where there are too many of them. All
// Adds must have returned, and none may follow; it may be called once.
func (s *Sorter) Prepare(ctx context.Context) error {
	if err := s.beginMerge(); err != nil {
		return err
	}
	if err := each(ctx, s.slabs, func(ctx context.Context, sl *Slab) error { return sl.settle(ctx) }); err != nil {
		return s.fail(err)
	}
	if err := s.spillFor(ctx); err != nil {
		return s.fail(err)
	}
	me := s.cfg.MergeStage.Enter()
	defer me.Exit()
	inputs, err := s.reduce(ctx, s.inputs())
	if err != nil {
		return s.fail(err)
	}
	s.ready = inputs
	return nil
}

// Part merges the records of part i of the len(cuts)+1 parts that cuts, as from [Sorter.Cuts], make.
// Prepare must have returned. Up to [Sorter.Mergers] parts may be open at once, each used by one
// goroutine; [Merger.Close] ends one. Only order Coordinate has parts: with any other, cuts must be empty. ctx also ends the goroutines that read runs, and makes
// Next fail: it must live as long as the merger is used.
func (s *Sorter) Part(ctx context.Context, cuts []Key, i int) (*Merger, error) {
	if s.cfg.Order != Coordinate && len(cuts) > 0 {
		return nil, errors.New("sorter: only records in coordinate order have ranges of keys")
	}
	return s.open(ctx, partOf(cuts, i))
}

func (s *Sorter) open(ctx context.Context, keys keyRange) (*Merger, error) {
	me := s.cfg.MergeStage.Enter()
	defer me.Exit()
	m, err := s.openMerger(ctx, s.ready, keys)
	if err != nil {
		return nil, s.fail(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mergers[m] = struct{}{}
	return m, nil
}

// Mergers is how many ranges can be merged at once with the memory and the open files there are, of
// which the caller will have some open beside the runs; at least 1. Prepare must have returned, and no
// range be open.
func (s *Sorter) Mergers(files int) int {
	runs, body := 0, int64(0)
	for _, in := range s.ready {
		if in.run != nil {
			runs++
			body = max(body, in.run.body)
		}
	}
	if runs == 0 {
		return maxMergers
	}
	byMem := s.mem.free() / s.tune.mergeBytes(s.cfg.Workers, runs, body)
	return int(max(1, min(byMem, int64((s.tune.files-files)/runs), maxMergers)))
}

// Complete returns an error unless all records that were added have come out of the mergers.
func (s *Sorter) Complete() error {
	if in, out := s.records.Load(), s.given.Load(); in != out {
		return fmt.Errorf("sorter: %d records merged of %d (bug)", out, in)
	}
	return nil
}

func (s *Sorter) beginMerge() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return errClosed
	case s.err != nil:
		return s.err
	case s.merged:
		return errors.New("sorter: merged twice")
	}
	s.merged = true
	return nil
}

// each works on several things in parallel.
func each[T any](ctx context.Context, things []T, work func(context.Context, T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, t := range things {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return work(ctx, t)
		})
	}
	return g.Wait()
}

// fanIn is how many runs some memory can merge at once, given their longest body.
func (s *Sorter) fanIn(mem, body int64) int {
	n := (mem - s.tune.mergeBytes(s.cfg.Workers, 0, body) - pageBytes) / s.tune.runBytes()
	return int(min(n, int64(s.tune.files)))
}

// spillFor makes room for the merge buffers: it spills as many slab buffers as it takes to merge
// all runs at once with their memory, and all of them if that is not to be had. No more are spilled at
// a time than there are workers: so many writers are in the reserve.
func (s *Sorter) spillFor(ctx context.Context) error {
	runs, body := 0, int64(0)
	var buffers []*buffer
	for _, sl := range s.slabs {
		runs += len(sl.runs)
		body = max(body, longestBody(sl.runs))
		buffers = append(buffers, sl.buffers[:]...)
	}
	if runs == 0 {
		return nil
	}
	full := bySize(buffers)
	mem, k := s.mem.free(), 0
	for k < len(full) && s.fanIn(mem, body) < runs+k {
		mem += int64(len(full[k].mem))
		body = max(body, full[k].longestBody())
		k++
	}
	spilled := map[*buffer]bool{}
	for _, b := range full[:k] {
		spilled[b] = true
	}
	return each(ctx, s.slabs, func(ctx context.Context, sl *Slab) error {
		for _, in := range sl.inputs() { // the oldest first
			if !spilled[in.buffer] {
				continue
			}
			r, err := in.buffer.spill(ctx)
			if err != nil {
				return err
			}
			sl.runs = append(sl.runs, r)
			if err := in.buffer.free(); err != nil {
				return err
			}
		}
		return nil
	})
}

// inputs lists all there is to merge, by worker and then by age.
func (s *Sorter) inputs() []input {
	var in []input
	for _, sl := range s.slabs {
		in = append(in, sl.inputs()...)
	}
	return in
}

// reduce merges runs until the rest can be merged at once. It takes neighbours, so that the
// order of inputs stays that of age, and those that have the fewest bytes.
func (s *Sorter) reduce(ctx context.Context, in []input) ([]input, error) {
	for {
		runs, body := 0, int64(0)
		for _, i := range in {
			if i.run != nil {
				runs++
				body = max(body, i.run.body)
			}
		}
		fan := max(s.fanIn(s.mem.free(), body), 2)
		if runs <= fan {
			return in, nil
		}
		n := min(fan, runs-fan+1)
		at := smallest(in, n)
		r, err := s.mergeRuns(ctx, in[at:at+n])
		if err != nil {
			return nil, err
		}
		in = append(append(in[:at:at], input{run: r}), in[at+n:]...)
	}
}

// smallest returns where n neighbouring runs with the fewest bytes begin. There are no slabs
// among the inputs whenever runs are too many.
func smallest(in []input, n int) int {
	best, least := 0, int64(-1)
	for at := range len(in) - n + 1 {
		var sum int64
		for _, i := range in[at : at+n] {
			sum += i.run.bytes
		}
		if least < 0 || sum < least {
			best, least = at, sum
		}
	}
	return best
}

// mergeRuns turns several runs into one and removes them.
func (s *Sorter) mergeRuns(ctx context.Context, in []input) (*run, error) {
	m, err := s.openMerger(ctx, in, everything)
	if err != nil {
		return nil, err
	}
	m.inner = true
	r, err := s.writeRun(ctx, &s.mergedRuns, m.copyTo)
	if err := errors.Join(err, m.close()); err != nil {
		return nil, err
	}
	for _, i := range in {
		if err := s.remove(i.run.path); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// copyTo writes all records to a run.
func (m *Merger) copyTo(w *runWriter) error {
	for {
		s, err := m.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := w.add(s.key, s.ord, s.rec); err != nil {
			return err
		}
	}
}
