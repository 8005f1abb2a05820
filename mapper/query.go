package mapper

import "github.com/alignpipe/alignpipe/internal/bases"

// query is one read on its way through the mapper: scratch that a Worker reuses.
type query struct {
	seq    []byte              // letters, the batch's
	qual   []byte              // Phred+33, the batch's
	bits   [2][maxWords]uint64 // packed, and its reverse complement; only if packed
	packed bool                // short enough to pack
	clean  bool                // packed, and without anything but ACGT
	codes  [2][]byte           // codes of the read and of its reverse complement; see oriented
	coded  [2]bool             // codes are made
	seeds  []seedHits          // ascending by position
	coarse []int32             // seeds that do not overlap, as many as there are
	diffs  diffs               // scratch of extend

	*placing // that of the first or of the second mates of a group
	alns     []alignment
	ranked   bool // alns are in the order of rank
	lag      int  // a place that scores this much less than the best changes no MAPQ
	unseen   int  // score that a place outside anchors may have; 0 if all seeds were used
	best     int  // index into alns of the primary, or -1
	mapq     int
	proper   bool
}

// placing is scratch for placing one read. It can be large, so the reads of a group share it:
// only one template is at this point at a time, and of what is found alns alone is kept.
type placing struct {
	order   []uint64    // of collect
	known   []int32     // ascending positions of seeds whose places are all in anchors
	at      []bool      // of maxScore
	joined  []*seedHits // of join
	anchors []uint64    // strand, diagonal, position in the oriented read: see packAnchor
	cands   []candidate // by strand and place
	heavy   []int32     // the heaviest of cands, in that order
}

// load takes over a read.
func (q *query) load(seq, qual []byte, scratch *placing) {
	q.seq, q.qual, q.placing = seq, qual, scratch
	q.packed = len(seq) <= maxPacked
	q.clean = q.packed && bases.PackBoth(q.bits[0][:], q.bits[1][:], seq)
	q.coded = [2]bool{}
	q.lag = sureScore(len(seq)) + lagSlack
	q.seeds, q.coarse = q.seeds[:0], q.coarse[:0]
	q.alns = q.alns[:0]
	q.best, q.mapq, q.proper, q.unseen = -1, 0, false, 0
}

func (q *query) len() int { return len(q.seq) }

// oriented returns the codes of the read, or of its reverse complement if strand is 1.
func (q *query) oriented(strand uint8) []byte {
	if q.coded[strand] {
		return q.codes[strand]
	}
	n := len(q.seq)
	if cap(q.codes[strand]) < n {
		q.codes[strand] = make([]byte, n, n+n/2)
	}
	dst := q.codes[strand][:n]
	if strand == 0 {
		bases.Codes(dst, q.seq)
	} else {
		bases.CodesReverse(dst, q.seq)
	}
	q.codes[strand], q.coded[strand] = dst, true
	return dst
}
