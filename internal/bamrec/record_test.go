package bamrec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/biogo/hts/bam"
	"github.com/biogo/hts/bgzf"
	"github.com/biogo/hts/sam"
)

var testRefs = []string{"chr1", "chr2", "HLA:x"}
var testLens = []int64{1 << 29, 1 << 20, 5}

func testHeader() []byte {
	text := "@HD\tVN:1.6\tSO:coordinate\n"
	for i, name := range testRefs {
		text += fmt.Sprintf("@SQ\tSN:%s\tLN:%d\n", name, testLens[i])
	}
	return AppendHeader(nil, []byte(text), testRefs, testLens)
}

// readBack hands a header and records to the oracle.
func readBack(t *testing.T, records []byte) []*sam.Record {
	t.Helper()
	var file bytes.Buffer
	w := bgzf.NewWriter(&file, 1)
	if _, err := w.Write(append(testHeader(), records...)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := bam.NewReader(&file, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out []*sam.Record
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatalf("record %d: %v", len(out), err)
		}
		out = append(out, rec)
	}
}

// complements pairs the letters by hand, apart from the bit trick under test.
var complements = map[byte]byte{'A': 'T', 'C': 'G', 'G': 'C', 'T': 'A', 'N': 'N', '=': '=', 'M': 'K', 'K': 'M',
	'R': 'Y', 'Y': 'R', 'S': 'S', 'W': 'W', 'V': 'B', 'B': 'V', 'H': 'D', 'D': 'H'}

// oriented is the slow, plain statement of what a record shows.
func oriented(r *Record) (seq, qual []byte) {
	seq, qual = bytes.Clone(r.Seq), make([]byte, len(r.Seq))
	for i := range qual {
		qual[i] = 0xff
		if len(r.Qual) > 0 {
			qual[i] = r.Qual[i] - 33
		}
	}
	if r.Reverse {
		slices.Reverse(seq)
		slices.Reverse(qual)
		for i := range seq {
			seq[i] = complements[seq[i]]
		}
	}
	to := r.ClipTo
	if to == 0 {
		to = len(seq)
	}
	return seq[r.ClipFrom:to], qual[r.ClipFrom:to]
}

func randomRecord(rng *rand.Rand, n int) *Record {
	r := &Record{
		Name: fmt.Appendf(nil, "read.%d", rng.IntN(1e6)), Flag: uint16(rng.IntN(1 << 12)),
		Ref: int32(rng.IntN(4) - 1), Pos: int32(rng.IntN(1<<29) - 1), MapQ: uint8(rng.IntN(256)),
		MateRef: int32(rng.IntN(4) - 1), MatePos: int32(rng.IntN(1<<29) - 1), TLen: int32(rng.IntN(2000) - 1000),
		Reverse: rng.IntN(2) == 0,
	}
	for range n {
		r.Seq = append(r.Seq, bases[rng.IntN(16)])
	}
	if rng.IntN(5) > 0 {
		for range n {
			r.Qual = append(r.Qual, byte(33+rng.IntN(94)))
		}
	}
	if n > 1 && rng.IntN(4) == 0 {
		r.ClipFrom = rng.IntN(n - 1)
		r.ClipTo = r.ClipFrom + 1 + rng.IntN(n-r.ClipFrom)
	}
	for range rng.IntN(6) {
		r.Cigar = append(r.Cigar, uint32(1+rng.IntN(5000))<<4|uint32(rng.IntN(9)))
	}
	r.Tags = AppendTagInt(r.Tags, [2]byte{'N', 'M'}, rng.Int64N(1<<17)-1<<16)
	r.Tags = AppendTagString(r.Tags, [2]byte{'M', 'D'}, r.Name)
	r.Tags = AppendTagChar(r.Tags, [2]byte{'X', 'T'}, 'U')
	return r
}

func TestAppendReadsBackTheSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var want []*Record
	var encoded []byte
	for n := range 70 {
		for range 12 {
			want = append(want, randomRecord(rng, n))
		}
	}
	want = append(want, randomRecord(rng, 100_001), randomRecord(rng, 3))
	want[0].Name = nil
	want[1].Name = bytes.Repeat([]byte{'n'}, 254)
	for _, r := range want {
		encoded = Append(encoded, r)
	}
	for i, got := range readBack(t, encoded) {
		compare(t, fmt.Sprintf("record %d (len=%d)", i, len(want[i].Seq)), got, want[i])
	}
}

