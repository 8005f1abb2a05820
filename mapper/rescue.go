package mapper

import "slices"

const (
	rescueK    = 8  // bases of a word in the rescue vote
	minVotes   = 8  // words on one diagonal for a mate to be aligned there
	maxRescues = 64 // places of one mate from which the other is looked for by its seeds
	maxSeconds = 6  // and by its words even if that cannot make the best pair
	scanShare  = 6  // one mismatch in as many bases is the most that scan takes
)

// rescuer finds the diagonal of a read in a short window by counting shared words.
type rescuer struct {
	table [1 << (2 * rescueK)]int16 // last position of a word in the read, plus one
	words []uint16                  // in the table now
	votes []uint8
}

// load indexes the words of a read; only the first 32,000 bases count.
func (r *rescuer) load(read []byte) {
	for _, word := range r.words {
		r.table[word] = 0
	}
	r.words = r.words[:0]
	read = read[:min(len(read), 32000)]
	word, n := uint16(0), 0
	for i, c := range read {
		if c > 3 {
			n = 0
			continue
		}
		word = word<<2 | uint16(c)
		if n++; n >= rescueK {
			r.table[word] = int16(i - rescueK + 2)
			r.words = append(r.words, word)
		}
	}
}

// vote returns the diagonal (window position of the read's first base) with most words of
// the loaded read of n bases, and how many.
func (r *rescuer) vote(window []byte, n int) (diag, votes int) {
	size := len(window) + n
	if cap(r.votes) < size {
		r.votes = make([]uint8, size)
	}
	r.votes = r.votes[:size]
	clear(r.votes)
	word, run := uint16(0), 0
	for i, c := range window {
		if c > 3 {
			run = 0
			continue
		}
		word = word<<2 | uint16(c)
		if run++; run < rescueK {
			continue
		}
		if p := int(r.table[word]); p > 0 {
			d := i - rescueK + 1 - (p - 1) + n
			if r.votes[d] < 255 {
				r.votes[d]++
			}
			if int(r.votes[d]) > votes {
				votes, diag = int(r.votes[d]), d-n
			}
		}
	}
	return diag, votes
}

// rescue looks for the mate where the good ones of q's first n alignments, which are
// ranked, say it should be, and adds what it finds. A pair must score need to matter to MAPQ,
// and the larger lag of the two more to be the best.
func (w *Worker) rescue(q *query, n int, mate *query, qFirst bool, need int) {
	loaded := int8(-1)
	unseeded := mate.unseeded()
	for i := range min(n, maxRescues) {
		a := &q.alns[i]
		if a.score < q.alns[0].score-unpairedCost {
			break
		}
		if i == maxSeconds {
			need += max(q.lag, mate.lag)
		}
		if w.hasMate(q, a, mate, qFirst) {
			continue
		}
		w.rescueFrom(q, a, mate, qFirst, &loaded, a.score+unseeded >= need)
	}
}

// unseeded bounds the score of a place that has none of the read's seeds: of those that do not
// overlap, each stands for an edit.
func (q *query) unseeded() int {
	n, end := 0, int32(0)
	for i := range q.seeds {
		if p := q.seeds[i].pos; p >= end {
			n++
			end = p + seedK
		}
	}
	return q.len()*matchScore - n*(matchScore+mismatchCost)
}

func (w *Worker) hasMate(q *query, a *alignment, mate *query, qFirst bool) bool {
	for j := range mate.alns {
		if _, ok := w.properSize(q, a, mate, &mate.alns[j], qFirst); ok {
			return true
		}
	}
	return false
}

// properSize returns the fragment size of two alignments if it is within bounds.
func (w *Worker) properSize(q *query, a *alignment, mate *query, b *alignment, qFirst bool) (int64, bool) {
	if a.contig != b.contig {
		return 0, false
	}
	af, at := a.unclipped(q.len())
	bf, bt := b.unclipped(mate.len())
	s1, s2 := a.strand, b.strand
	if !qFirst {
		af, at, s1, bf, bt, s2 = bf, bt, s2, af, at, s1
	}
	size, ok := fragment(w.p.Orientation, s1, af, at, s2, bf, bt)
	in := &w.p.Insert
	return size, ok && size >= int64(in.Low) && size <= int64(in.High)
}

