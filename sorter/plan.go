package sorter

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sync/errgroup"
)

// Merge sorts what is left in the slabs and begins the merge. All Adds must have returned, and
// none may follow; Merge may be called once. ctx also ends the goroutines that read runs, and
// makes Next fail: it must live as long as the merger is used.
func (s *Sorter) Merge(ctx context.Context) (*Merger, error) {
	if err := s.beginMerge(); err != nil {
		return nil, err
	}
	if err := s.eachSlab(ctx, s.slabs, func(ctx context.Context, sl *Slab) error { return sl.settle() }); err != nil {
		return nil, s.fail(err)
	}
	if err := s.spillFor(ctx); err != nil {
		return nil, s.fail(err)
	}
	me := s.cfg.MergeStage.Enter()
	defer me.Exit()
	inputs, err := s.reduce(ctx, s.inputs())
	if err != nil {
		return nil, s.fail(err)
	}
	m, err := s.openMerger(ctx, inputs)
	if err != nil {
		return nil, s.fail(err)
	}
	s.mu.Lock()
	s.merger = m
	s.mu.Unlock()
	return m, nil
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

// eachSlab works on slabs in parallel.
func (s *Sorter) eachSlab(ctx context.Context, slabs []*Slab, work func(context.Context, *Slab) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, sl := range slabs {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return work(ctx, sl)
		})
	}
	return g.Wait()
}

// settle sorts the slab, or gives its memory back if it holds nothing.
func (sl *Slab) settle() error {
	if sl.n == 0 {
		return sl.free()
	}
	sl.sort()
	sl.err = errLate // more entries would run into the sorted ones
	return nil
}

// fanIn is how many runs some memory can merge at once, given their longest body.
func (s *Sorter) fanIn(mem, body int64) int {
	n := (mem - s.tune.mergeBytes(s.cfg.Workers, 0, body) - pageBytes) / s.tune.runBytes()
	return int(min(n, int64(s.tune.files)))
}

// spillFor makes room for the merge buffers: it spills as many slabs as it takes to merge all
// runs at once with their memory, and all slabs if that is not to be had.
func (s *Sorter) spillFor(ctx context.Context) error {
	runs, body := 0, int64(0)
	for _, sl := range s.slabs {
		runs += len(sl.runs)
		body = max(body, longestBody(sl.runs))
	}
	if runs == 0 {
		return nil
	}
	full := bySize(s.slabs)
	mem, k := s.mem.free(), 0
	for k < len(full) && s.fanIn(mem, body) < runs+k {
		mem += int64(len(full[k].mem))
		body = max(body, full[k].longestBody())
		k++
	}
	return s.eachSlab(ctx, full[:k], func(ctx context.Context, sl *Slab) error {
		if err := sl.spill(ctx); err != nil {
			return err
		}
		return sl.free()
	})
}

// inputs lists all there is to merge, by worker and then by age.
func (s *Sorter) inputs() []input {
	var in []input
	for _, sl := range s.slabs {
		for _, r := range sl.runs {
			in = append(in, input{run: r})
		}
		if sl.n > 0 {
			in = append(in, input{slab: sl})
		}
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
	m, err := s.openMerger(ctx, in)
	if err != nil {
		return nil, err
	}
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
