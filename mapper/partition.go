package mapper

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// spanFeed gives out spans in pieces, to several threads.
type spanFeed struct {
	mu    sync.Mutex
	spans []span
	done  int64 // bases of spans[0] given out already
}

// take appends spans of about taskBases in all to dst, and returns nil when there are none.
func (f *spanFeed) take(dst []span) []span {
	f.mu.Lock()
	defer f.mu.Unlock()
	for left := int64(taskBases); left > 0 && len(f.spans) > 0; {
		s := f.spans[0]
		s.from += f.done
		if n := s.to - s.from; n > left {
			s.to = s.from + left
			f.done += left
		} else {
			f.spans, f.done = f.spans[1:], 0
		}
		dst = append(dst, s)
		left -= s.to - s.from
	}
	if len(dst) == 0 {
		return nil
	}
	return dst
}

// sortAll sorts every partition by bucket, and within buckets, and fills the bucket table.
func (p *Plan) sortAll(ctx context.Context, ix *Index, bounds []uint32) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range p.threads {
		g.Go(func() error {
			var scratch []uint64
			for {
				i := int(next.Add(1) - 1)
				if i >= len(p.parts) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return errors.Join(err, context.Cause(ctx))
				}
				n := int(p.parts[i])
				if n > cap(scratch) {
					scratch = make([]uint64, n)
				}
				p.sortPart(ix, i, bounds[i], scratch[:n])
			}
		})
	}
	err := g.Wait()
	ix.starts[len(ix.starts)-1] = uint32(len(ix.entries))
	return err
}

// sortPart is a counting sort of one partition by bucket into scratch, then a sort of each
// bucket, and a copy back. first is the place of the partition among all entries.
func (p *Plan) sortPart(ix *Index, part int, first uint32, scratch []uint64) {
	entries := ix.entries[first:][:len(scratch)]
	below := ix.bucketBits - p.partBits // bits that tell the buckets of the partition apart
	starts := ix.starts[part<<below : (part+1)<<below]
	bucket := 64 - below
	for _, e := range entries {
		starts[e>>bucket]++
	}
	sum := uint32(0)
	for b, n := range starts {
		starts[b] = sum
		sum += n
	}
	restShift := 63 - seedBits + p.partBits + 1 // where distribute put the hash
	low := uint64(1)<<(restShift-1) - 1
	tagRev := uint64(1)<<(seedBits-ix.bucketBits+1) - 1
	for _, e := range entries {
		b := e >> bucket
		scratch[starts[b]] = e>>(restShift-1)&tagRev<<posBits | e&low
		starts[b]++
	}
	begin := uint32(0)
	for b, end := range starts { // each is now the end of its bucket
		sortBucket(scratch[begin:end])
		starts[b] = first + begin
		begin = end
	}
	copy(entries, scratch)
}

// sortBucket sorts the two or three entries of most buckets in place.
func sortBucket(e []uint64) {
	if len(e) > 24 {
		slices.Sort(e)
		return
	}
	for i := 1; i < len(e); i++ {
		v := e[i]
		j := i
		for ; j > 0 && e[j-1] > v; j-- {
			e[j] = e[j-1]
		}
		e[j] = v
	}
}
