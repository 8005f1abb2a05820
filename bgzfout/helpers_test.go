package bgzfout

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alignpipe/alignpipe/internal/bamrec"
)

// testRec is an encoded record and where it sorts.
type testRec struct {
	data []byte
	key  uint64
}

// testRefs have an empty reference in front, between and at the end.
var testRefs = []int64{5000, 1_200_000, 70_000, 9000, 300_000, 1000}

func refNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("chr%d", i+1)
	}
	return names
}

func testHeader(lens []int64) []byte {
	text := []byte("@HD\tVN:1.6\tSO:coordinate\n")
	for i, n := range lens {
		text = fmt.Appendf(text, "@SQ\tSN:chr%d\tLN:%d\n", i+1, n)
	}
	return bamrec.AppendHeader(nil, text, refNames(len(lens)), lens)
}

// placed makes a record at pos with the given CIGAR.
func placed(rng *rand.Rand, ref, pos int32, flag uint16, cigar []uint32) testRec {
	n := 0
	for _, op := range cigar {
		if 1<<(op&15)&(1<<0|1<<1|1<<4|1<<7|1<<8) != 0 {
			n += int(op >> 4)
		}
	}
	if cigar == nil {
		n = 100
	}
	seq, qual := make([]byte, n), make([]byte, n)
	for i := range seq {
		seq[i], qual[i] = "ACGT"[rng.IntN(4)], byte(33+rng.IntN(40))
	}
	data := bamrec.Append(nil, &bamrec.Record{
		Name: fmt.Appendf(nil, "r%x", rng.Uint32()), Flag: flag, Ref: ref, Pos: pos, MapQ: 60,
		Cigar: cigar, MateRef: -1, MatePos: -1, Seq: seq, Qual: qual, ClipTo: n,
	})
	key := ^uint64(0)
	if ref >= 0 {
		key = uint64(ref)<<32 | uint64(pos)<<1
	}
	return testRec{data, key}
}

// randomRecords makes n records in coordinate order: short and spliced ones, unmapped ones with
// a place, and unplaced ones at the end.
func randomRecords(seed uint64, lens []int64, n int) []testRec {
	rng := rand.New(rand.NewPCG(seed, 1))
	used := []int32{1, 2, 4} // the others stay empty
	recs := make([]testRec, 0, n)
	for range n {
		ref := used[rng.IntN(len(used))]
		pos := int32(rng.Int64N(lens[ref] - 30_000))
		switch rng.IntN(20) {
		case 0:
			recs = append(recs, placed(rng, ref, pos, 4, nil))
		case 1:
			recs = append(recs, placed(rng, ref, pos, 0, []uint32{50 << 4, uint32(rng.IntN(29_000))<<4 | 3, 50 << 4}))
		case 2:
			recs = append(recs, placed(rng, -1, -1, 4, nil))
		default:
			recs = append(recs, placed(rng, ref, pos, 0, []uint32{100 << 4}))
		}
	}
	slices.SortStableFunc(recs, func(a, b testRec) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		return 0
	})
	return recs
}

// bamBytes writes recs and returns the file and its index.
func bamBytes(t testing.TB, lens []int64, recs []testRec, kind IndexKind, cfg Config) (file, index []byte) {
	t.Helper()
	var dst, idx bytes.Buffer
	b, err := NewBAM(&dst, testHeader(lens), lens, kind, cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recs {
		if err := b.Add(r.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if b.Bytes() != int64(dst.Len()) {
		t.Errorf("Bytes = %d, file has %d", b.Bytes(), dst.Len())
	}
	if kind != None {
		if err := b.WriteIndex(&idx); err != nil {
			t.Fatal(err)
		}
	}
	return dst.Bytes(), idx.Bytes()
}

func gunzip(t testing.TB, data []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var errDiskFull = errors.New("disk full")

// failAfter is a disk with room for limit bytes.
type failAfter struct {
	buf   bytes.Buffer
	limit int
}

func (f *failAfter) Write(p []byte) (int, error) {
	n := min(len(p), f.limit-f.buf.Len())
	f.buf.Write(p[:n])
	if n < len(p) {
		return n, errDiskFull
	}
	return n, nil
}
