package mapper

import (
	"slices"
	"sort"

	"github.com/alignpipe/alignpipe/internal/syncmer"
)

const (
	rareHits     = 4       // seeds with at most this many places cost nothing
	fewHits      = 48      // seeds with at most this many places are always used
	manyHits     = 500     // seeds above it count as repeat, as bwa's -c
	hitBudget    = 600     // hits a read may use beyond its rare seeds
	sampleHits   = 64      // places taken of a read all of whose seeds are repeats
	joinHits     = 1 << 15 // places of repeats that a read may compare
	joinApart    = 8       // bases between seeds that are compared
	enoughSeeds  = 8       // rare ones of a single read, and its repeats are not compared
	enoughPaired = 2       // of a mate
	likelyEdits  = 2       // that a place in none of the lists has beyond those its missing seeds prove
	maxAnchors   = 1 << 12 // of a read
	maxSeedPos   = 1<<21 - 1
	diagBias     = 1 << 22 // keeps packed diagonals positive
	qposBits     = 21
)

// seedHits is a seed of the read and its places in the genome.
type seedHits struct {
	seed
	looked bool   // lo and hi are set
	lo, hi uint32 // its entries in the index
}

func (s *seedHits) count() int { return int(s.hi - s.lo) }

// seedScratch holds the syncmers of one read.
type seedScratch struct {
	at     [maxPacked]int32
	hashes [maxPacked]uint64 // see syncmer.Hash
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
	packed := bytesOf(q.bits[0][:])
	at := scratch.at[:syncmer.Find(scratch.at[:], packed, q.len())]
	hashes := scratch.hashes[:len(at)]
	syncmer.Hash(hashes, packed, at)
	for i, h := range hashes {
		if h == syncmer.Palindrome || !q.clean && q.dirty(int(at[i])) {
			continue
		}
		q.seeds = append(q.seeds, seedHits{seed: seed{hash: h >> 1, pos: at[i], rev: h&1 != 0}})
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
// next rarest while the budget lasts and what they leave out could matter. Where that leaves
// fewer than enough seeds, repeats count where two of them agree.
func (q *query) collect(ix *Index, enough int) {
	q.anchors, q.known, q.order = q.anchors[:0], q.known[:0], q.order[:0]
	for i := range q.seeds {
		if n := q.seeds[i].count(); n == 0 {
			q.known = append(q.known, q.seeds[i].pos)
		} else {
			q.order = append(q.order, uint64(n)<<32|uint64(i))
		}
	}
	slices.Sort(q.order)
	used, missing := 0, len(q.known)
	target := q.disjoint() + q.lag/(matchScore+mismatchCost)
	k := 0
	for ; k < len(q.order); k++ {
		s := &q.seeds[uint32(q.order[k])]
		n := s.count()
		if n > fewHits && (used+n > hitBudget || n > manyHits) || n > rareHits && q.disjoint() >= target {
			break
		}
		used += n
		q.addAnchors(ix, s, 1)
		at, _ := slices.BinarySearch(q.known, s.pos)
		q.known = slices.Insert(q.known, at, s.pos)
	}
	skipped := q.order[k:]
	joined := 0
	if len(skipped) > 0 && len(q.known)-missing < enough {
		if joined = q.join(ix, skipped); used == 0 && len(q.anchors) == 0 {
			s := &q.seeds[uint32(skipped[0])]
			q.addAnchors(ix, s, max(s.count()/sampleHits, 1))
		}
	}
	slices.Sort(q.anchors)
	q.anchors = slices.Compact(q.anchors)
	q.unseen = 0
	if len(skipped) > 0 {
		q.unseen = q.len()*matchScore - (q.disjoint()+max(joined-1, 0)+likelyEdits)*(matchScore+mismatchCost)
	}
}

// disjoint is the number of known seeds that do not overlap.
func (q *query) disjoint() int {
	n, end := 0, int32(0)
	for _, p := range q.known {
		if p >= end {
			n++
			end = p + seedK
		}
	}
	return n
}

// join adds the places where two of the three rarest seeds of repeats stand on one diagonal,
// and returns how many seeds it compared.
func (q *query) join(ix *Index, order []uint64) int {
	q.joined = q.joined[:0]
	total := 0
	for _, o := range order {
		s := &q.seeds[uint32(o)]
		if total+s.count() > joinHits {
			break
		}
		apart := true
		for _, other := range q.joined {
			apart = apart && (s.pos >= other.pos+joinApart || other.pos >= s.pos+joinApart)
		}
		if apart {
			q.joined = append(q.joined, s)
			if total += s.count(); len(q.joined) == 3 {
				break
			}
		}
	}
	for i, s := range q.joined {
		for _, other := range q.joined[i+1:] {
			q.joinTwo(ix, s, other)
		}
	}
	clear(q.joined)
	return len(q.joined)
}

// joinTwo adds the places that two seeds have on the same diagonal.
func (q *query) joinTwo(ix *Index, s, t *seedHits) {
	for strand := range uint64(2) {
		a, b := q.onStrand(ix, s, strand), q.onStrand(ix, t, strand)
		shift := uint64(int64(t.pos) - int64(s.pos))
		if strand == 1 {
			shift = -shift
		}
		for len(a) > 0 && len(b) > 0 && len(q.anchors) < maxAnchors {
			x, y := a[0]&posMask+shift, b[0]&posMask
			if x == y {
				for _, hit := range [2]struct {
					s *seedHits
					e uint64
				}{{s, a[0]}, {t, b[0]}} {
					if anchor, ok := q.anchor(hit.s, hit.e); ok {
						q.anchors = append(q.anchors, anchor)
					}
				}
			}
			if int64(x) <= int64(y) {
				a = a[1:]
			}
			if int64(y) <= int64(x) {
				b = b[1:]
			}
		}
	}
}

// onStrand returns the places where the read would lie on that strand, ascending.
func (q *query) onStrand(ix *Index, s *seedHits, strand uint64) []uint64 {
	hits := ix.entries[s.lo:s.hi]
	first := sort.Search(len(hits), func(i int) bool { return hits[i]&revBit != 0 })
	if s.rev != (strand == 1) {
		return hits[first:]
	}
	return hits[:first]
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