func compare(t *testing.T, what string, got *sam.Record, want *Record) {
	t.Helper()
	seq, qual := oriented(want)
	name := string(want.Name)
	if name == "" {
		name = "*"
	}
	if got.Name != name || uint16(got.Flags) != want.Flag || got.MapQ != want.MapQ {
		t.Fatalf("%s: name, flag, mapq = %s %d %d, want %s %d %d", what, got.Name, got.Flags, got.MapQ,
			want.Name, want.Flag, want.MapQ)
	}
	if got.Ref.ID() != int(want.Ref) || got.Pos != int(want.Pos) || got.MateRef.ID() != int(want.MateRef) ||
		got.MatePos != int(want.MatePos) || got.TempLen != int(want.TLen) {
		t.Fatalf("%s: places differ: %v, want %+v", what, got, want)
	}
	if !bytes.Equal(got.Seq.Expand(), seq) {
		t.Fatalf("%s: reverse=%v seq\n%s, want\n%s", what, want.Reverse, got.Seq.Expand(), seq)
	}
	if !bytes.Equal(got.Qual, qual) {
		t.Fatalf("%s: reverse=%v qual\n%v, want\n%v", what, want.Reverse, got.Qual, qual)
	}
	if len(got.Cigar) != len(want.Cigar) {
		t.Fatalf("%s: cigar %v, want %d operations", what, got.Cigar, len(want.Cigar))
	}
	for i, op := range got.Cigar {
		if uint32(op) != want.Cigar[i] {
			t.Fatalf("%s: operation %d is %v", what, i, op)
		}
	}
	var tags []byte
	for _, a := range got.AuxFields {
		tags = append(tags, a...)
		if a.Type() == 'Z' {
			tags = append(tags, 0) // the oracle cuts it off
		}
	}
	if !bytes.Equal(tags, want.Tags) {
		t.Fatalf("%s: tags %q, want %q", what, tags, want.Tags)
	}
}

func TestBinAndEndAgreeWithTheOracle(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		r := randomRecord(rng, 4)
		r.Ref, r.Flag = 0, r.Flag&^FlagUnmapped
		r.Pos >>= rng.IntN(16)
		rec := Append(nil, r)
		got := readBackOne(rec)
		if got.End() != int(End(rec[4:])) && len(r.Cigar) > 0 && got.End() != got.Pos {
			t.Fatalf("End = %d, want %d for %v", End(rec[4:]), got.End(), got.Cigar)
		}
		want := naiveBin(int64(r.Pos), int64(End(rec[4:])))
		if b := binary.LittleEndian.Uint16(rec[14:]); b != want {
			t.Fatalf("bin of [%d,%d) = %d, want %d", r.Pos, End(rec[4:]), b, want)
		}
	}
}

// readBackOne gives the oracle's idea of position and CIGAR without a file around it.
func readBackOne(rec []byte) *sam.Record {
	out := &sam.Record{Pos: int(Pos(rec[4:]))}
	for c := cigarBytes(rec[4:]); len(c) > 0; c = c[4:] {
		out.Cigar = append(out.Cigar, sam.CigarOp(binary.LittleEndian.Uint32(c)))
	}
	return out
}

// naiveBin looks for the smallest bin that holds both ends.
func naiveBin(beg, end int64) uint16 {
	first, shift := int64(4681), 14
	for ; shift < 29; shift += 3 {
		if beg>>shift == (end-1)>>shift {
			return uint16(first + beg>>shift)
		}
		first = (first - 1) / 8
	}
	return 0
}

func TestUnplacedAndMatePlacedRecords(t *testing.T) {
	for _, c := range []struct {
		name     string
		r        Record
		bin      uint16
		ref, end int32
	}{
		{"no place", Record{Ref: -1, Pos: -1, Flag: FlagUnmapped}, 4680, -1, 0},
		{"at its mate's place", Record{Ref: 1, Pos: 16384, Flag: FlagUnmapped}, 4682, 1, 16385},
		{"an unmapped one's cigar counts for nothing",
			Record{Ref: 1, Pos: 10, Flag: FlagUnmapped, Cigar: []uint32{50 << 4}}, 4681, 1, 11},
		{"soft clips only", Record{Ref: 1, Pos: 10, Cigar: []uint32{50<<4 | opS}}, 4681, 1, 11},
	} {
		rec := Append(nil, &c.r)
		if int(binary.LittleEndian.Uint32(rec)) != len(rec)-4 {
			t.Errorf("%s: block_size of %d bytes is % x", c.name, len(rec), rec[:4])
		}
		rec = rec[4:]
		if b := binary.LittleEndian.Uint16(rec[10:]); b != c.bin || Ref(rec) != c.ref || End(rec) != c.end {
			t.Errorf("%s: bin %d ref %d end %d", c.name, b, Ref(rec), End(rec))
		}
		if Flag(rec) != c.r.Flag || Pos(rec) != c.r.Pos || string(Name(rec)) != "*" {
			t.Errorf("%s: flag %d pos %d name %s", c.name, Flag(rec), Pos(rec), Name(rec))
		}
	}
}

