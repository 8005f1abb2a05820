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

// query is one read on its way through the mapper: scratch that a Worker reuses.
type query struct {
	strand  [2][]byte // codes of the read, and of its reverse complement
	seeds   []seedHits
	known   []int32  // ascending positions of seeds whose places are all in anchors
	at      []bool   // scratch of maxScore
	anchors []uint64 // strand, diagonal, position in the oriented read: see packAnchor
	cands   []candidate
	alns    []alignment
	fracRep float64 // share of the read covered by repeat seeds only
	best    int     // index into alns of the primary, or -1
	mapq    int
	proper  bool
}

// seedHits is a seed of the read and its places in the genome.
type seedHits struct {
	seed
	hits []uint64
}

// load takes over a read.
func (q *query) load(seq []byte) {
	n := len(seq)
	for s := range q.strand {
		q.strand[s] = slices.Grow(q.strand[s][:0], n)[:n]
	}
	for i, c := range seq {
		v := code[c]
		q.strand[0][i] = v
		if v < 4 {
			v = 3 - v
		}
		q.strand[1][n-1-i] = v
	}
	q.anchors, q.cands, q.alns = q.anchors[:0], q.cands[:0], q.alns[:0]
	q.best, q.mapq, q.proper, q.fracRep = -1, 0, false, 0
}

func (q *query) len() int { return len(q.strand[0]) }

// findSeeds looks the read's syncmers up and collects anchors: all places of rare seeds,
// then of the next rarest while the budget lasts.
func (q *query) findSeeds(ix *Index) {
	q.seeds = q.seeds[:0]
	codes := q.strand[0]
	if len(codes) > maxSeedPos {
		codes = codes[:maxSeedPos]
	}
	q.known = q.known[:0]
	syncmers(codes, func(s seed) {
		if hits := ix.find(s.hash); len(hits) > 0 {
			q.seeds = append(q.seeds, seedHits{s, hits})
		} else {
			q.known = append(q.known, s.pos)
		}
	})
	q.measureRepeats()
	slices.SortFunc(q.seeds, func(a, b seedHits) int {
		if d := len(a.hits) - len(b.hits); d != 0 {
			return d
		}
		return int(a.pos - b.pos)
	})
	used := 0
	for i, s := range q.seeds {
		if len(s.hits) > fewHits && (used+len(s.hits) > hitBudget || len(s.hits) > manyHits) {
			if i == 0 {
				q.addAnchors(s, max(len(s.hits)/sampleHits, 1))
			}
			break
		}
		used += len(s.hits)
		q.addAnchors(s, 1)
		q.known = append(q.known, s.pos)
	}
	slices.Sort(q.known)
	slices.Sort(q.anchors)
}

// measureRepeats sets fracRep; seeds are in order of position.
func (q *query) measureRepeats() {
	covered, end := 0, 0
	for _, s := range q.seeds {
		if len(s.hits) <= manyHits {
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
func (q *query) addAnchors(s seedHits, step int) {
	n := q.len()
	for i := 0; i < len(s.hits); i += step {
		e := s.hits[i]
		pos, rev := int64(e&posMask), e&revBit != 0
		qpos, strand := int64(s.pos), uint64(0)
		if rev != s.rev {
			qpos, strand = int64(n)-seedK-int64(s.pos), 1
			if qpos > maxSeedPos {
				continue
			}
		}
		q.anchors = append(q.anchors, packAnchor(strand, pos-qpos, qpos))
	}
}

// packAnchor makes anchors sort by strand, diagonal, and position in the oriented read.
func packAnchor(strand uint64, diag, qpos int64) uint64 {
	return strand<<63 | uint64(diag+diagBias)<<qposBits | uint64(qpos)
}

func unpackAnchor(a uint64) (strand uint8, diag int64, qpos int) {
	return uint8(a >> 63), int64(a<<1>>(1+qposBits)) - diagBias, int(a & maxSeedPos)
}
