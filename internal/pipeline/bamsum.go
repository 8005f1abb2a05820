package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/biogo/hts/bam"
	"github.com/biogo/hts/bgzf"
	"github.com/biogo/hts/sam"

	"github.com/alignpipe/alignpipe/internal/readsum"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/reader"
)

// errBadBAM marks a BAM that is not what it should be; it counts as bad input.
var errBadBAM = fmt.Errorf("%w: BAM", reader.ErrInput)

// BAMSum is what one or more BAM files hold, read with a decoder (biogo/hts) that shares
// nothing with the encoder of this program.
type BAMSum struct {
	Reads         readsum.Sum // primary records, back in read orientation
	Records       int64       // all records
	Supplementary int64
	Mapped        int64

	// Of the primary records of pairs: what each says of itself, and what each says of its mate.
	// In a sound file the two are the same multiset.
	selves, mates readsum.Sum
	header        string
	order         sam.SortOrder // that the header claims
	last          place
	unordered     string // the first record that is out of coordinate order, or empty
}

// place is a position in coordinate order; unplaced records come last.
type place struct {
	ref uint32 // -1 wraps to the largest
	pos int
}

// addFile reads path to its end-of-file block and adds all records. Several files are
// taken as the consecutive shards of one.
func (b *BAMSum) addFile(ctx context.Context, fsys vfs.FS, path string, workers int) error {
	f, err := fsys.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if whole, err := bgzf.HasEOF(f); err != nil || !whole {
		return fmt.Errorf("%w: %s: no end-of-file block: the file was cut short", errBadBAM, path)
	}
	r, err := bam.NewReader(f, workers)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errBadBAM, path, err)
	}
	if err := b.addRecords(ctx, r); err != nil {
		if errors.Is(err, context.Canceled) {
			return err
		}
		return fmt.Errorf("%w: %s: %w", errBadBAM, path, errors.Join(err, r.Close()))
	}
	return r.Close()
}

func (b *BAMSum) addRecords(ctx context.Context, r *bam.Reader) error {
	text, err := r.Header().MarshalText()
	if err != nil {
		return err
	}
	if b.header == "" {
		b.header, b.order = string(text), r.Header().SortOrder
	} else if b.header != string(text) {
		return errors.New("its header is not that of the shards before")
	}
	var s scratch
	for n := int64(1); ; n++ {
		rec, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("record %d: %w", n, err)
		}
		if n&0xfff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		b.add(rec, &s)
	}
}

// scratch is the memory of one goroutine that sums records.
type scratch struct {
	hasher    readsum.Hasher
	seq, qual []byte
	note      []byte
}

func (b *BAMSum) add(rec *sam.Record, s *scratch) {
	b.Records++
	b.compare(rec)
	if rec.Flags&(sam.Secondary|sam.Supplementary) != 0 {
		if rec.Flags&sam.Supplementary != 0 {
			b.Supplementary++
		}
		return
	}
	if rec.Flags&sam.Unmapped == 0 {
		b.Mapped++
	}
	s.orient(rec)
	name, mate := []byte(rec.Name), mateNumber(rec.Flags)
	s.hasher.Add(&b.Reads, name, mate, s.seq, s.qual)
	if mate != 0 {
		s.placeNote(rec.Ref.ID(), rec.Pos, rec.Flags&sam.Unmapped != 0, rec.Flags&sam.Reverse != 0)
		s.hasher.Add(&b.selves, name, mate, s.note, nil)
		s.placeNote(rec.MateRef.ID(), rec.MatePos, rec.Flags&sam.MateUnmapped != 0, rec.Flags&sam.MateReverse != 0)
		s.hasher.Add(&b.mates, name, 3-mate, s.note, nil)
	}
}

// compare holds a record against the one before it.
func (b *BAMSum) compare(rec *sam.Record) {
	here := place{uint32(rec.Ref.ID()), rec.Pos}
	if b.unordered == "" && (here.ref < b.last.ref || here.ref == b.last.ref && here.pos < b.last.pos) {
		b.unordered = rec.Name
	}
	b.last = here
}

func (s *scratch) placeNote(ref, pos int, unmapped, reverse bool) {
	s.note = binary.LittleEndian.AppendUint64(s.note[:0], uint64(int64(ref)))
	s.note = binary.LittleEndian.AppendUint64(s.note, uint64(int64(pos)))
	for _, yes := range []bool{unmapped, reverse} {
		bit := byte(0)
		if yes {
			bit = 1
		}
		s.note = append(s.note, bit)
	}
}

// orient fills seq and qual as they were read; a missing quality (0xff) becomes empty.
func (s *scratch) orient(rec *sam.Record) {
	s.seq = append(s.seq[:0], rec.Seq.Expand()...)
	s.qual = s.qual[:0]
	if len(rec.Qual) > 0 && rec.Qual[0] != 0xff {
		for _, q := range rec.Qual {
			s.qual = append(s.qual, q+33)
		}
	}
	if rec.Flags&sam.Reverse == 0 {
		return
	}
	for i, j := 0, len(s.seq)-1; i <= j; i, j = i+1, j-1 {
		s.seq[i], s.seq[j] = complement(s.seq[j]), complement(s.seq[i])
	}
	for i, j := 0, len(s.qual)-1; i < j; i, j = i+1, j-1 {
		s.qual[i], s.qual[j] = s.qual[j], s.qual[i]
	}
}

func complement(b byte) byte {
	const from, to = "ACGTMRWSYKVHDBN=", "TGCAKYWSRMBDHVN="
	for i := range len(from) {
		if from[i] == b {
			return to[i]
		}
	}
	return b
}

func mateNumber(f sam.Flags) uint8 {
	switch {
	case f&sam.Paired == 0:
		return 0
	case f&(sam.Read1|sam.Read2) == sam.Read1:
		return 1
	case f&(sam.Read1|sam.Read2) == sam.Read2:
		return 2
	}
	return 0
}
