package mapper

import (
	"unsafe"

	"github.com/alignpipe/alignpipe/reader"
)

// groupReads reads are taken through the stages of the mapper together, so that what one
// stage needs from memory is on its way for all of them. More would push each other's lines
// out of the cache. Long reads go in smaller groups, since each takes memory by its length.
const (
	groupReads = 64
	groupBases = groupReads * maxPacked
)

// Worker maps batches with scratch memory of its own. It is not safe for concurrent use;
// make one for each goroutine.
type Worker struct {
	ix         *Index
	p          Params
	group      [groupReads]query
	placing    [2]placing
	look       lookUps
	seeds      seedScratch
	dp         aligner
	rescuer    rescuer
	window     []byte
	sizes      sizeScores
	pairScores []int
	pairs      []int32 // scratch of partners
	enc        encoder
	quick      bool // leave what settle does not place
	thorough   bool // have nothing settled; for tests, which compare
	mapped     int64
	opened     int64 // reads that nothing settled
}

// NewWorker returns a worker over ix.
func NewWorker(ix *Index, p Params) *Worker {
	return &Worker{ix: ix, p: p, sizes: newSizeScores(&p.Insert)}
}

// Emit takes one encoded BAM record (with block_size; valid until it returns), where it
// sorts, and its ordinal among all records of the input.
type Emit func(rec []byte, ref, pos int32, reverse bool, ord uint64) error

// OrdShift leaves room for the records of one template: two primaries and their
// supplementary alignments.
const OrdShift = 8

// Mapped is the number of reads placed so far.
func (w *Worker) Mapped() int64 { return w.mapped }

// Map maps the reads of b and hands their records to emit in the order of the input. Every
// read gives one primary record, mapped or not. It fails only when emit does.
func (w *Worker) Map(b *reader.Batch, emit Emit) error {
	step := 1
	if b.Paired {
		step = 2
	}
	n := len(b.Reads) / step * step
	for i := 0; i < n; {
		reads := nextGroup(b.Reads[i:n], step)
		w.mapGroup(reads, step, uint64(b.First)+uint64(i/step))
		for k := 0; k < len(reads); k += step {
			if err := w.emitTemplate(reads[k:k+step], w.group[k:k+step], uint64(b.First)+uint64((i+k)/step), emit); err != nil {
				return err
			}
		}
		i += len(reads)
	}
	return nil
}

// nextGroup cuts a group of whole templates, one at least, off the reads.
func nextGroup(reads []reader.Read, step int) []reader.Read {
	bases := 0
	for i := 0; i < len(reads); i += step {
		for _, r := range reads[i : i+step] {
			bases += len(r.Seq)
		}
		if i > 0 && (i+step > groupReads || bases > groupBases) {
			return reads[:i]
		}
	}
	return reads
}

// mapGroup places the reads of whole templates, the first of which is given.
func (w *Worker) mapGroup(reads []reader.Read, step int, template uint64) {
	w.dp.arena = w.dp.arena[:0]
	group := w.group[:len(reads)]
	for i := range group {
		group[i].load(reads[i].Seq, reads[i].Qual, &w.placing[i&1])
	}
	w.seed(group)
	var open [groupReads]bool // templates that need a closer look
	for i := 0; i < len(group); i += step {
		if t := group[i : i+step]; w.thorough || !w.settle(t) && !w.quick {
			open[i] = true
			for k := range t {
				for s := range t[k].seeds {
					w.look.add(&t[k].seeds[s])
				}
			}
		}
	}
	w.look.run(w.ix)
	for i := 0; i < len(group); i += step {
		if !open[i] || !w.thorough && w.settleAgain(group[i:i+step]) {
			continue
		}
		w.opened += int64(step)
		salt := scatter(template + uint64(i/step) + 1)
		if step == 1 {
			w.mapSingle(&group[i], salt)
		} else {
			w.mapPair(&group[i], &group[i+1], salt)
		}
	}
	for i := range group {
		if group[i].best >= 0 {
			w.mapped++
		}
	}
}

// seed finds the seeds of all reads, looks the coarse ones up, and asks for the genome where
// a seed stands at one place only.
func (w *Worker) seed(group []query) {
	for i := range group {
		q := &group[i]
		q.findSeeds(&w.seeds)
		for _, k := range q.coarse {
			w.look.add(&q.seeds[k])
		}
	}
	w.look.run(w.ix)
	base := uintptr(unsafe.Pointer(unsafe.SliceData(w.ix.packed)))
	addrs := w.look.addrs[:0]
	for i := range group {
		q := &group[i]
		for _, k := range q.coarse {
			if s := &q.seeds[k]; s.count() == 1 {
				at := base + uintptr(w.ix.entries[s.lo]&posMask)>>2
				addrs = append(addrs, at)
				break
			}
		}
	}
	prefetch(addrs)
	w.look.addrs = addrs
}

