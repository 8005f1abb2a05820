package mapper

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sync/errgroup"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// Plan is a genome whose seeds have been counted, so that the memory of its index is known
// before any of it is taken.
//
// Building goes over the genome twice: [NewPlan] counts the seeds of each partition, by the
// top bits of their hash, and [Plan.Build] writes every seed to its partition, in place.
// Then each partition, which fits the cache, is sorted by itself. Which thread did what
// leaves no trace, since entries are distinct and end up in ascending order.
type Plan struct {
	ref      *Reference
	threads  int
	spans    []span
	partBits uint
	parts    []uint64 // seeds of each partition
	seeds    int64
}

// span is a run of k-mers: those that begin in [from, to), all of them of ACGT.
type span struct{ from, to int64 }

const (
	partSeeds   = 1 << 16 // aimed at for a partition: half a megabyte, of the second-level cache
	maxPartBits = 13      // more partitions, and the threads' line buffers leave that cache
	lineSeeds   = 8       // of a partition, gathered before they are written: one cache line
	taskBases   = 1 << 18 // the unit of work
)

// NewPlan counts the seeds of ref with that many threads.
func NewPlan(ctx context.Context, ref *Reference, threads int) (*Plan, error) {
	return newPlan(ctx, ref, threads, partBitsFor(ref.total))
}

func newPlan(ctx context.Context, ref *Reference, threads int, partBits uint) (*Plan, error) {
	p := &Plan{ref: ref, threads: max(threads, 1), spans: spansOf(ref), partBits: partBits}
	p.parts = make([]uint64, 1<<p.partBits)
	if err := p.count(ctx); err != nil {
		return nil, err
	}
	for _, n := range p.parts {
		p.seeds += int64(n)
	}
	if p.seeds >= 1<<32 {
		return nil, fmt.Errorf("%w: more than 2^32 seeds", ErrInput)
	}
	return p, nil
}

// partBitsFor cuts a genome with the usual density of seeds into partitions of about
// partSeeds. While it is built, an entry has the position in the low bits, and above it as
// much of the hash as the partition does not tell: both must fit.
func partBitsFor(total int64) uint {
	wanted := bits.Len64(uint64(total) / 5 / partSeeds)
	least := bits.Len64(uint64(total-1)) - (63 - seedBits)
	return uint(max(min(wanted, maxPartBits), least))
}

// spansOf cuts the genome at contigs and holes.
func spansOf(ref *Reference) []span {
	var spans []span
	holes := ref.holes
	for _, c := range ref.contigs {
		from, end := c.Off, c.Off+c.Len
		for len(holes) > 0 && holes[0].start < end {
			spans = appendSpan(spans, from, holes[0].start)
			from = min(holes[0].end, end)
			if holes[0].end > end {
				break // it goes on in the next contig
			}
			holes = holes[1:]
		}
		spans = appendSpan(spans, from, end)
	}
	return spans
}

func appendSpan(spans []span, from, end int64) []span {
	if last := end - seedK + 1; from < last {
		return append(spans, span{from, last})
	}
	return spans
}

// Bytes is the most memory that Build will take beside the reference.
func (p *Plan) Bytes() int64 {
	sizes := slices.Clone(p.parts)
	slices.Sort(sizes)
	scratch := uint64(0) // every thread may be at one of the largest partitions
	for _, n := range sizes[max(0, len(sizes)-p.threads):] {
		scratch += 8 * n
	}
	lines := int64(p.threads) * int64(len(p.parts)) * (8*lineSeeds + 1)
	tables := 4<<bucketBitsFor(p.seeds, p.ref.total) + 8*int64(len(p.parts)) + 16*int64(len(p.spans)) + int64(p.threads)*int64(unsafe.Sizeof(genomeSeeds{}))
	return 8*p.seeds + int64(scratch) + lines + tables
}

// Build indexes ref with that many threads. The result does not depend on threads. The
// index takes ref over when there is no error.
func Build(ctx context.Context, ref *Reference, threads int) (*Index, error) {
	p, err := NewPlan(ctx, ref, threads)
	if err != nil {
		return nil, err
	}
	return p.Build(ctx)
}

