package mapper

import (
	"cmp"
	"math"
	"slices"
)

// addAlignment keeps one alignment of each place, the better one.
func (q *query) addAlignment(a alignment) {
	for i := range q.alns {
		b := &q.alns[i]
		if a.strand != b.strand || a.contig != b.contig {
			continue
		}
		sameStart := a.pos-int64(a.qb) == b.pos-int64(b.qb) && a.qb < b.qe && b.qb < a.qe
		sameEnd := a.end-int64(a.qe) == b.end-int64(b.qe) && a.qb < b.qe && b.qb < a.qe
		if sameStart || sameEnd {
			if a.score > b.score {
				*b, q.ranked = a, false
			}
			return
		}
	}
	q.alns, q.ranked = append(q.alns, a), false
}

// rank sorts alignments by score; equal ones by the qualities of the bases that differ, then
// in an order that depends on salt, so that reads of a repeat spread over its copies, and
// always in the same way. It does nothing if no alignment was added or improved since.
func (w *Worker) rank(q *query, salt uint64) {
	if q.ranked {
		return
	}
	q.ranked = true
	if len(q.alns) > 1 {
		for i := range q.alns {
			a := &q.alns[i]
			w.measureMiss(q, a)
			a.toss = scatter(salt ^ uint64(a.pos)<<1 ^ uint64(a.strand))
		}
	}
	slices.SortFunc(q.alns, func(a, b alignment) int {
		if a.score != b.score {
			return b.score - a.score
		}
		if a.miss != b.miss {
			return a.miss - b.miss
		}
		return cmp.Compare(a.toss, b.toss)
	})
}

