package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/biogo/hts/bam"
	"github.com/biogo/hts/bgzf"
	"github.com/biogo/hts/sam"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/bamrec"
)

var (
	refNames = []string{"a", "b", "c"}
	refLens  = []int64{5_000_000, 400_000_000, 1000}
)

// crowded is a position below which hundreds of records share each place.
const crowded = 100

func testHeader() []byte {
	return bamrec.AppendHeader(nil, []byte("@HD\tVN:1.6\tSO:unsorted\n@SQ\tSN:a\tLN:5000000\n@SQ\tSN:b\tLN:400000000\n@SQ\tSN:c\tLN:1000\n"), refNames, refLens)
}

// maker makes records like those of 2x150 reads. Their names are their numbers, from 0.
type maker struct {
	rng       *rand.Rand
	n         int
	name      []byte
	seq, qual []byte
}

func newMaker(seed uint64) *maker { return &maker{rng: rand.New(rand.NewPCG(seed, 9))} }

// add appends a record of a read of some length. It lies below a position if that is not 0: a
// low one gives many records the same place.
func (m *maker) add(dst []byte, length int, below int32) []byte {
	m.name = fmt.Appendf(m.name[:0], "A00123:45:HXXXXXXX:1:1101:%d:%d", m.rng.IntN(30000), m.n)
	m.seq, m.qual = m.seq[:0], m.qual[:0]
	for range length {
		x := m.rng.Uint32()
		m.seq = append(m.seq, "ACGT"[x&3])
		m.qual = append(m.qual, "FFFFFFFFFFFF::,#"[x>>2&15])
	}
	r := bamrec.Record{Name: m.name, Ref: m.rng.Int32N(2), MapQ: 60, Cigar: []uint32{uint32(length) << 4}, MateRef: -1, MatePos: -1, Seq: m.seq, Qual: m.qual}
	if below == 0 {
		below = int32(refLens[r.Ref]) - int32(length)
	}
	r.Pos = m.rng.Int32N(below)
	switch m.rng.IntN(20) {
	case 0: // no place
		r.Ref, r.Pos, r.MapQ, r.Flag, r.Cigar = -1, -1, 0, bamrec.FlagUnmapped, nil
	case 1: // unmapped, at its mate's place
		r.MapQ, r.Flag, r.Cigar = 0, bamrec.FlagUnmapped|bamrec.FlagReverse, nil
	case 2, 3, 4, 5, 6, 7, 8, 9:
		r.Flag = bamrec.FlagReverse
	}
	m.n++
	return bamrec.Append(dst, &r)
}

// number is that of the record in the input.
func number(t *testing.T, rec *sam.Record) int {
	t.Helper()
	n, err := strconv.Atoi(rec.Name[bytes.LastIndexByte([]byte(rec.Name), ':')+1:])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// writeWhole writes a BAM whose blocks begin with records, as htslib and alignpipe do.
func writeWhole(t testing.TB, records [][]byte, level int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "whole.bam")
	f, err := os.Create(path)
	check(t, err)
	b, err := bgzfout.NewBAM(f, testHeader(), refLens, bgzfout.None, bgzfout.Config{Level: level, Workers: 2})
	check(t, err)
	for _, rec := range records {
		check(t, b.Add(rec))
	}
	check(t, b.Close())
	check(t, f.Close())
	return path
}

// writeCut writes a BAM whose blocks begin anywhere, also within the header and block_size.
func writeCut(t testing.TB, records [][]byte, level int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cut.bam")
	f, err := os.Create(path)
	check(t, err)
	w, err := bgzf.NewWriterLevel(f, level, 2)
	check(t, err)
	all := append(testHeader(), bytes.Join(records, nil)...)
	for i := 0; len(all) > 0; i++ {
		n := min(len(all), 1+i*i%3001)
		_, err := w.Write(all[:n])
		check(t, err)
		if i%7 == 0 {
			check(t, w.Flush())
		}
		all = all[n:]
	}
	check(t, w.Close())
	check(t, f.Close())
	return path
}

// readAllRecords reads a BAM with a decoder that shares nothing with what wrote it.
func readAllRecords(t *testing.T, path string) (*sam.Header, []*sam.Record) {
	t.Helper()
	f, err := os.Open(path)
	check(t, err)
	defer f.Close()
	r, err := bam.NewReader(f, 1)
	check(t, err)
	defer r.Close()
	var all []*sam.Record
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return r.Header(), all
		}
		check(t, err)
		all = append(all, rec)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