func TestLongCigarMovesToItsTag(t *testing.T) {
	for _, n := range []int{65534, 65535, 65536, 70001} {
		r := &Record{Name: []byte("long"), Ref: 0, Pos: 7, Tags: AppendTagInt(nil, [2]byte{'N', 'M'}, 3)}
		var span int32
		for i := range n {
			op := []uint32{opM, opI, opM, opD}[i%4]
			r.Cigar = append(r.Cigar, 1<<4|op)
			if op != opD {
				r.Seq = append(r.Seq, 'A')
			}
			if op != opI {
				span++
			}
		}
		rec := Append(nil, r)[4:]
		if err := Validate(rec); err != nil {
			t.Fatal(err)
		}
		ops, _, tags := len(cigarBytes(rec))/4, 0, tagsOf(rec)
		if long := n > 65535; long != (ops == 2) || long != (longCigar(tags) != nil) {
			t.Errorf("n=%d: %d operations, tag %v", n, ops, longCigar(tags) != nil)
		}
		if End(rec) != 7+span {
			t.Errorf("n=%d: End = %d, want %d", n, End(rec), 7+span)
		}
		line := AppendSAM(nil, rec, testRefs)
		if fields := bytes.Split(line, []byte{'\t'}); !bytes.HasPrefix(fields[5], []byte("1M1I1M1D1M")) ||
			len(fields[5]) != 2*n || len(fields) != 12 || string(fields[11]) != "NM:i:3\n" {
			t.Errorf("n=%d: %d fields, cigar of %d bytes", n, len(fields), len(fields[5]))
		}
		if got := readBack(t, Append(nil, r)); got[0].Seq.Length != len(r.Seq) {
			t.Errorf("n=%d: the oracle reads %d bases", n, got[0].Seq.Length)
		}
	}
}

func tagsOf(rec []byte) []byte {
	_, _, tags := bodyBytes(rec)
	return tags
}

func TestAppendPanicsOnItsCallersBugs(t *testing.T) {
	for name, r := range map[string]Record{
		"name of 255 bytes":       {Name: make([]byte, 255)},
		"quality of other length": {Seq: []byte("AC"), Qual: []byte("I")},
		"clip beyond the end":     {Seq: []byte("AC"), ClipTo: 3},
		"clip back to front":      {Seq: []byte("AC"), ClipFrom: 2, ClipTo: 1},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			Append(nil, &r)
		}()
	}
}

func TestHeaderReadsBack(t *testing.T) {
	ref, err := sam.NewReference("chrM", "", "", 16569, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := sam.NewHeader([]byte("@HD\tVN:1.6\tSO:coordinate\n@CO\tnote\n"), []*sam.Reference{ref})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Header(h)
	if err != nil {
		t.Fatal(err)
	}
	var got sam.Header
	if err := got.DecodeBinary(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	if len(got.Refs()) != 1 || got.Refs()[0].Len() != 16569 || got.SortOrder != sam.Coordinate || len(got.Comments) != 1 {
		t.Errorf("header came back as %+v", got)
	}
}

func benchRecord(n int, reverse bool) *Record {
	r := randomRecord(rand.New(rand.NewPCG(5, 6)), n)
	r.Reverse, r.ClipFrom, r.ClipTo = reverse, 0, 0
	r.Qual = bytes.Repeat([]byte{'I'}, n)
	return r
}

func TestAppendAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 4096)
	line := make([]byte, 0, 4096)
	r := benchRecord(151, true)
	if n := testing.AllocsPerRun(100, func() {
		buf = Append(buf[:0], r)
		line = AppendSAM(line[:0], buf[4:], testRefs)
	}); n != 0 {
		t.Errorf("%v allocations per record", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, reverse := range []bool{false, true} {
		b.Run(fmt.Sprintf("bases=151/reverse=%v", reverse), func(b *testing.B) {
			r := benchRecord(151, reverse)
			buf := Append(nil, r)
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				buf = Append(buf[:0], r)
			}
		})
	}
}