// scatter is the finalizer of splitmix64: each bit of x changes each of the result's with even
// odds, so that the copies of a repeat are taken as often as each other.
func scatter(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// measureMiss sums the qualities of the bases that a has as mismatches: of two places with as
// many, the one where they are likelier errors of the sequencer is likelier right.
func (w *Worker) measureMiss(q *query, a *alignment) {
	a.miss = 0
	if len(q.qual) != q.len() {
		return
	}
	diag := a.pos - int64(a.qb)
	if a.cigar != nil || !w.comparable(q, a.contig, diag) {
		return
	}
	d := &q.diffs
	d.compare(&w.ix.Reference, &q.bits[a.strand], q.len(), diag)
	for i := d.next(a.qb); i < a.qe; i = d.next(i + 1) {
		at := i
		if a.strand == 1 {
			at = q.len() - 1 - i
		}
		a.miss += int(q.qual[at]) - '!'
	}
}

// judge finds for each alignment the better one that covers the same part of the read, and
// how close the runners-up come. first is the index of the one to prefer.
func (q *query) judge(first int) {
	n := q.len()
	for i := range q.alns {
		q.alns[i].parent, q.alns[i].sub, q.alns[i].subN = -1, 0, 0
	}
	visit := func(i int) {
		a := &q.alns[i]
		from, to := a.span(n)
		for j := range q.alns {
			p := &q.alns[j]
			if j == i || p.parent >= 0 || !(j == first || j < i && i != first) {
				continue
			}
			pf, pt := p.span(n)
			if overlap := min(to, pt) - max(from, pf); 2*overlap < min(to-from, pt-pf) {
				continue
			}
			a.parent = j
			p.sub = max(p.sub, a.score)
			return
		}
	}
	for i := range q.alns {
		if i != first {
			visit(i)
		}
	}
	for i := range q.alns {
		if j := q.alns[i].parent; j >= 0 && q.alns[j].sub-q.alns[i].score <= closeScore {
			q.alns[j].subN++
		}
	}
}

// chooseSingle makes the best alignment the primary.
func (q *query) chooseSingle() {
	q.best = -1
	if len(q.alns) == 0 || q.alns[0].aligned < minScore {
		return
	}
	q.judge(0)
	q.best = 0
	q.mapq = mapqSingle(&q.alns[0], q.unseen)
}

// pairing is the choice among combinations of the mates' alignments.
type pairing struct {
	i, j         int // alignments of mate 1 and mate 2
	best, second int // scores of the best and of the next combination
	close        int // combinations nearly as good as the second
}

// sizeScores are the log likelihoods of fragment sizes, in units of the match score.
type sizeScores struct {
	in    *InsertSize
	table []float64 // of sizes from in.Low on
}

const maxSizeTable = 1 << 14

func newSizeScores(in *InsertSize) sizeScores {
	s := sizeScores{in: in}
	for size := in.Low; size <= in.High && len(s.table) < maxSizeTable; size++ {
		s.table = append(s.table, in.score(int64(size)))
	}
	return s
}

func (s *sizeScores) of(size int64) float64 {
	if i := size - int64(s.in.Low); i >= 0 && i < int64(len(s.table)) {
		return s.table[i]
	}
	return s.in.score(size)
}

// penalty is what a fragment size costs a pair, rounded up.
func (s *sizeScores) penalty(size int64) int { return int(math.Ceil(-s.of(size))) }

// score is bwa-mem's for a fragment size.
func (in *InsertSize) score(size int64) float64 {
	ns := math.Abs(float64(size)-in.Mean) / max(in.Std, 1)
	return .721 * math.Log(2*math.Erfc(ns*math.Sqrt2/2)+1e-300) * matchScore
}

// bestPair looks at all combinations that fit; ok is false where none does. Equal ones are
// told apart by the fragment size and the qualities of mismatches, then by salt.
func (w *Worker) bestPair(a, b *query, salt uint64) (p pairing, ok bool) {
	const missWeight = .166 // of a Phred unit, as a score: 10 of them are log4(10)
	w.pairScores = w.pairScores[:0]
	var tie uint64
	var fine float64
	for i := range a.alns {
		for j := range b.alns {
			x, y := &a.alns[i], &b.alns[j]
			size, fits := w.properSize(a, x, b, y, true)
			if !fits || max(x.aligned, y.aligned) < minScore {
				continue
			}
			insert := w.sizes.of(size)
			score := max(int(float64(x.score+y.score)+insert+.499), 0)
			w.pairScores = append(w.pairScores, score)
			if ok && score < p.best {
				continue
			}
			f := insert - missWeight*float64(x.miss+y.miss)
			h := scatter(scatter(salt^uint64(x.pos)) ^ uint64(y.pos))
			if !ok || score > p.best || f > fine || f == fine && h < tie {
				p.i, p.j, p.best, fine, tie, ok = i, j, score, f, h, true
			}
		}
	}
	if !ok {
		return p, false
	}
	skipped := false
	for _, s := range w.pairScores {
		if s == p.best && !skipped {
			skipped = true
			continue
		}
		p.second = max(p.second, s)
	}
	for _, s := range w.pairScores {
		if p.second > 0 && p.second-s <= closeScore && s <= p.second {
			p.close++
		}
	}
	p.close = max(p.close-1, 0)
	return p, true
}

// choosePair decides where both mates go: together, when the best combination is better
// than the best places apart.
func (w *Worker) choosePair(a, b *query, salt uint64) {
	a.chooseSingle()
	b.chooseSingle()
	if a.best < 0 && b.best < 0 {
		return
	}
	p, ok := w.bestPair(a, b, salt)
	if !ok {
		return
	}
	apart := -unpairedCost
	if len(a.alns) > 0 {
		apart += a.alns[0].score
	}
	if len(b.alns) > 0 {
		apart += b.alns[0].score
	}
	if p.best <= apart {
		w.markProper(a, b)
		return
	}
	pair := mapqPair(p.best, max(p.second, apart), p.close)
	for k, q := range []*query{a, b} {
		at := p.i
		if k == 1 {
			at = p.j
		}
		q.best = at
		q.judge(at)
		single := mapqSingle(&q.alns[at], q.unseen)
		q.mapq = mapqPaired(single, pair)
		q.proper = true
	}
}

// markProper sets the proper flag where the best places of both happen to fit.
func (w *Worker) markProper(a, b *query) {
	if a.best < 0 || b.best < 0 {
		return
	}
	if _, ok := w.properSize(a, &a.alns[a.best], b, &b.alns[b.best], true); ok {
		a.proper, b.proper = true, true
	}
}
