package mapper

import (
	"testing"
)

// TestABetterAlignmentOfThePlaceMovesUp is what rescue does when it finds a mate where the seeds
// had found it, and aligns it better.
func TestABetterAlignmentOfThePlaceMovesUp(t *testing.T) {
	genome := map[string][]byte{"one": []byte("ACGTACGTTGCA"), "two": []byte("ACGT")}
	w := NewWorker(buildIndex(t, genome, 1), DefaultParams())
	q := &w.group[0]
	q.load(make([]byte, 100), nil, &placing{})
	at := func(pos int64, qe, score int) alignment {
		return alignment{pos: pos, end: pos + int64(qe), qe: qe, score: score}
	}
	q.addAlignment(at(0, 90, 80))
	q.addAlignment(at(500, 60, 60))
	w.rank(q, 1)
	q.addAlignment(at(500, 100, 95))
	w.rank(q, 1)
	if len(q.alns) != 2 || q.alns[0].score != 95 || q.alns[1].score != 80 {
		t.Errorf("alignments %+v", q.alns)
	}
}
