package mapper

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"sort"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sync/errgroup"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// Index finds the places of a k-mer in a genome. It is flat: a bucket table over the top
// bits of the seed's hash, and eight bytes for each seed of the genome.
//
//	63      41  40 39          0
//	┌─────────┬───┬─────────────┐   tag: the hash bits below the bucket's, so that a match
//	│ tag (23)│rev│ position(40)│   of bucket and tag is a match of all 40 bits;
//	└─────────┴───┴─────────────┘   position: of the k-mer's first base in the packed genome.
//
// Entries of a bucket are ascending, so those of one k-mer stand together.
type Index struct {
	Reference
	bucketBits uint
	starts     []uint32 // 1<<bucketBits + 1
	entries    []uint64
	source     source
	free       func() error // frees starts and entries
}

// source says which FASTA file an index was made from.
type source struct {
	size, mtimeNS int64
}

const (
	posBits    = 40
	maxTotal   = 1 << posBits // bases
	posMask    = 1<<posBits - 1
	revBit     = 1 << posBits
	tagShift   = posBits + 1
	minBuckets = seedBits - (64 - tagShift) // below it a tag could not hold the rest of the hash
	maxBuckets = 30
	segment    = 1 << 18 // bases: the unit of work of Build
)

// Bytes is the memory the index takes, mapped or allocated.
func (ix *Index) Bytes() int64 {
	tables := contigBytes*int64(len(ix.contigs)) + int64(len(ix.names)) + 4*int64(len(ix.hints)) + 16*int64(len(ix.holes)) + 8*int64(len(ix.holeMap))
	return int64(len(ix.packed)) + 4*int64(len(ix.starts)) + 8*int64(len(ix.entries)) + tables
}

// BuildBytes bounds the memory that Build will take for ref, beside ref itself.
func BuildBytes(ref *Reference) int64 {
	n := ref.total/4 + 1024 // one in five on random sequence
	return 8*n + 4<<bucketBitsFor(n)
}

// Close frees the index; no Worker may use it afterwards.
func (ix *Index) Close() error {
	err := ix.Reference.Close()
	if ix.free != nil {
		err = errors.Join(err, ix.free())
	}
	*ix = Index{}
	return err
}

func bucketBitsFor(entries int64) uint {
	return uint(min(max(bits.Len64(uint64(entries)/4), minBuckets), maxBuckets))
}

// Build indexes ref with that many threads. The result does not depend on threads.
func Build(ctx context.Context, ref *Reference, threads int) (*Index, error) {
	ix := &Index{Reference: *ref}
	n, err := ix.count(ctx, threads)
	if err != nil {
		return nil, err
	}
	if n >= 1<<32 {
		return nil, errors.New("index: more than 2^32 seeds")
	}
	ix.bucketBits = bucketBitsFor(n)
	startsMem, err := vfs.Alloc(4 * (1<<ix.bucketBits + 1))
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	entriesMem, err := vfs.Alloc(int(8 * max(n, 1)))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("index: %w", err), vfs.Free(startsMem))
	}
	ix.free = func() error { return errors.Join(vfs.Free(startsMem), vfs.Free(entriesMem)) }
	ix.starts = unsafe.Slice((*uint32)(unsafe.Pointer(&startsMem[0])), 1<<ix.bucketBits+1)
	ix.entries = unsafe.Slice((*uint64)(unsafe.Pointer(&entriesMem[0])), n)
	if err := ix.fill(ctx, threads); err != nil {
		return nil, errors.Join(err, ix.free())
	}
	ref.release = nil // ours now
	return ix, nil
}

// count returns the number of seeds in the genome.
func (ix *Index) count(ctx context.Context, threads int) (int64, error) {
	var total atomic.Int64
	err := ix.eachSegment(ctx, threads, func(bases []byte, _ int64) {
		n := int64(0)
		syncmers(bases, func(seed) { n++ })
		total.Add(n)
	})
	return total.Load(), err
}