// Build makes the index, which takes the reference over when there is no error.
func (p *Plan) Build(ctx context.Context) (*Index, error) {
	ix := &Index{Reference: *p.ref, bucketBits: bucketBitsFor(p.seeds, p.ref.total)}
	startsMem, err := vfs.Alloc(4 * (1<<ix.bucketBits + 1))
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	entriesMem, err := vfs.Alloc(int(8 * max(p.seeds, 1)))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("index: %w", err), vfs.Free(startsMem))
	}
	ix.free = func() error { return errors.Join(vfs.Free(startsMem), vfs.Free(entriesMem)) }
	ix.starts = unsafe.Slice((*uint32)(unsafe.Pointer(&startsMem[0])), 1<<ix.bucketBits+1)
	ix.entries = unsafe.Slice((*uint64)(unsafe.Pointer(&entriesMem[0])), p.seeds)
	bounds := p.bounds()
	err = p.distribute(ctx, ix.entries, slices.Clone(bounds))
	if err == nil {
		err = p.sortAll(ctx, ix, bounds)
	}
	if err != nil {
		return nil, errors.Join(err, ix.free())
	}
	p.ref.release = nil // ours now
	return ix, nil
}

// bounds are the places of the partitions among the entries.
func (p *Plan) bounds() []uint32 {
	bounds := make([]uint32, len(p.parts)+1)
	for i, n := range p.parts {
		bounds[i+1] = bounds[i] + uint32(n)
	}
	return bounds
}

// count fills parts.
func (p *Plan) count(ctx context.Context) error {
	return p.eachThread(ctx, func(next func() []span) error {
		var g genomeSeeds
		counts := make([]uint64, len(p.parts))
		shift := seedBits - p.partBits
		packed := p.ref.packed[:cap(p.ref.packed)]
		for task := next(); task != nil; task = next() {
			eachStretch(task, func(from, to int64) {
				for _, off := range g.find(packed, from, to) {
					if hash, _, ok := seedAt(packed, from+int64(off)); ok {
						counts[hash>>shift]++
					}
				}
			})
		}
		for i, n := range counts {
			atomic.AddUint64(&p.parts[i], n)
		}
		return nil
	})
}

// distribute writes every seed to its partition; cursors are where the next one goes.
func (p *Plan) distribute(ctx context.Context, entries []uint64, cursors []uint32) error {
	return p.eachThread(ctx, func(next func() []span) error {
		var g genomeSeeds
		lines := make([][lineSeeds]uint64, len(p.parts))
		used := make([]uint8, len(p.parts))
		flush := func(part uint64) {
			n := uint32(used[part])
			to := atomic.AddUint32(&cursors[part], n)
			copy(entries[to-n:to], lines[part][:n])
			used[part] = 0
		}
		shift := seedBits - p.partBits
		restShift := 63 - seedBits + p.partBits + 1
		packed := p.ref.packed[:cap(p.ref.packed)]
		for task := next(); task != nil; task = next() {
			eachStretch(task, func(from, to int64) {
				for _, off := range g.find(packed, from, to) {
					at := from + int64(off)
					hash, rev, ok := seedAt(packed, at)
					if !ok {
						continue
					}
					e := hash<<restShift | uint64(at)
					if rev {
						e |= 1 << (restShift - 1)
					}
					part := hash >> shift
					if used[part] == lineSeeds {
						flush(part)
					}
					lines[part][used[part]&(lineSeeds-1)] = e
					used[part]++
				}
			})
		}
		for part := range used {
			flush(uint64(part))
		}
		return nil
	})
}

// eachStretch cuts the spans of a task into what genomeSeeds takes.
func eachStretch(task []span, do func(from, to int64)) {
	for _, s := range task {
		for from := s.from; from < s.to; from += stretch {
			do(from, min(from+stretch, s.to))
		}
	}
}

// eachThread runs do in each thread. next gives it spans of about taskBases in all, and nil
// at the end.
func (p *Plan) eachThread(ctx context.Context, do func(next func() []span) error) error {
	feed := spanFeed{spans: p.spans}
	g, ctx := errgroup.WithContext(ctx)
	for range p.threads {
		g.Go(func() error {
			var buf []span
			err := do(func() []span {
				if ctx.Err() != nil {
					return nil
				}
				buf = feed.take(buf[:0])
				return buf
			})
			return errors.Join(err, ctx.Err())
		})
	}
	return g.Wait()
}
