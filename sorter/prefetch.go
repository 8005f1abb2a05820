package sorter

import (
	"context"
	"sync"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// prefetcher reads runs ahead of their use, one frame each, with a few goroutines.
type prefetcher struct {
	sorter  *Sorter
	readers int
	wanted  chan *runReader // never full: each run has one request at most
	cancel  context.CancelFunc
	done    sync.WaitGroup
	merging *meter.Stage // waits for frames
	reading *meter.Stage // waits for requests
}

// startPrefetch begins to read the first frame of each run. blocks are the loaders' memory, one
// each. stop must follow.
func (s *Sorter) startPrefetch(ctx context.Context, runs []*runReader, blocks [][]byte) *prefetcher {
	ctx, cancel := context.WithCancel(ctx)
	p := &prefetcher{
		sorter: s, readers: len(blocks), wanted: make(chan *runReader, len(runs)), cancel: cancel,
		merging: s.cfg.MergeStage, reading: s.cfg.MergeReadStage,
	}
	for _, r := range runs {
		p.wanted <- r
	}
	s.addReaders(p.readers)
	for _, block := range blocks {
		p.done.Go(func() { p.work(ctx, block) })
	}
	return p
}

// work serves requests until the context ends.
func (p *prefetcher) work(ctx context.Context, block []byte) {
	me := p.reading.Enter()
	defer me.Exit()
	for {
		r := p.request(ctx)
		if r == nil {
			return
		}
		r.ready <- r.load(block)
	}
}

// request returns the next run to read from, or nil at the end. To have none means that the
// merge has not used up what is there.
func (p *prefetcher) request(ctx context.Context) *runReader {
	select {
	case <-ctx.Done():
		return nil
	case r := <-p.wanted:
		return r
	default:
	}
	begun := time.Now()
	defer func() { p.reading.AddWait(meter.WaitOut, time.Since(begun)) }()
	select {
	case <-ctx.Done():
		return nil
	case r := <-p.wanted:
		return r
	}
}

// frame returns the next frame of a run, nil at its end, and has the one after it read. The
// frame before is no longer valid then.
func (p *prefetcher) frame(ctx context.Context, r *runReader) ([]byte, error) {
	l, err := p.await(ctx, r)
	if err == nil {
		err = l.err
	}
	if err != nil || l.frame == nil {
		return nil, err
	}
	p.wanted <- r
	return l.frame, nil
}

func (p *prefetcher) await(ctx context.Context, r *runReader) (loaded, error) {
	select {
	case l := <-r.ready:
		return l, nil
	default:
	}
	begun := time.Now()
	defer func() { p.merging.AddWait(meter.WaitIn, time.Since(begun)) }()
	select {
	case l := <-r.ready:
		return l, nil
	case <-ctx.Done():
		return loaded{}, ctx.Err()
	}
}

// stop ends the goroutines and waits for them.
func (p *prefetcher) stop() {
	p.cancel()
	p.done.Wait()
	p.sorter.addReaders(-p.readers)
}

// addReaders keeps the capacity of the stage that reads runs: the most readers at once, of all merges.
func (s *Sorter) addReaders(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers += n
	if s.readers > s.most {
		s.most = s.readers
		s.cfg.MergeReadStage.SetWorkers(s.most)
	}
}