// fill puts every seed in its bucket: a counting sort by bucket, then a sort of each.
func (ix *Index) fill(ctx context.Context, threads int) error {
	shift := seedBits - ix.bucketBits
	err := ix.eachSegment(ctx, threads, func(bases []byte, _ int64) {
		syncmers(bases, func(s seed) { atomic.AddUint32(&ix.starts[s.hash>>shift+1], 1) })
	})
	if err != nil {
		return err
	}
	for b := 1; b < len(ix.starts); b++ {
		ix.starts[b] += ix.starts[b-1]
	}
	// Filling from the back leaves starts[b+1] at the bucket's first entry; shifting by
	// one afterwards would need a second table, so entries are placed downwards.
	err = ix.eachSegment(ctx, threads, func(bases []byte, at int64) {
		syncmers(bases, func(s seed) {
			slot := atomic.AddUint32(&ix.starts[s.hash>>shift+1], ^uint32(0))
			e := (s.hash&(1<<shift-1))<<tagShift | uint64(at+int64(s.pos))
			if s.rev {
				e |= revBit
			}
			ix.entries[slot] = e
		})
	})
	if err != nil {
		return err
	}
	// Now starts[b+1] is the first entry of bucket b: move each one down.
	copy(ix.starts, ix.starts[1:])
	ix.starts[len(ix.starts)-1] = uint32(len(ix.entries))
	return ix.sortBuckets(ctx, threads)
}

func (ix *Index) sortBuckets(ctx context.Context, threads int) error {
	const step = 1 << 14
	return parallel(ctx, threads, (len(ix.starts)-1+step-1)/step, func(i int, _ *scratchBases) {
		for b := i * step; b < min((i+1)*step, len(ix.starts)-1); b++ {
			if e := ix.entries[ix.starts[b]:ix.starts[b+1]]; len(e) > 1 {
				slices.Sort(e)
			}
		}
	})
}

type scratchBases struct{ buf []byte }

// eachSegment calls do for every segment of every contig with the codes of its bases and
// the genome position of the first. Segments overlap by one base less than a seed.
func (ix *Index) eachSegment(ctx context.Context, threads int, do func(bases []byte, at int64)) error {
	type span struct{ from, to int64 }
	var spans []span
	for _, c := range ix.contigs {
		for at := c.Off; at < c.Off+c.Len; at += segment {
			spans = append(spans, span{at, min(at+segment+seedK-1, c.Off+c.Len)})
		}
	}
	return parallel(ctx, threads, len(spans), func(i int, s *scratchBases) {
		s.buf = unpack(s.buf, ix.packed, ix.holes, spans[i].from, spans[i].to)
		do(s.buf, spans[i].from)
	})
}

// parallel calls do for 0..n-1 from that many goroutines and waits for them.
func parallel(ctx context.Context, threads, n int, do func(i int, s *scratchBases)) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range max(threads, 1) {
		g.Go(func() error {
			var s scratchBases
			for {
				i := int(next.Add(1) - 1)
				if i >= n {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				do(i, &s)
			}
		})
	}
	return g.Wait()
}

// find returns the entries of one seed.
func (ix *Index) find(hash uint64) []uint64 {
	shift := seedBits - ix.bucketBits
	b := hash >> shift
	lo, hi := ix.starts[b], ix.starts[b+1]
	if lo >= hi || uint64(hi) > uint64(len(ix.entries)) {
		return nil
	}
	e := ix.entries[lo:hi]
	tag := hash & (1<<shift - 1)
	from, to := 0, 0
	if len(e) > 32 {
		from = sort.Search(len(e), func(i int) bool { return e[i]>>tagShift >= tag })
		to = from + sort.Search(len(e)-from, func(i int) bool { return e[from+i]>>tagShift > tag })
		return e[from:to]
	}
	for from < len(e) && e[from]>>tagShift < tag {
		from++
	}
	for to = from; to < len(e) && e[to]>>tagShift == tag; to++ {
	}
	return e[from:to]
}
