// Package truth says where simulated reads lie, and what counts as finding them.
//
// [Right] is the one definition that all numbers in benchmarks/results rest on.
package truth

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/biogo/hts/bam"
	"github.com/biogo/hts/sam"
)

// A Span is a stretch of a reference that [Refs] numbered: 0-based, half-open.
type Span struct{ Ref, Start, End int32 }

// Right reports whether got lies on the true reference and the overlap of the two spans is
// at least a tenth of their union. Clipped ends and indels so cost nothing; another copy of
// a repeat does.
func Right(want, got Span) bool {
	overlap := min(want.End, got.End) - max(want.Start, got.Start)
	union := max(want.End, got.End) - min(want.Start, got.Start)
	return want.Ref == got.Ref && overlap > 0 && 10*int64(overlap) >= int64(union)
}

// Refs numbers references by name, since two files need not list them in one order.
type Refs map[string]int32

// ID is the number of a reference; a new name gets the next one.
func (r Refs) ID(name string) int32 {
	id, ok := r[name]
	if !ok {
		id = int32(len(r))
		r[name] = id
	}
	return id
}

// SpanOf is what the record covers of its reference.
func (r Refs) SpanOf(rec *sam.Record) Span {
	bases := int32(0)
	for _, op := range rec.Cigar {
		bases += int32(op.Len() * op.Type().Consumes().Reference)
	}
	start := int32(rec.Pos)
	return Span{Ref: r.ID(rec.Ref.Name()), Start: start, End: start + bases}
}

// Mate is 1 for second mates and 0 for everything else.
func Mate(rec *sam.Record) int {
	if rec.Flags&sam.Read2 != 0 {
		return 1
	}
	return 0
}

// BaseName cuts the /1 or /2 that some aligners leave on.
func BaseName(name string) string {
	if n := len(name) - 2; n > 0 && (name[n:] == "/1" || name[n:] == "/2") {
		return name[:n]
	}
	return name
}

// EachPrimary calls f for every record of a BAM file that is neither secondary nor
// supplementary. omit is what need not be decoded: [bam.None], [bam.AuxTags], or
// [bam.AllVariableLengthData], which keeps names and CIGARs.
func EachPrimary(path string, omit int, f func(*sam.Record) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	br, err := bam.NewReader(bufio.NewReaderSize(file, 1<<20), 1)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer br.Close()
	br.Omit(omit)
	if err := eachPrimary(br, f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// EachPrimarySAM is EachPrimary for SAM text.
func EachPrimarySAM(r io.Reader, f func(*sam.Record) error) error {
	sr, err := sam.NewReader(bufio.NewReaderSize(r, 1<<20))
	if err != nil {
		return err
	}
	return eachPrimary(sr, f)
}

func eachPrimary(records interface{ Read() (*sam.Record, error) }, f func(*sam.Record) error) error {
	for {
		rec, err := records.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if rec.Flags&(sam.Secondary|sam.Supplementary) != 0 {
			continue
		}
		if err := f(rec); err != nil {
			return err
		}
	}
}
