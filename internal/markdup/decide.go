package markdup

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Decisions says which reads are duplicates. Close it when no more is asked.
type Decisions struct {
	Metrics Metrics
	bits    bitset
}

// Duplicate tells whether the record of an ordinal is to be marked. Only primary records are. Safe
// for concurrent use.
func (d *Decisions) Duplicate(ord uint64) bool {
	return ord&(1<<(OrdShift-1)-1) == 0 && d.bits.get(ord>>OrdShift, ord>>(OrdShift-1)&1)
}

// Close gives back the memory of the decisions.
func (d *Decisions) Close() error {
	m := memory{[][]byte{d.bits.memory}}
	d.bits = bitset{}
	return m.release()
}

// Decide finds the duplicates among all that was added. It is called once, when no Writer is in
// use any more; the Marker can be closed then.
func (m *Marker) Decide(ctx context.Context) (*Decisions, error) {
	d := &Decisions{}
	low, high := m.count(&d.Metrics)
	var err error
	if d.bits, err = newBitset(low, high); err != nil {
		return nil, fmt.Errorf("markdup: %w", err)
	}
	if err := m.decide(ctx, d); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// count adds up what the writers counted, and returns the least and the largest template.
func (m *Marker) count(to *Metrics) (low, high uint64) {
	low = m.writers[0].low
	for _, w := range m.writers {
		low, high = min(low, w.low), max(high, w.high)
		to.UnpairedReadsExamined += w.counts.single
		to.ReadPairsExamined += w.counts.paired
		to.SecondaryOrSupplementary += w.counts.nonPrimary
		to.UnmappedReads += w.counts.unmapped
	}
	to.ReadPairsExamined /= 2
	return low, high
}

func (m *Marker) decide(ctx context.Context, d *Decisions) error {
	deciders := make([]*decider, m.cfg.Workers)
	for i := range deciders {
		s, err := m.newStore(m.shares.found)
		if err != nil {
			return err
		}
		m.found = append(m.found, s)
		if deciders[i], err = m.newDecider(s, &d.bits); err != nil {
			return err
		}
	}
	if err := m.orderAll(ctx); err != nil {
		return err
	}
	filter, err := m.newFilter(d.Metrics.UnpairedReadsExamined)
	if err != nil {
		return err
	}
	parts := m.tune.parts
	if filter != nil {
		if err := m.each(ctx, deciders, parts, 2*parts, func(c *decider, p int) error { return c.fill(p, filter) }); err != nil {
			return err
		}
	}
	if err := m.each(ctx, deciders, 0, parts, func(c *decider, p int) error { return c.pairs(p, filter) }); err != nil {
		return err
	}
	for _, c := range deciders {
		c.found.order()
	}
	if filter != nil {
		if err := m.each(ctx, deciders, parts, 2*parts, (*decider).singles); err != nil {
			return err
		}
	}
	for _, c := range deciders {
		d.Metrics.add(c)
	}
	d.Metrics.finish()
	return nil
}

// orderAll orders what the writers have in memory.
func (m *Marker) orderAll(ctx context.Context) error {
	var g errgroup.Group
	for _, w := range m.writers {
		g.Go(func() error {
			defer m.cfg.Stage.Enter().Exit()
			w.store.order()
			return ctx.Err()
		})
	}
	return g.Wait()
}

// each runs f for the partitions from first to last, by all deciders at once.
func (m *Marker) each(ctx context.Context, deciders []*decider, first, last int, f func(*decider, int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for _, c := range deciders {
		g.Go(func() error {
			defer m.cfg.Stage.Enter().Exit()
			c.ctx = ctx
			for p := first + int(next.Add(1)) - 1; p < last; p = first + int(next.Add(1)) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := f(c, p); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// decider is one goroutine of Decide.
type decider struct {
	ctx     context.Context
	m       *Marker
	bits    *bitset
	table   table
	frame   []byte // for reading
	found   *store
	optical opticals

	pairRecords, singleRecords, opticalRecords int64 // duplicates
}

func (m *Marker) newDecider(found *store, bits *bitset) (*decider, error) {
	b, err := m.memory.alloc(m.shares.table + frameHeader + int64(m.tune.frame))
	if err != nil {
		return nil, err
	}
	at := m.shares.table &^ 7
	c := &decider{m: m, bits: bits, found: found, frame: b[at:]}
	own := at
	if m.cfg.OpticalDistance > 0 {
		own = at / 2 &^ 7
	}
	c.table.memory, c.optical.memory = b[:own:own], b[own:at:at]
	return c, nil
}

// scan calls f for all signatures of a partition.
func (c *decider) scan(partition int, f func(signature) error) error {
	for _, w := range c.m.writers {
		if err := c.scanStore(w.store, partition, f); err != nil {
			return err
		}
	}
	if partition < c.m.tune.parts {
		return nil // what is found concerns single reads
	}
	for _, s := range c.m.found {
		if err := c.scanStore(s, partition, f); err != nil {
			return err
		}
	}
	return nil
}

func (c *decider) scanStore(s *store, partition int, f func(signature) error) error {
	for i := range s.runs {
		if err := s.eachSpilled(c.ctx, &s.runs[i], partition, c.frame, f); err != nil {
			return err
		}
	}
	return s.each(partition, f)
}

// entries is how many signatures of a partition there are.
func (c *decider) entries(partition int) (n int64) {
	for _, w := range c.m.writers {
		n += w.store.count(partition)
	}
	if partition >= c.m.tune.parts {
		for _, s := range c.m.found {
			n += s.count(partition)
		}
	}
	return n
}

// pass is a share of a partition: the hashes whose low depth bits are want. A table that is too
// small for a pass is used again for its two halves. Of what a pass had found by then nothing is
// wrong, so marks stay; found again, they count once.
type pass struct {
	depth uint
	want  uint64
}

func (p pass) has(hash uint64) bool { return hash&(1<<p.depth-1) == p.want }

// errFull ends a pass that is to be halved.
var errFull = errors.New("markdup: table is full")

// maxDepth is more than any memory needs: the halves of the last pass hold one hash in 2^20.
const maxDepth = 20

// inPasses does one partition, by as many passes as the table needs.
func (c *decider) inPasses(partition int, run func(pass) error) error {
	todo := []pass{{}}
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		c.table.reset(c.entries(partition) >> p.depth)
		err := run(p)
		switch {
		case err == errFull && p.depth == maxDepth:
			return fmt.Errorf("markdup: %w: %w", err, &MemoryError{Have: c.m.cfg.MemBytes, Least: 2 * c.m.cfg.MemBytes})
		case err == errFull:
			todo = append(todo, pass{p.depth + 1, p.want}, pass{p.depth + 1, p.want | 1<<p.depth})
		case err != nil:
			return err
		}
	}
	return nil
}
