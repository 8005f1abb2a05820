package bgzfout

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/alignpipe/alignpipe/internal/bamrec"
)

// BAM writes one BAM file and builds its index in the same pass. One goroutine may
// use it at a time. Close or Abort must be called.
type BAM struct {
	w        *Writer
	index    *indexer // nil without index
	kind     IndexKind
	refs     int32
	cfg      Config
	lastRef  uint32 // no place sorts last: -1 as the largest
	lastPos  int32
	records  int64
	unplaced int64
}

// ErrOrder is wrapped by the error for a record that sorts before the one before it,
// which an index cannot tell.
var ErrOrder = errors.New("bam: records are not in coordinate order")

// NewBAM starts a BAM on dst. header is the whole binary header, from the magic to the
// last reference; refLens are the lengths in bases of the same references. The header
// has blocks of its own. dst stays the caller's to close. The error is about the
// arguments; nothing is started then.
func NewBAM(dst io.Writer, header []byte, refLens []int64, indexKind IndexKind, cfg Config) (*BAM, error) {
	return newBAM(dst, header, refLens, indexKind, cfg, nil)
}

func newBAM(dst io.Writer, header []byte, refLens []int64, kind IndexKind, cfg Config, tee hash.Hash) (*BAM, error) {
	switch {
	case kind > CSI:
		return nil, fmt.Errorf("bam: no such kind of index: %d", kind)
	case kind == BAI && !BAIPossible(refLens):
		return nil, errors.New("bam: a reference is too long for a bai index")
	case cfg.Level < 0 || cfg.Level > 9:
		return nil, fmt.Errorf("bam: no such compression level: %d", cfg.Level)
	case len(header) < 12 || string(header[:4]) != "BAM\x01":
		return nil, errors.New("bam: not a binary header")
	}
	b := &BAM{kind: kind, refs: int32(len(refLens)), cfg: cfg, lastPos: -1}
	var onMark func(int64, []mark)
	if kind != None {
		b.index = newIndexer(kind, refLens)
		onMark = b.index.block
	}
	b.w = newWriter(dst, cfg, tee, onMark)
	if err := b.w.writeHeader(header); err != nil {
		b.w.Abort(err)
		return nil, err
	}
	return b, nil
}

// writeHeader writes the header in blocks of its own.
func (w *Writer) writeHeader(header []byte) error {
	if err := w.WriteRecord(header); err != nil {
		return err
	}
	w.cur.records = 0 // the header is no record
	return w.Flush()
}

// Add appends one encoded record, starting with its block_size; rec is copied. With an
// index, records must come in order of reference and position, those without a place
// last. The error may belong to an earlier record; after one, Close writes no EOF block.
func (b *BAM) Add(rec []byte) error {
	var m mark
	if err := b.place(rec, &m); err != nil {
		b.w.fail(err) // a file without this record must not end well
		return err
	}
	b.records++
	if m.ref < 0 {
		b.unplaced++
	}
	if b.index == nil {
		return b.w.write(rec, nil)
	}
	return b.w.write(rec, &m)
}

// Close ends the file: the end-of-file block is written only when all before it is
// good. It returns the first error of the BAM.
func (b *BAM) Close() error {
	fresh := !b.w.closed
	if err := b.w.Close(); err != nil {
		return err
	}
	if fresh && b.index != nil {
		b.index.finish(uint64(b.w.address) << 16)
	}
	return nil
}

// Abort ends the file without an end-of-file block; see [Writer.Abort].
func (b *BAM) Abort(err error) { b.w.Abort(err) }

// Err returns the first error of writing, or nil. Any goroutine may ask.
func (b *BAM) Err() error { return b.w.Err() }

// Records returns how many records were added.
func (b *BAM) Records() int64 { return b.records }

// Bytes returns the size of the whole file; 0 before a Close without error.
func (b *BAM) Bytes() int64 {
	if !b.w.closed || b.w.Err() != nil {
		return 0
	}
	return b.w.address + int64(len(eofBlock))
}

// WriteIndex writes the index to dst, as often as called. It may be called after a
// Close without error only.
func (b *BAM) WriteIndex(dst io.Writer) error {
	switch {
	case b.index == nil:
		return errors.New("bam: no index was asked for")
	case !b.w.closed:
		return errors.New("bam: index before close")
	case b.w.Err() != nil:
		return fmt.Errorf("bam: index of a failed file: %w", b.w.Err())
	}
	if err := b.index.writeTo(dst, b.cfg); err != nil {
		return fmt.Errorf("bam: index: %w", err)
	}
	return nil
}

// place checks rec as far as a reader of the file would stumble, and reads what the
// index needs.
func (b *BAM) place(rec []byte, m *mark) error {
	le := binary.LittleEndian
	if len(rec) <= minRecord || int64(le.Uint32(rec)) != int64(len(rec)-4) {
		return fmt.Errorf("bam: record %d: bad block size", b.records+1)
	}
	body := rec[4:]
	if minRecord+int(rec[12])+4*int(le.Uint16(rec[16:])) > len(rec) {
		return fmt.Errorf("bam: record %d: name or cigar beyond its end", b.records+1)
	}
	m.ref, m.beg, m.end = bamrec.Ref(body), bamrec.Pos(body), bamrec.End(body)
	m.mapped = bamrec.Flag(body)&bamrec.FlagUnmapped == 0
	if m.ref < -1 || m.ref >= b.refs || m.beg < -1 {
		return fmt.Errorf("bam: record %d: no such place: reference %d, position %d", b.records+1, m.ref, m.beg)
	}
	if m.ref >= 0 && (m.end < m.beg || b.index != nil && int64(m.end) > b.index.maxEnd()) {
		return fmt.Errorf("bam: record %d: from %d to %d: beyond what the index can tell", b.records+1, m.beg, m.end)
	}
	return b.inOrder(m)
}

// inOrder refuses what an index cannot tell: a record that sorts before the last one.
func (b *BAM) inOrder(m *mark) error {
	ref := uint32(m.ref)
	if b.index != nil && (ref < b.lastRef || ref == b.lastRef && m.ref >= 0 && m.beg < b.lastPos) {
		return fmt.Errorf("%w: record %d", ErrOrder, b.records+1)
	}
	b.lastRef, b.lastPos = ref, m.beg
	return nil
}
