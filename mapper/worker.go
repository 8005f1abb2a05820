package mapper

import (
	"github.com/alignpipe/alignpipe/reader"
)

// Worker maps batches with scratch memory of its own. It is not safe for concurrent use;
// make one for each goroutine.
type Worker struct {
	ix         *Index
	p          Params
	q          [2]query
	dp         aligner
	rescuer    rescuer
	window     []byte
	pairScores []int
	enc        encoder
	mapped     int64
}

// NewWorker returns a worker over ix.
func NewWorker(ix *Index, p Params) *Worker {
	return &Worker{ix: ix, p: p}
}

// Emit takes one encoded BAM record (with block_size; valid until it returns), where it
// sorts, and its ordinal among all records of the input.
type Emit func(rec []byte, ref, pos int32, reverse bool, ord uint64) error

// ordShift leaves room for the records of one template: two primaries and their
// supplementary alignments.
const ordShift = 8

// Mapped is the number of reads placed so far.
func (w *Worker) Mapped() int64 { return w.mapped }

// Map maps the reads of b and hands their records to emit in the order of the input. Every
// read gives one primary record, mapped or not. It fails only when emit does.
func (w *Worker) Map(b *reader.Batch, emit Emit) error {
	step := 1
	if b.Paired {
		step = 2
	}
	for i := 0; i+step <= len(b.Reads); i += step {
		template := uint64(b.First) + uint64(i/step)
		if err := w.mapTemplate(b.Reads[i:i+step], template, emit); err != nil {
			return err
		}
	}
	return nil
}

func (w *Worker) mapTemplate(reads []reader.Read, template uint64, emit Emit) error {
	w.dp.arena = w.dp.arena[:0]
	salt := template*0x9e3779b97f4a7c15 + 1
	if len(reads) == 1 {
		w.place(&w.q[0], reads[0].Seq)
		w.alignCandidates(&w.q[0])
		w.q[0].rank(salt)
		w.q[0].chooseSingle()
	} else {
		w.mapPair(reads, salt)
	}
	for i := range reads {
		if w.q[i].best >= 0 {
			w.mapped++
		}
	}
	return w.emitTemplate(reads, template, emit)
}

func (w *Worker) mapPair(reads []reader.Read, salt uint64) {
	a, b := &w.q[0], &w.q[1]
	w.place(a, reads[0].Seq)
	w.place(b, reads[1].Seq)
	markPaired(a, b, &w.p)
	w.alignCandidates(a)
	w.alignCandidates(b)
	a.rank(salt)
	b.rank(salt)
	na, nb := len(a.alns), len(b.alns)
	// Mates found by rescue are not themselves a reason to look further.
	w.rescue(a, na, b, true)
	w.rescue(b, nb, a, false)
	if len(a.alns) > na {
		a.rank(salt)
	}
	if len(b.alns) > nb {
		b.rank(salt)
	}
	w.choosePair(a, b, salt)
}

// place finds a read's candidates.
func (w *Worker) place(q *query, seq []byte) {
	q.load(seq)
	if len(seq) < seedK {
		return
	}
	q.findSeeds(w.ix)
	q.chain(w.ix)
}

func (w *Worker) alignCandidates(q *query) {
	done, best := 0, 0
	for i := range q.cands {
		if i >= maxCandidates {
			break
		}
		if !q.worthExtending(i, done, best) {
			continue
		}
		done++
		if a, ok := w.extend(q, &q.cands[i]); ok && a.score >= minScore {
			best = max(best, a.score)
			q.addAlignment(a)
		}
	}
}
