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
	w     *Writer
	index *indexer // nil without index; used by drain alone until done
	kind  IndexKind
	refs  int32
	cfg   Config

	// Of the records that drain saw.
	lastRef             uint32 // of the last one; no place sorts last: -1 as the largest
	lastPos             int32
	unplaced            int64
	first, last         *mark // of those with a place; nil before
	firstMark, lastMark mark
}

// Record is one encoded record, starting with its block_size.
type Record struct {
	Data []byte
	Tag  uint64 // handed to Config.Visit
	// Stable says that Data stays as it is until Close or Abort has returned: it is copied by the
	// goroutine that compresses it.
	Stable bool
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

// checkBAM looks at what NewBAM is given.
func checkBAM(header []byte, refLens []int64, kind IndexKind, cfg Config) error {
	switch {
	case kind > CSI:
		return fmt.Errorf("bam: no such kind of index: %d", kind)
	case kind == BAI && !BAIPossible(refLens):
		return errors.New("bam: a reference is too long for a bai index")
	case cfg.Level < 0 || cfg.Level > 9:
		return fmt.Errorf("bam: no such compression level: %d", cfg.Level)
	case len(header) < 12 || string(header[:4]) != "BAM\x01":
		return errors.New("bam: not a binary header")
	}
	return nil
}

func newBAM(dst io.Writer, header []byte, refLens []int64, kind IndexKind, cfg Config, tee hash.Hash) (*BAM, error) {
	if err := checkBAM(header, refLens, kind, cfg); err != nil {
		return nil, err
	}
	b := &BAM{kind: kind, refs: int32(len(refLens)), cfg: cfg.withDefaults(), lastPos: -1}
	if kind != None {
		b.index = newIndexer(kind, refLens)
	}
	b.w = newWriter(dst, cfg, tee, b)
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
	w.count, w.cur.records = 0, 0 // the header is no record
	return w.Flush()
}

// Add appends one encoded record, starting with its block_size; rec is copied. With an
// index, records must come in order of reference and position, those without a place
// last. The error may belong to an earlier record; after one, Close writes no EOF block.
func (b *BAM) Add(rec []byte) error { return b.AddRecord(Record{Data: rec}) }

// AddRecord is Add with the choices of a [Record].
func (b *BAM) AddRecord(r Record) error {
	w := b.w
	if err := w.writable(); err != nil {
		return err
	}
	switch n := len(r.Data); {
	case n <= minRecord:
		err := badSize(w.count)
		w.fail(err)
		return err
	case n > payload:
		return b.addLong(r)
	}
	blk := w.place(len(r.Data))
	off := len(blk.data)
	if r.Stable {
		blk.data = blk.data[:off+len(r.Data)]
	} else {
		blk.data = append(blk.data, r.Data...)
		r.Data = blk.data[off:]
	}
	blk.recs = append(blk.recs, piece{rec: r.Data, tag: r.Tag, off: uint16(off), stable: r.Stable})
	return nil
}

// addLong appends a record that needs more than one block. It starts one, of which it is the only record.
func (b *BAM) addLong(r Record) error {
	w := b.w
	m, err := b.collectLong(r)
	if err != nil {
		w.fail(err) // a file without this record must not end well
		return err
	}
	blk := w.place(len(r.Data))
	blk.marks = append(blk.marks, m)
	w.split(r.Data)
	return nil
}

// collectLong checks and visits a record that is about to be added.
func (b *BAM) collectLong(r Record) (m mark, err error) {
	st := b.cfg.CollectStage
	me := st.Enter()
	defer me.Exit()
	err = b.visit(b.w.cfg.Workers, b.w.count, r.Data, r.Tag, &m)
	st.AddItems(1)
	st.AddBytesIn(int64(len(r.Data)))
	return m, err
}

// collect copies the records that are not in b yet, checks and visits all, and makes their marks.
func (b *BAM) collect(worker int, blk *block) error {
	me := b.cfg.CollectStage.Enter()
	defer me.Exit()
	for i := range blk.recs {
		r := &blk.recs[i]
		rec := blk.data[r.off:][:len(r.rec)]
		if r.stable {
			copy(rec, r.rec)
		}
		m := mark{off: r.off}
		if err := b.visit(worker, blk.first+int64(i), rec, r.tag, &m); err != nil {
			return err
		}
		blk.marks = append(blk.marks, m)
	}
	b.cfg.CollectStage.AddItems(int64(len(blk.recs)))
	b.cfg.CollectStage.AddBytesIn(int64(len(blk.data) - int(blk.recs[0].off))) // without the end of a long one
	return nil
}

// visit checks record number n, counted from 0, and shows it to whoever wants to see it.
func (b *BAM) visit(worker int, n int64, rec []byte, tag uint64, m *mark) error {
	if err := b.place(n, rec, m); err != nil {
		return err
	}
	if b.cfg.Visit != nil {
		b.cfg.Visit(worker, tag, rec)
	}
	return nil
}

// took is told of each block in order, and where it is in the file.
func (b *BAM) took(address int64, blk *block) error {
	for i := range blk.marks {
		m := &blk.marks[i]
		b.note(m)
		if b.index == nil {
			continue
		}
		if err := b.inOrder(blk.first+int64(i), m); err != nil {
			return err
		}
		b.index.push(m, uint64(address)<<16|uint64(m.off))
	}
	return nil
}

// note keeps the first and the last place.
func (b *BAM) note(m *mark) {
	if m.ref < 0 {
		b.unplaced++
		return
	}
	if b.first == nil {
		b.firstMark, b.first, b.last = *m, &b.firstMark, &b.lastMark
	}
	b.lastMark = *m
}

// Drain writes what is left, all but the end; see [Writer.Drain]. All records have been visited then.
func (b *BAM) Drain() error { return b.w.Drain() }

// Close ends the file: the end-of-file block is written only when all before it is
// good. It returns the first error of the BAM.
func (b *BAM) Close() error {
	fresh := !b.w.sealed
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
func (b *BAM) Records() int64 { return b.w.count }

// Bytes returns the size of the whole file; 0 before a Close without error.
func (b *BAM) Bytes() int64 {
	if !b.w.sealed || b.w.Err() != nil {
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
	case !b.w.sealed:
		return errors.New("bam: index before close")
	case b.w.Err() != nil:
		return fmt.Errorf("bam: index of a failed file: %w", b.w.Err())
	}
	if err := b.index.writeTo(dst, b.cfg); err != nil {
		return fmt.Errorf("bam: index: %w", err)
	}
	return nil
}

// place checks record number n as far as a reader of the file would stumble, and reads what
// the index needs.
func (b *BAM) place(n int64, rec []byte, m *mark) error {
	le := binary.LittleEndian
	if len(rec) <= minRecord || int64(le.Uint32(rec)) != int64(len(rec)-4) {
		return badSize(n)
	}
	body := rec[4:]
	if minRecord+int(rec[12])+4*int(le.Uint16(rec[16:])) > len(rec) {
		return fmt.Errorf("bam: record %d: name or cigar beyond its end", n+1)
	}
	m.ref, m.beg, m.end = bamrec.Ref(body), bamrec.Pos(body), bamrec.End(body)
	m.mapped = bamrec.Flag(body)&bamrec.FlagUnmapped == 0
	if m.ref < -1 || m.ref >= b.refs || m.beg < -1 {
		return fmt.Errorf("bam: record %d: no such place: reference %d, position %d", n+1, m.ref, m.beg)
	}
	if m.ref >= 0 && (m.end < m.beg || b.index != nil && int64(m.end) > b.index.maxEnd()) {
		return fmt.Errorf("bam: record %d: from %d to %d: beyond what the index can tell", n+1, m.beg, m.end)
	}
	return nil
}

func badSize(n int64) error { return fmt.Errorf("bam: record %d: bad block size", n+1) }

// inOrder refuses what an index cannot tell: a record that sorts before the last one.
func (b *BAM) inOrder(n int64, m *mark) error {
	ref := uint32(m.ref)
	if ref < b.lastRef || ref == b.lastRef && m.ref >= 0 && m.beg < b.lastPos {
		return fmt.Errorf("%w: record %d", ErrOrder, n+1)
	}
	b.lastRef, b.lastPos = ref, m.beg
	return nil
}