func (w *Worker) mapSingle(q *query, salt uint64) {
	w.place(q, enoughSeeds)
	top := w.alignUngapped(q)
	w.alignGapped(q, top, 0)
	w.rank(q, salt)
	q.chooseSingle()
}

func (w *Worker) mapPair(a, b *query, salt uint64) {
	w.place(a, enoughPaired)
	w.place(b, enoughPaired)
	w.markPaired(a, b)
	topA, topB := w.alignUngapped(a), w.alignUngapped(b)
	need := w.boundPairs(a, b, topA.best+topB.best-unpairedCost)
	w.alignGapped(a, topA, need)
	w.alignGapped(b, topB, need)
	w.rank(a, salt)
	w.rank(b, salt)
	na, nb := len(a.alns), len(b.alns)
	// Mates found by rescue are not themselves a reason to look further.
	w.rescue(a, na, b, true, need)
	w.rescue(b, nb, a, false, need)
	w.rank(a, salt)
	w.rank(b, salt)
	w.choosePair(a, b, salt)
}

// place finds the candidates of a read whose seeds are all looked up; see collect.
func (w *Worker) place(q *query, enough int) {
	q.alns, q.cands = q.alns[:0], q.cands[:0]
	q.collect(w.ix, enough)
	q.chain(w.ix)
	q.rankCandidates()
}

// alignUngapped aligns the candidates that can matter without gaps.
func (w *Worker) alignUngapped(q *query) (top podium) {
	w.prefetchCandidates(q)
	for _, i := range q.heavy {
		c := &q.cands[i]
		if c.skip = !q.worthExtending(c, top.best); !c.skip {
			c.aln, c.sure = w.ungap(q, c, top.best-q.lag)
			top.add(c)
		}
	}
	return top
}

// alignGapped aligns those candidates with gaps that could come second, or make a pair of
// bound pairNeed, and keeps the best of all.
func (w *Worker) alignGapped(q *query, top podium, pairNeed int) {
	done := 0
	for _, i := range q.heavy {
		c := &q.cands[i]
		if c.skip || c.sure || done == maxGapped {
			continue
		}
		need := max(top.best-q.lag, minScore-maxClips)
		if !c.paired || c.pairBound < pairNeed {
			need = max(need, top.second+1)
		}
		if c.bound >= need && w.mayGain(q, c, &c.aln, need) {
			c.aln = w.gapped(q, c, c.aln)
			top.add(c)
			done++
		}
	}
	best := top.best
	for _, keep := range [2]int{best, best - q.lag} { // the best first, since their number is bounded
		for _, i := range q.heavy {
			c := &q.cands[i]
			if len(q.alns) == maxAlignments {
				return
			}
			if !c.skip && c.aln.score >= keep && c.aln.aligned >= minScore {
				c.skip = true
				q.addAlignment(c.aln)
			}
		}
	}
	for _, i := range q.heavy { // parts of the read that those leave out
		c := &q.cands[i]
		if !c.skip && c.aln.aligned >= minScore && len(q.alns) < maxAlignments && q.leftOut(&c.aln) {
			q.addAlignment(c.aln)
		}
	}
}

// podium holds the best score of a read's candidates, and the best of a place apart from that.
type podium struct {
	best, second int
	strand       uint8
	diag         int64
}

func (p *podium) add(c *candidate) {
	apart := c.strand != p.strand || c.diag > p.diag+maxDiagSpread || c.diag < p.diag-maxDiagSpread
	switch score := c.aln.score; {
	case score > p.best:
		if apart {
			p.second = p.best
		}
		p.best, p.strand, p.diag = score, c.strand, c.diag
	case apart:
		p.second = max(p.second, score)
	}
}

// leftOut says whether more than half of what a aligns is aligned by nothing better.
func (q *query) leftOut(a *alignment) bool {
	from, to := a.span(q.len())
	for i := range q.alns {
		f, t := q.alns[i].span(q.len())
		if overlap := min(to, t) - max(from, f); 2*overlap >= to-from {
			return false
		}
	}
	return true
}

// prefetchCandidates asks for the genome under the candidates.
func (w *Worker) prefetchCandidates(q *query) {
	base := uintptr(unsafe.Pointer(unsafe.SliceData(w.ix.packed)))
	addrs := w.look.addrs[:0]
	for _, i := range q.heavy {
		addrs = append(addrs, base+uintptr(q.cands[i].diag>>2))
	}
	prefetch(addrs)
	w.look.addrs = addrs
}
