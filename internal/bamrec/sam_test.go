package bamrec

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/biogo/hts/bgzf"
)

// everyTag has one tag of each type.
func everyTag() []byte {
	le := binary.LittleEndian
	tags := AppendTagInt(nil, [2]byte{'X', 'a'}, -1)
	for i, v := range []int64{-128, -129, -32768, -32769, math.MinInt32, 0, 255, 256, 65535, 65536, math.MaxUint32} {
		tags = AppendTagInt(tags, [2]byte{'Y', byte('a' + i)}, v)
	}
	tags = AppendTagString(tags, [2]byte{'R', 'G'}, []byte("s 1"))
	tags = AppendTagString(tags, [2]byte{'C', 'O'}, nil)
	tags = AppendTagChar(tags, [2]byte{'X', 'T'}, '!')
	tags = append(tags, "XHH1AE3\x00"...)
	tags = le.AppendUint32(append(tags, "XFf"...), math.Float32bits(2.5))
	for _, array := range []string{"c\xff\x7f", "C\xff\x01", "s\xff\xff", "S\xff\xff", "i\xff\xff\xff\xff", "I\xff\xff\xff\xff", "f\x00\x00\x20\xc0"} {
		tags = append(tags, 'Z', array[0], 'B', array[0])
		tags = le.AppendUint32(tags, uint32(len(array)-1)/uint32(valueLen(array[0])))
		tags = append(tags, array[1:]...)
	}
	return tags
}

func TestAppendSAMShowsEveryField(t *testing.T) {
	for _, c := range []struct {
		name string
		r    Record
		want string
	}{
		{"mapped pair on one reference", Record{Name: []byte("r"), Flag: 99, Ref: 0, Pos: 9, MapQ: 60, Cigar: []uint32{2<<4 | opS, 3<<4 | opEq},
			MateRef: 0, MatePos: 99, TLen: 200, Seq: []byte("ACGTN"), Qual: []byte("!I~#5")},
			"r\t99\tchr1\t10\t60\t2S3=\t=\t100\t200\tACGTN\t!I~#5\n"},
		{"mate elsewhere, reverse", Record{Name: []byte("r"), Flag: 16, Ref: 0, Pos: 9, MateRef: 2, MatePos: 0, TLen: -7, Reverse: true,
			Seq: []byte("ACM"), Qual: []byte("123")}, "r\t16\tchr1\t10\t0\t*\tHLA:x\t1\t-7\tKGT\t321\n"},
		{"nothing at all", Record{Flag: 4, Ref: -1, Pos: -1, MateRef: -1, MatePos: -1}, "*\t4\t*\t0\t0\t*\t*\t0\t0\t*\t*\n"},
		{"missing quality", Record{Name: []byte("q"), Flag: 4, Ref: -1, Pos: -1, MateRef: -1, MatePos: -1, Seq: []byte("A")},
			"q\t4\t*\t0\t0\t*\t*\t0\t0\tA\t*\n"},
		{"hard clip", Record{Name: []byte("h"), Flag: 2064, Ref: 1, Pos: 0, MateRef: -1, MatePos: -1, Reverse: true, ClipFrom: 1, ClipTo: 3,
			Cigar: []uint32{1<<4 | opH, 2 << 4, 2<<4 | opH}, Seq: []byte("AACCG"), Qual: []byte("12345")},
			"h\t2064\tchr2\t1\t0\t1H2M2H\t*\t0\t0\tGG\t43\n"},
	} {
		if got := string(AppendSAM([]byte("x"), Append(nil, &c.r)[4:], testRefs)); got != "x"+c.want {
			t.Errorf("%s:\n%s, want\n%s", c.name, got, c.want)
		}
	}
}

func TestAppendSAMAgreesWithSamtools(t *testing.T) {
	samtools, err := exec.LookPath("samtools")
	if err != nil {
		t.Skip("samtools is not installed")
	}
	rng := rand.New(rand.NewPCG(7, 8))
	var records, want []byte
	for n := range 200 {
		r := randomRecord(rng, n)
		r.Ref, r.Pos, r.Flag = 0, int32(rng.IntN(1<<20)), r.Flag&^FlagUnmapped
		r.Tags, r.ClipFrom, r.ClipTo, r.Cigar = everyTag(), 0, 0, nil
		if n > 0 { // samtools refuses a CIGAR that does not fit the read
			r.Cigar = []uint32{uint32(n)<<4 | uint32([]int{opM, opI, opS, opEq, opX}[n%5])}
		}
		if n == 199 {
			r.Cigar, r.Seq, r.Qual, r.ClipFrom, r.ClipTo = nil, bytes.Repeat([]byte("A"), 70000), nil, 0, 0
			for range 35000 {
				r.Cigar = append(r.Cigar, 1<<4|opM, 1<<4|opI)
			}
		}
		start := len(records)
		records = Append(records, r)
		if err := Validate(records[start+4:]); err != nil {
			t.Fatal(err)
		}
		want = AppendSAM(want, records[start+4:], testRefs)
	}
	var file bytes.Buffer
	w := bgzf.NewWriter(&file, 1)
	w.Write(append(testHeader(), records...))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(samtools, "view", "-")
	cmd.Stdin = &file
	got, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %.500s", err, err.(*exec.ExitError).Stderr)
	}
	gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	if len(gotLines) != len(wantLines) {
		t.Fatalf("%d lines, want %d", len(gotLines), len(wantLines))
	}
	for i := range wantLines {
		if gotLines[i] != wantLines[i] {
			t.Fatalf("line %d: samtools\n%.2000s\nours\n%.2000s", i, gotLines[i], wantLines[i])
		}
	}
}

func TestValidateRefusesEveryCutAndNeverReadsOutside(t *testing.T) {
	r := benchRecord(21, false)
	r.Tags = everyTag()
	rec := Append(nil, r)[4:]
	tagStart := len(rec) - len(r.Tags)
	whole := map[int]bool{}
	for at, rest := tagStart, r.Tags; ; {
		whole[at] = true
		if len(rest) == 0 {
			break
		}
		n := tagLen(rest)
		at, rest = at+n, rest[n:]
	}
	for n := range len(rec) + 1 {
		if err := Validate(rec[:n:n]); (err == nil) != whole[n] {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	rng := rand.New(rand.NewPCG(9, 10))
	for range 20000 {
		bad := bytes.Clone(rec)
		for range 1 + rng.IntN(3) {
			bad[rng.IntN(len(bad))] = byte(rng.Uint32())
		}
		if Validate(bad) == nil && int(Ref(bad)) < len(testRefs) && int32(binary.LittleEndian.Uint32(bad[20:])) < 3 {
			AppendSAM(nil, bad, testRefs)
			End(bad)
			Name(bad)
		}
	}
}

func TestTagIntTakesTheSmallestType(t *testing.T) {
	for v, want := range map[int64]byte{0: 'C', 255: 'C', 256: 'S', 65535: 'S', 65536: 'I', math.MaxUint32: 'I',
		-1: 'c', -128: 'c', -129: 's', -32768: 's', -32769: 'i', math.MinInt32: 'i'} {
		if got := AppendTagInt(nil, [2]byte{'N', 'M'}, v); got[2] != want || len(got) != 3+valueLen(want) {
			t.Errorf("%d: type %c, %d bytes", v, got[2], len(got))
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("2^32 did not panic")
		}
	}()
	AppendTagInt(nil, [2]byte{'N', 'M'}, 1<<32)
}
