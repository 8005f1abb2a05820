package bgzfout

import (
	"bytes"
	"fmt"

	"github.com/alignpipe/alignpipe/internal/bamrec"
)

// Indexer makes the index of a BAM that exists, from its records in file order.
type Indexer struct {
	x       *indexer
	refLens []int64
	records int64
	lastRef uint32 // no place sorts last: -1 as the largest
	lastPos int32
}

// NewIndexer starts an index of a kind that is not None.
func NewIndexer(kind IndexKind, refLens []int64) *Indexer {
	return &Indexer{x: newIndexer(kind, refLens), refLens: refLens, lastPos: -1}
}

// Add takes the next record, without block_size, which must have passed [bamrec.Validate], and the
// virtual offset where it starts. ErrOrder is wrapped for one that sorts before the last.
func (x *Indexer) Add(rec []byte, at uint64) error {
	x.records++
	m := mark{ref: bamrec.Ref(rec), beg: bamrec.Pos(rec), end: bamrec.End(rec)}
	m.mapped = bamrec.Flag(rec)&bamrec.FlagUnmapped == 0
	ref := uint32(m.ref)
	switch {
	case m.ref < -1 || m.ref >= int32(len(x.refLens)) || m.beg < -1:
		return fmt.Errorf("bam: record %d: no such place: reference %d, position %d", x.records, m.ref, m.beg)
	case m.ref >= 0 && (m.end < m.beg || int64(m.end) > x.x.maxEnd()):
		return fmt.Errorf("bam: record %d: from %d to %d: beyond what the index can tell", x.records, m.beg, m.end)
	case ref < x.lastRef || ref == x.lastRef && m.ref >= 0 && m.beg < x.lastPos:
		return fmt.Errorf("%w: record %d", ErrOrder, x.records)
	}
	x.lastRef, x.lastPos = ref, m.beg
	x.x.push(&m, at)
	return nil
}

// Finish ends the index; at is the virtual offset behind the last record.
func (x *Indexer) Finish(at uint64) (*Index, error) {
	x.x.finish(at)
	var b bytes.Buffer
	if err := x.x.writeTo(&b, Config{Level: 1}); err != nil {
		return nil, err
	}
	return ReadIndex(b.Bytes(), x.x.kind, x.refLens)
}