// mateWindow returns the strand of the mate of a and the genome range it must lie in.
func (w *Worker) mateWindow(q *query, a *alignment, mateLen int, qFirst bool) (strand uint8, from, to int64) {
	low, high, n := int64(w.p.Insert.Low), int64(w.p.Insert.High), int64(mateLen)
	af, at := a.unclipped(q.len())
	ahead := a.strand == 0 // the mate lies to the right
	strand = 1 - a.strand
	switch w.p.Orientation {
	case RF:
		ahead = !ahead
	case FF:
		strand = a.strand
		ahead = ahead == qFirst
	}
	// The fragment begins at the outer end of a and is low..high long.
	if ahead {
		return strand, af + low - n, af + high
	}
	return strand, at - high, at - low + n
}

// rescueFrom looks for the mate first where its seeds have hits, then, if byWords, by its words.
func (w *Worker) rescueFrom(q *query, a *alignment, mate *query, qFirst bool, loaded *int8, byWords bool) {
	n := mate.len()
	strand, from, to := w.mateWindow(q, a, n, qFirst)
	ctg := &w.ix.contigs[a.contig]
	from, to = max(from, ctg.Off), min(to, ctg.Off+ctg.Len)
	if w.rescueBySeeds(q, a, mate, qFirst, strand, from, to) {
		return
	}
	if !byWords || n < rescueK+minVotes || n > 1000 || to-from < rescueK || to-from > 1<<16 {
		return
	}
	if *loaded != int8(strand) {
		w.rescuer.load(mate.oriented(strand))
		*loaded = int8(strand)
	}
	w.window = unpack(w.window, w.ix.packed, w.ix.holes, from, to)
	d, votes := w.rescuer.vote(w.window, n)
	diag := from + int64(d)
	if votes < minVotes {
		if len(mate.alns) > 0 {
			return
		}
		if diag = w.scan(mate, a.contig, strand, from, to); diag < 0 {
			return
		}
	}
	c := candidate{strand: strand, diag: diag, dmin: diag, dmax: diag, contig: a.contig}
	w.addMate(q, a, mate, qFirst, &c)
}

// scan returns the diagonal in [from, to) with the fewest mismatches, or -1 where even that
// has too many: what words say nothing about, microsatellites above all, is found so.
func (w *Worker) scan(q *query, contig int, strand uint8, from, to int64) int64 {
	n := q.len()
	best, least := int64(-1), n/scanShare+1
	for diag := from; diag+int64(n) <= to; diag++ {
		if !w.comparable(q, contig, diag) {
			continue
		}
		if q.diffs.compare(&w.ix.Reference, &q.bits[strand], n, diag); q.diffs.num < least {
			best, least = diag, q.diffs.num
		}
	}
	return best
}

// rescueBySeeds aligns the mate where its seeds have places in [from, to), those of repeats
// too, and says whether any is good.
func (w *Worker) rescueBySeeds(q *query, a *alignment, mate *query, qFirst bool, strand uint8, from, to int64) bool {
	mate.anchors = mate.anchors[:0]
	for i := range mate.seeds {
		if s := &mate.seeds[i]; s.count() > 0 {
			mate.anchors = mate.anchorsWithin(w.ix, s, strand, from, to-int64(mate.len()), mate.anchors)
		}
	}
	slices.Sort(mate.anchors)
	good := false
	for i := 0; i < len(mate.anchors); {
		j := mate.clusterEnd(i, maxDiagStep, maxDiagSpread)
		c := makeCandidate(w.ix, mate.anchors[i:j])
		i = j
		if c.contig == a.contig && w.addMate(q, a, mate, qFirst, &c) {
			good = true
		}
	}
	return good
}

// addMate aligns the mate at c and keeps it if it fits.
func (w *Worker) addMate(q *query, a *alignment, mate *query, qFirst bool, c *candidate) bool {
	b, ok := w.extend(mate, c, minMateScore)
	if !ok || b.aligned < minMateScore {
		return false
	}
	_, ok = w.properSize(q, a, mate, &b, qFirst)
	if ok && len(mate.alns) < 2*maxAlignments {
		mate.addAlignment(b)
	}
	return ok
}
