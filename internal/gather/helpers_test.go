package gather

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/inflate"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/sorter"
)

// testRefs have references without records in front, between and at the end.
var (
	testRefs = []int64{5000, 1_200_000, 70_000, 9000, 300_000, 1000}
	longRefs = []int64{5000, 1<<29 + 5_000_000, 70_000, 100, 600_000_000, 1000}
)

const testText = "@HD\tVN:1.6\tSO:coordinate\n"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// headerOf is a binary header with @SQ lines between head and tail.
func headerOf(lens []int64, head, tail string) []byte {
	names := make([]string, len(lens))
	for i, n := range lens {
		names[i] = fmt.Sprintf("chr%d", i+1)
		head += fmt.Sprintf("@SQ\tSN:%s\tLN:%d\n", names[i], n)
	}
	return bamrec.AppendHeader(nil, []byte(head+tail), names, lens)
}

// testRec is an encoded record with block_size, and where it sorts.
type testRec struct {
	data []byte
	key  sorter.Key
}

func newRec(rng *rand.Rand, name string, ref, pos int32, flag uint16, cigar ...uint32) testRec {
	n := 0
	for _, op := range cigar {
		if op&15 == 0 {
			n += int(op >> 4)
		}
	}
	if n == 0 {
		n = 60
	}
	seq, qual := make([]byte, n), make([]byte, n)
	for i := range seq {
		seq[i], qual[i] = "ACGT"[rng.IntN(4)], byte(33+rng.IntN(40))
	}
	data := bamrec.Append(nil, &bamrec.Record{Name: []byte(name), Flag: flag, Ref: ref, Pos: pos, MapQ: 60,
		Cigar: cigar, MateRef: -1, MatePos: -1, Seq: seq, Qual: qual, ClipTo: n})
	return testRec{data, keyOf(data[4:])}
}

// randomRecs makes n records in order: short, spliced, unmapped ones with a place, unplaced ones; most lie close together.
func randomRecs(seed uint64, lens []int64, n int) []testRec {
	rng := rand.New(rand.NewPCG(seed, 7))
	recs := make([]testRec, n)
	for i := range recs {
		ref, name := []int32{1, 2, 4}[rng.IntN(3)], fmt.Sprintf("r%d", i)
		pos, strand := int32(rng.Int64N(lens[ref]-35_000)), uint16(rng.IntN(2))*16
		if rng.IntN(3) > 0 { // more than 64 KiB a window, or an index has hardly any bins
			ref, pos = 4, int32(rng.IntN(int(min(lens[4]-35_000, 200_000))))
		}
		switch rng.IntN(25) {
		case 0:
			recs[i] = newRec(rng, name, ref, pos, 4|strand)
		case 1:
			recs[i] = newRec(rng, name, ref, pos, strand, 50<<4, uint32(1+rng.IntN(34_000))<<4|3, 100<<4)
		case 2:
			recs[i] = newRec(rng, name, -1, -1, 4)
		default:
			recs[i] = newRec(rng, name, ref, pos, strand, 150<<4)
		}
	}
	slices.SortStableFunc(recs, func(a, b testRec) int { return cmp.Compare(a.key, b.key) })
	return recs
}

func plainOf(recs []testRec) []byte {
	var b []byte
	for _, r := range recs {
		b = append(b, r.data...)
	}
	return b
}

// ownBAM writes a part as this program does.
func ownBAM(t testing.TB, path string, header []byte, lens []int64, recs []testRec, kind bgzfout.IndexKind) {
	t.Helper()
	var dst, index bytes.Buffer
	b, err := bgzfout.NewBAM(&dst, header, lens, kind, bgzfout.Config{})
	must(t, err)
	for _, r := range recs {
		must(t, b.Add(r.data))
	}
	must(t, b.Close())
	must(t, os.WriteFile(path, dst.Bytes(), 0o600))
	if kind != bgzfout.None {
		must(t, b.WriteIndex(&index))
		must(t, os.WriteFile(path+kind.Ext(), index.Bytes(), 0o600))
	}
}

// foreignBAM writes a part as some other programs do: blocks end after size bytes, whatever is
// there, so that the header shares a block with records, and records go over the ends of blocks.
func foreignBAM(t testing.TB, path string, header []byte, recs []testRec, size int) {
	t.Helper()
	plain := append(bytes.Clone(header), plainOf(recs)...)
	var file bytes.Buffer
	w := bgzfout.NewWriter(&file, bgzfout.Config{Level: 1})
	for at := 0; at < len(plain); at += size {
		must(t, w.WriteRecord(plain[at:min(at+size, len(plain))]))
		must(t, w.Flush())
	}
	must(t, w.Close())
	must(t, os.WriteFile(path, file.Bytes(), 0o600))
}

// gunzip returns the plain data of a BGZF file, which must be whole.
func gunzip(t testing.TB, data []byte) []byte {
	t.Helper()
	s, err := inflate.Open(t.Context(), bytes.NewReader(data), "test", inflate.Config{})
	must(t, err)
	defer s.Close()
	var plain []byte
	for {
		c, err := s.Next(t.Context())
		if err == io.EOF {
			return plain
		}
		must(t, err)
		plain = append(plain, c.Data...)
		c.Release()
	}
}

func readAll(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return data
}

// config gathers parts into dir/out.bam.
func config(dir string, parts ...string) Config {
	return Config{FS: vfs.OS, Parts: parts, Output: filepath.Join(dir, "out.bam"), Level: 1, Threads: 2, TempDir: dir}
}

// wantRecords compares the output with a header and records, byte by byte.
func wantRecords(t *testing.T, path string, header []byte, recs []testRec) {
	t.Helper()
	got := gunzip(t, readAll(t, path))
	rest, ok := bytes.CutPrefix(got, header)
	if !ok {
		t.Fatalf("another header: %q", got[:min(len(got), 400)])
	}
	for i, r := range recs {
		var ok bool
		if rest, ok = bytes.CutPrefix(rest, r.data); !ok {
			t.Fatalf("record %d of %d is not %s", i, len(recs), bamrec.Name(r.data[4:]))
		}
	}
	if len(rest) > 0 {
		t.Errorf("%d bytes too many", len(rest))
	}
}

// wantOnly demands that a folder holds these files and no others.
func wantOnly(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(names)
	if !slices.Equal(got, names) {
		t.Errorf("the folder holds %s, not %s", strings.Join(got, " "), strings.Join(names, " "))
	}
}
