package sorter

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Merger gives the records out in order. It belongs to one goroutine.
type Merger struct {
	sorter   *Sorter
	ctx      context.Context
	sources  []source
	runs     []*runReader
	ahead    *prefetcher // nil where there are no runs
	tree     loserTree
	last     leaf    // the record given out last, to see that order is kept
	current  *source // its source; nil before the first
	lastName []byte  // its name, where names give the order
	err      error   // once set, Next returns it
	keys     keyRange
	inner    bool  // writes a run, gives nothing out
	want     int64 // records in all, or -1 where only the end tells
	count    int64 // given out
	counted  int64 // of them, already in the stage's account
	bytes    int64 // likewise

	arena []byte // all buffers, cut into:
	body  []byte // a record longer than a frame
	block []byte // to read its parts
}

// countEach is how many records are merged between two updates of the stage's counters.
const countEach = 4096

// input is what a merge takes in: runs and buffers in the order of equal ordinals.
type input struct {
	run    *run
	buffer *buffer // where run is nil
}

// openMerger sets up a merge of the records in a range. Its memory comes out of what is free.
func (s *Sorter) openMerger(ctx context.Context, inputs []input, keys keyRange) (*Merger, error) {
	m := &Merger{sorter: s, ctx: ctx, sources: make([]source, len(inputs)), keys: keys}
	if err := m.open(inputs); err != nil {
		return nil, errors.Join(err, m.close())
	}
	return m, nil
}

func (m *Merger) open(inputs []input) error {
	s := m.sorter
	var runs []*run
	for i, in := range inputs {
		m.sources[i].order, m.sources[i].keys = s.cfg.Order, m.keys
		if in.run == nil {
			m.sources[i].mem, m.sources[i].entries = in.buffer.mem, m.keys.of(in.buffer.sorted)
			m.want += int64(len(m.sources[i].entries))
			continue
		}
		runs = append(runs, in.run)
		m.want += in.run.records
	}
	if len(runs) > 0 && m.keys != everything {
		m.want = -1
	}
	if err := m.openRuns(runs, inputs); err != nil {
		return err
	}
	leaves := make([]leaf, len(inputs))
	for i := range leaves {
		var err error
		if leaves[i], err = m.advance(i); err != nil {
			return err
		}
	}
	if len(leaves) == 0 {
		leaves = []leaf{exhausted(0, 0)}
	}
	var before func(a, b leaf) bool
	if s.cfg.Order == Name {
		before = m.beforeByName
	}
	m.tree = newLoserTree(leaves, before)
	return nil
}

// openRuns opens the files, cuts up the memory and starts to read.
func (m *Merger) openRuns(runs []*run, inputs []input) (err error) {
	if len(runs) == 0 {
		return nil
	}
	s, n := m.sorter, min(loaders(m.sorter.cfg.Workers), len(runs))
	loader, body := s.tune.loaderBytes(), longestBody(runs)
	if m.arena, err = s.mem.alloc(int64(len(runs))*s.tune.runBytes() + int64(n+1)*loader + body); err != nil {
		return err
	}
	rest := m.arena
	cut := func(n int64) []byte {
		b := rest[:n:n]
		rest = rest[n:]
		return b
	}
	for i, in := range inputs {
		if in.run == nil {
			continue
		}
		r, err := s.openRun(in.run, cut(s.tune.runBytes()), m.keys)
		if err != nil {
			return fmt.Errorf("merge: %w", err)
		}
		m.runs = append(m.runs, r)
		m.sources[i].run = r
	}
	m.body, m.block = cut(body), cut(loader)
	blocks := make([][]byte, n)
	for i := range blocks {
		blocks[i] = cut(loader)
	}
	m.ahead = s.startPrefetch(m.ctx, m.runs, blocks)
	return nil
}

func longestBody(runs []*run) (n int64) {
	for _, r := range runs {
		n = max(n, r.body)
	}
	return n
}

// Item is one record of a merge.
type Item struct {
	Key Key
	Ord uint64
	Rec []byte // with its block_size; valid until the next call of Next
	// Stable says that Rec is valid until the Sorter is closed: it lies in a slab.
	Stable bool
}

// Next returns the next record. io.EOF is returned after the last one, when all that was added
// has come out and all runs were found whole; any other error is final. A merge of a range of
// keys sees the runs only as far as they are in it.
func (m *Merger) Next() (Item, error) {
	s, err := m.next()
	if err != nil {
		return Item{}, err
	}
	return Item{s.key, s.ord, s.rec, s.run == nil}, nil
}

// next returns the source whose head is the next record.
func (m *Merger) next() (*source, error) {
	if m.err != nil {
		return nil, m.err
	}
	if m.current != nil {
		i := int(m.last.src)
		l, err := m.advance(i)
		if err != nil {
			return nil, m.fail(err)
		}
		m.tree.replace(i, l)
	}
	first := m.tree.first
	if first.src >= uint64(len(m.sources)) {
		return nil, m.finish()
	}
	s := &m.sources[first.src]
	if !m.inOrder(first, s) {
		return nil, m.fail(errors.New("sorter: records out of order (bug)"))
	}
	m.last, m.current = first, s
	if s.rec == nil {
		if err := m.readBody(s); err != nil {
			return nil, m.fail(err)
		}
	}
	m.count++
	m.bytes += int64(len(s.rec))
	if m.count-m.counted >= countEach {
		m.account()
	}
	return s, nil
}

// advance moves a source on and returns its rank.
func (m *Merger) advance(i int) (leaf, error) {
	s := &m.sources[i]
	ok, err := s.next(m.ctx, m.ahead)
	if !ok || err != nil {
		return exhausted(i, len(m.sources)), err
	}
	return s.rank(i), nil
}

// readBody brings a long record into memory.
func (m *Merger) readBody(s *source) error {
	rec := m.body[:s.body.length:s.body.length]
	if err := s.run.readBody(rec, m.block, s.body); err != nil {
		return err
	}
	s.rec = rec
	return nil
}

// account adds what was merged since the last call to the stage.
func (m *Merger) account() {
	st := m.sorter.cfg.MergeStage
	st.AddItems(m.count - m.counted)
	st.AddBytesOut(m.bytes)
	if !m.inner {
		m.sorter.given.Add(m.count - m.counted)
	}
	m.counted, m.bytes = m.count, 0
}

func (m *Merger) fail(err error) error {
	m.err = err
	return err
}

// finish checks that all came out, and closes the runs.
func (m *Merger) finish() error {
	m.account()
	if err := m.close(); err != nil {
		return m.fail(err)
	}
	if m.want >= 0 && m.count != m.want {
		return m.fail(fmt.Errorf("sorter: %d records merged of %d (bug)", m.count, m.want))
	}
	return m.fail(io.EOF)
}

// close stops the readers, closes their files and gives the memory back. It may be called again.
func (m *Merger) close() error {
	if m.ahead != nil {
		m.ahead.stop()
		m.ahead = nil
	}
	var errs []error
	for _, r := range m.runs {
		if err := r.file.Close(); err != nil {
			errs = append(errs, fmt.Errorf("merge: %w", err))
		}
	}
	m.runs, m.sources, m.current = nil, nil, nil
	arena := m.arena
	m.arena, m.body, m.block = nil, nil, nil
	return errors.Join(append(errs, m.sorter.mem.release(arena))...)
}
