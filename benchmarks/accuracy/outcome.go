package main

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/biogo/hts/sam"
	"github.com/klauspost/compress/gzip"

	"github.com/alignpipe/alignpipe/benchmarks/internal/truth"
)

// A class is what became of a read.
type class uint8

const (
	missing class = iota // no primary record
	unmapped
	wrong
	right
)

// noScore stands for a tag that the record did not have.
const noScore = -1 << 15

// An outcome is what a tool did with one read.
type outcome struct {
	Class   class
	MapQ    uint8
	Reverse bool
	Ref     int32 // as sample.refs numbers them
	Pos     int32 // 0-based
	AS, XS  int32 // score of the alignment and of the next best, or noScore
}

// placedAt reports whether the read was placed with at least this MAPQ.
func (o outcome) placedAt(mapQ uint8) bool {
	return (o.Class == right || o.Class == wrong) && o.MapQ >= mapQ
}

// outcomes has one outcome for each read of a sample, in its order.
type outcomes []outcome

// judge fills outcomes from primary records. A record that does not belong is an error: no
// number is worth anything then.
type judge struct {
	sample *sample
	seen   []bool
	out    outcomes
}

func newJudge(s *sample) *judge {
	return &judge{sample: s, seen: make([]bool, len(s.want)), out: make(outcomes, len(s.want))}
}

func (j *judge) take(rec *sam.Record) error {
	s := j.sample
	name, mate := truth.BaseName(rec.Name), truth.Mate(rec)
	fragment, ok := s.index[name]
	if !ok || mate >= s.set.mates {
		return fmt.Errorf("record of read %s, mate %d, which the truth does not know", name, mate+1)
	}
	i := fragment*s.set.mates + mate
	if j.seen[i] {
		return fmt.Errorf("second primary record of read %s, mate %d", name, mate+1)
	}
	j.seen[i] = true
	if rec.Flags&sam.Unmapped != 0 {
		j.out[i] = outcome{Class: unmapped, Ref: -1, Pos: -1, AS: noScore, XS: noScore}
		return nil
	}
	p := s.placeOf(rec)
	j.out[i] = outcome{Class: wrong, MapQ: rec.MapQ, Reverse: p.reverse, Ref: p.Ref, Pos: p.Start,
		AS: score(rec, asTag), XS: score(rec, xsTag)}
	if truth.Right(s.want[i].Span, p.Span) {
		j.out[i].Class = right
	}
	return nil
}

var asTag, xsTag = sam.NewTag("AS"), sam.NewTag("XS")

// score reads an integer tag, which may have any width.
func score(rec *sam.Record, tag sam.Tag) int32 {
	aux := rec.AuxFields.Get(tag)
	if aux == nil {
		return noScore
	}
	switch v := aux.Value().(type) {
	case int8:
		return int32(v)
	case uint8:
		return int32(v)
	case int16:
		return int32(v)
	case uint16:
		return int32(v)
	case int32:
		return v
	case uint32:
		return int32(v)
	}
	return noScore
}

// A cacheFile keeps the outcomes of a peer, which is slow and does not change.
type cacheFile struct {
	Command string // with version and options, without paths: another one makes the file stale
	Out     outcomes
}

// readOutcomes returns nil when there is no file, or it is older than the truth, or was made
// by another command.
func readOutcomes(path, command string, s *sample) (outcomes, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	newer, err := newerThan(f, s.truthPath)
	if err != nil || !newer {
		return nil, err
	}
	var c cacheFile
	zr, err := gzip.NewReader(f)
	if err == nil {
		err = gob.NewDecoder(zr).Decode(&c)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w (remove it)", path, err)
	}
	if c.Command != command || len(c.Out) != len(s.want) {
		return nil, nil
	}
	return c.Out, nil
}

func newerThan(f *os.File, other string) (bool, error) {
	a, err := f.Stat()
	if err != nil {
		return false, err
	}
	b, err := os.Stat(other)
	if err != nil {
		return false, err
	}
	return a.ModTime().After(b.ModTime()), nil
}

func writeOutcomes(path, command string, out outcomes) error {
	return replaceFile(path, func(f *os.File) error {
		zw, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
		if err != nil {
			return err
		}
		if err := gob.NewEncoder(zw).Encode(cacheFile{command, out}); err != nil {
			return err
		}
		return zw.Close()
	})
}
