package mapper

import "slices"

const (
	fewHits    = 48  // seeds with at most this many places are always used
	manyHits   = 500 // seeds above it count as repeat, as bwa's -c
	hitBudget  = 600 // hits a read may use beyond its rare seeds
	sampleHits = 64  // places taken of a read all of whose seeds are repeats
	maxSeedPos = 1<<21 - 1
	diagBias   = 1 << 22 // keeps packed diagonals positive
	qposBits   = 21
)

// seedHits is a seed of the read and its places in the genome.
type seedHits struct {
	seed
	looked bool   // lo and hi are set
	lo, hi uint32 // its entries in the index
}

func (s *seedHits) count() int { return int(s.hi - s.lo) }

// seedScratch holds the s-mers of one read.
type seedScratch struct {
	hash [maxPacked + 1]uint64 // of the s-mer that ends at a base
	at   [maxPacked + 1]int32  // seeds found
}

// findSeeds sets the read's seeds, and which of them to look up first.
func (q *query) findSeeds(scratch *seedScratch) {
	n := q.len()
	switch {
	case n < seedK:
		return
	case q.packed:
		q.packedSeeds(scratch)
	default:
		syncmers(q.oriented(0)[:min(n, maxSeedPos)], func(s seed) { q.seeds = append(q.seeds, seedHits{seed: s}) })
	}
	end := int32(0)
	for i := range q.seeds {
		if p := q.seeds[i].pos; p >= end {
			q.coarse = append(q.coarse, int32(i))
			end = p + seedK
		}
	}
}

// packedSeeds is syncmers for a packed read.
func (q *query) packedSeeds(scratch *seedScratch) {
	n := q.len()
	h := &scratch.hash
	var fwd, rev uint32 // the last seedS bases
	i := 0
	for _, word := range q.bits[0][:(n+31)/32] {
		for range min(n-i, 32) {
			c := uint32(word & 3)
			word >>= 2
			fwd = fwd<<2 | c
			rev = rev>>2 | (3-c)<<(2*(seedS-1))
			h[i] = mixS(uint64(min(fwd, rev)))
			i++
		}
	}
	// The s-mer that begins at base p has its hash at p+seedS-1.
	at := &scratch.at
	found := 0
	for p := range n - seedK + 1 {
		w := (*[5]uint64)(h[p+seedS-1:])
		at[found] = int32(p)
		if w[seedMid] <= min(w[0], w[1], w[3], w[4]) {
			found++
		}
	}
	for _, p := range at[:found] {
		k := ^cut(&q.bits[0], int(p)) & kMask         // the reverse complement, its first base in the high bits
		f := ^cut(&q.bits[1], n-seedK-int(p)) & kMask // the k-mer itself
		if f == k || !q.clean && q.dirty(int(p)) {
			continue
		}
		q.seeds = append(q.seeds, seedHits{seed: seed{hash: mixK(min(f, k)), pos: p, rev: k < f}})
	}
}

// dirty says whether the k-mer at p has something but ACGT.
func (q *query) dirty(p int) bool {
	for _, c := range q.seq[p : p+seedK] {
		if code[c] > 3 {
			return true
		}
	}
	return false
}

// collect makes anchors of the hits of all seeds: all places of rare seeds, then of the
// next rarest while the budget lasts.
func (q *query) collect(ix *Index) {
	q.known, q.order = q.known[:0], q.order[:0]
	for i := range q.seeds {
		if n := q.seeds[i].count(); n == 0 {
			q.known = append(q.known, q.seeds[i].pos)
		} else {
			q.order = append(q.order, uint64(n)<<32|uint64(i))
		}
	}
	q.measureRepeats()
	slices.Sort(q.order)
	used := 0
	for k, o := range q.order {
		s := &q.seeds[uint32(o)]
		n := s.count()
		if n > fewHits && (used+n > hitBudget || n > manyHits) {
			if k == 0 {
				q.addAnchors(ix, s, max(n/sampleHits, 1))
			}
			break
		}
		used += n
		q.addAnchors(ix, s, 1)
		q.known = append(q.known, s.pos)
	}
	slices.Sort(q.known)
	slices.Sort(q.anchors)
}

// measureRepeats sets fracRep; seeds are in order of position.
func (q *query) measureRepeats() {
	covered, end := 0, 0
	for i := range q.seeds {
		s := &q.seeds[i]
		if s.count() <= manyHits {
			continue
		}
		from := max(int(s.pos), end)
		end = int(s.pos) + seedK
		covered += end - from
	}
	if n := q.len(); n > 0 {
		q.fracRep = float64(covered) / float64(n)
	}
}

// addAnchors adds every step-th place of a seed.
func (q *query) addAnchors(ix *Index, s *seedHits, step int) {
	hits := ix.entries[s.lo:s.hi]
	for i := 0; i < len(hits); i += step {
		if a, ok := q.anchor(s, hits[i]); ok {
			q.anchors = append(q.anchors, a)
		}
	}
}

// anchor puts a seed at one of its places.
func (q *query) anchor(s *seedHits, entry uint64) (anchor uint64, ok bool) {
	pos, rev := int64(entry&posMask), entry&revBit != 0
	qpos, strand := int64(s.pos), uint64(0)
	if rev != s.rev {
		qpos, strand = int64(q.len())-seedK-int64(s.pos), 1
		if qpos > maxSeedPos {
			return 0, false
		}
	}
	return packAnchor(strand, pos-qpos, qpos), true
}

// packAnchor makes anchors sort by strand, diagonal, and position in the oriented read.
func packAnchor(strand uint64, diag, qpos int64) uint64 {
	return strand<<63 | uint64(diag+diagBias)<<qposBits | uint64(qpos)
}

func unpackAnchor(a uint64) (strand uint8, diag int64, qpos int) {
	return uint8(a >> 63), int64(a<<1>>(1+qposBits)) - diagBias, int(a & maxSeedPos)
}
