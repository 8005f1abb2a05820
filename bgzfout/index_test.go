package bgzfout

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/biogo/hts/bam"
	"github.com/biogo/hts/csi"
	"github.com/google/go-cmp/cmp"
)

// parsedIndex is a BAI or CSI taken apart, by reference.
type parsedIndex struct {
	Depth  int
	Refs   []parsedRef
	NoCoor uint64
}

type parsedRef struct {
	Bins   map[uint32][][2]uint64
	Loffs  map[uint32]uint64
	Linear []uint64
}

// indexReader reads little-endian numbers.
type indexReader struct{ *bytes.Reader }

func (r indexReader) u32() (v uint32) { binary.Read(r, binary.LittleEndian, &v); return v }
func (r indexReader) u64() (v uint64) { binary.Read(r, binary.LittleEndian, &v); return v }

func parseIndex(t testing.TB, data []byte) parsedIndex {
	t.Helper()
	if data[0] == 0x1f {
		data = gunzip(t, data)
	}
	r := indexReader{bytes.NewReader(data[4:])}
	var x parsedIndex
	isCSI := string(data[:4]) == "CSI\x01"
	if isCSI {
		r.u32() // min_shift
		x.Depth = int(r.u32())
		io.CopyN(io.Discard, r, int64(r.u32()))
	}
	for range r.u32() {
		ref := parsedRef{Bins: map[uint32][][2]uint64{}, Loffs: map[uint32]uint64{}}
		for range r.u32() {
			bin := r.u32()
			if isCSI {
				ref.Loffs[bin] = r.u64()
			}
			for range r.u32() {
				ref.Bins[bin] = append(ref.Bins[bin], [2]uint64{r.u64(), r.u64()})
			}
		}
		if !isCSI {
			for range r.u32() {
				ref.Linear = append(ref.Linear, r.u64())
			}
		}
		x.Refs = append(x.Refs, ref)
	}
	if r.Len() != 8 {
		t.Fatalf("index has %d bytes where n_no_coor should be", r.Len())
	}
	x.NoCoor = r.u64()
	return x
}

func needSamtools(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("samtools"); err != nil {
		t.Skip("samtools is not installed")
	}
}

func samtools(t *testing.T, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("samtools", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("samtools %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out)
}

// indexCase is a file whose index is compared with what samtools makes of it.
type indexCase struct {
	name string
	lens []int64
	recs []testRec
	kind IndexKind
}

func indexCases() []indexCase {
	rng := rand.New(rand.NewPCG(3, 3))
	long := []int64{1000, 1<<29 + 5_000_000, 800_000, 100, 600_000_000}
	m := func(n int) []uint32 { return []uint32{uint32(n) << 4} }
	one := func(ref, pos int32) []testRec { return []testRec{placed(rng, ref, pos, 0, m(100))} }
	unplaced := []testRec{placed(rng, -1, -1, 4, nil), placed(rng, -1, -1, 4, nil)}
	huge := []testRec{
		placed(rng, 1, 10, 0, m(50)), placed(rng, 1, 20, 0, m(150_000)),
		placed(rng, 1, 30, 0, m(100)), placed(rng, 1, 170_000, 0, m(100)), placed(rng, 2, 0, 0, m(60_000)),
	}
	return []indexCase{
		{"no records", testRefs, nil, BAI},
		{"no references", nil, unplaced, BAI},
		{"one record on the last reference", testRefs, one(5, 0), BAI},
		{"only unplaced records", testRefs, unplaced, BAI},
		{"a record at a window's edge", testRefs, one(1, 1<<14-100), BAI},
		{"a record over a window's edge", testRefs, one(1, 1<<14-99), BAI},
		{"unmapped records at their mates' places", testRefs, []testRec{placed(rng, 1, 16383, 4, nil), placed(rng, 1, 16384, 4, nil)}, BAI},
		{"a place of -1 on a reference", testRefs, append([]testRec{placed(rng, 1, -1, 4, nil)}, one(1, 5)...), BAI},
		{"records larger than blocks", testRefs, huge, BAI},
		{"some thousand", testRefs, randomRecords(11, testRefs, 7000), BAI},
		{"some thousand, csi", testRefs, randomRecords(12, testRefs, 7000), CSI},
		{"no records, csi", testRefs, nil, CSI},
		{"long references, csi", long, randomRecords(13, long, 7000), CSI},
		{"short references, csi", []int64{100}, nil, CSI},
	}
}

// The index is the one samtools makes of the same file: every bin, chunk, window and count.
func TestIndexIsSamtools(t *testing.T) {
	needSamtools(t)
	for _, tt := range indexCases() {
		t.Run(tt.name, func(t *testing.T) {
			for _, level := range []int{0, 1} {
				file, index := bamBytes(t, tt.lens, tt.recs, tt.kind, Config{Level: level, Workers: 2})
				path := filepath.Join(t.TempDir(), "x.bam")
				if err := os.WriteFile(path, file, 0o600); err != nil {
					t.Fatal(err)
				}
				if len(tt.lens) > 0 { // quickcheck wants targets
					samtools(t, "quickcheck", path)
				}
				args := []string{"index", "-b"}
				if tt.kind == CSI {
					args[1] = "-c"
				}
				samtools(t, append(args, path)...)
				data, err := os.ReadFile(path + tt.kind.Ext())
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(parseIndex(t, data), parseIndex(t, index)); diff != "" {
					t.Errorf("level=%d: index differs (-samtools +ours):\n%s", level, diff)
				}
			}
		})
	}
}

// Region queries through our index find what a scan of the records finds.
func TestIndexAnswersRegions(t *testing.T) {
	needSamtools(t)
	rng := rand.New(rand.NewPCG(5, 5))
	long := []int64{1000, 1<<29 + 5_000_000, 800_000, 100, 600_000_000}
	for _, tt := range []indexCase{
		{"bai", testRefs, randomRecords(21, testRefs, 5000), BAI},
		{"csi", long, randomRecords(22, long, 5000), CSI},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file, index := bamBytes(t, tt.lens, tt.recs, tt.kind, Config{Workers: 2})
			path := filepath.Join(t.TempDir(), "x.bam")
			os.WriteFile(path, file, 0o600)
			os.WriteFile(path+tt.kind.Ext(), index, 0o600)
			checkIdxstats(t, samtools(t, "idxstats", path), tt.lens, tt.recs)
			for range 25 {
				ref := []int32{1, 2, 4}[rng.IntN(3)]
				beg := rng.Int64N(tt.lens[ref])
				end := beg + 1 + rng.Int64N(tt.lens[ref]-beg)
				if rng.IntN(2) == 0 {
					end = min(end, beg+1+rng.Int64N(40_000))
				}
				region := "chr" + strconv.Itoa(int(ref)+1) + ":" + strconv.FormatInt(beg+1, 10) + "-" + strconv.FormatInt(end, 10)
				got := strings.TrimSpace(samtools(t, "view", "-c", path, region))
				if want := strconv.Itoa(overlapping(t, tt.recs, ref, beg, end)); got != want {
					t.Errorf("%s: %s records, want %s", region, got, want)
				}
			}
		})
	}
}

// overlapping counts the records on [beg, end) of ref.
func overlapping(t *testing.T, recs []testRec, ref int32, beg, end int64) (n int) {
	t.Helper()
	b := &BAM{refs: 100, lastPos: -1}
	for _, r := range recs {
		var m mark
		if err := b.place(0, r.data, &m); err != nil {
			t.Fatal(err)
		}
		if m.ref == ref && int64(m.beg) < end && int64(m.end) > beg {
			n++
		}
	}
	return n
}

func checkIdxstats(t *testing.T, got string, lens []int64, recs []testRec) {
	t.Helper()
	mapped, unmapped := make([]int, len(lens)+1), make([]int, len(lens)+1)
	for _, r := range recs {
		ref := int(int32(binary.LittleEndian.Uint32(r.data[4:])))
		if ref < 0 {
			ref = len(lens)
		}
		if r.data[18]&4 != 0 {
			unmapped[ref]++
		} else {
			mapped[ref]++
		}
	}
	var want strings.Builder
	for i, n := range append(lens[:len(lens):len(lens)], 0) {
		name := "*"
		if i < len(lens) {
			name = "chr" + strconv.Itoa(i+1)
		}
		want.WriteString(strings.Join([]string{name, strconv.FormatInt(n, 10), strconv.Itoa(mapped[i]), strconv.Itoa(unmapped[i])}, "\t") + "\n")
	}
	if diff := cmp.Diff(want.String(), got); diff != "" {
		t.Errorf("idxstats (-want +got):\n%s", diff)
	}
}

// biogo/hts reads the file, and finds records through either index.
func TestBiogoReadsFileAndIndex(t *testing.T) {
	recs := randomRecords(31, testRefs, 3000)
	for _, kind := range []IndexKind{BAI, CSI} {
		file, index := bamBytes(t, testRefs, recs, kind, Config{Level: 1, Workers: 2})
		r, err := bam.NewReader(bytes.NewReader(file), 1)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; ; n++ {
			if _, err := r.Read(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if n != len(recs) {
			t.Errorf("biogo reads %d records, want %d", n, len(recs))
		}
		var want uint64
		for _, rec := range recs {
			if rec.key == ^uint64(0) {
				want++
			}
		}
		if kind == CSI {
			x, err := csi.ReadFrom(bytes.NewReader(gunzip(t, index)))
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := x.Unmapped(); !ok || got != want || x.NumRefs() != len(testRefs) {
				t.Errorf("csi: %d unplaced (%v) of %d, %d references", got, ok, want, x.NumRefs())
			}
			continue
		}
		x, err := bam.ReadIndex(bytes.NewReader(index))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := x.Unmapped(); !ok || got != want {
			t.Errorf("bai: %d unplaced (%v), want %d", got, ok, want)
		}
		checkBiogoRegions(t, r, x, recs)
	}
}

// checkBiogoRegions looks for the records of some windows by biogo's reading of the index.
func checkBiogoRegions(t *testing.T, r *bam.Reader, x *bam.Index, recs []testRec) {
	t.Helper()
	for beg := 0; beg < 1_100_000; beg += 99_000 {
		end := beg + 5000
		chunks, err := x.Chunks(r.Header().Refs()[1], beg, end)
		if err != nil {
			t.Fatal(err)
		}
		it, err := bam.NewIterator(r, chunks)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for it.Next() {
			rec := it.Record()
			if rec.Ref.ID() == 1 && rec.Start() < end && max(rec.End(), rec.Start()+1) > beg {
				got++
			}
		}
		if err := it.Error(); err != nil {
			t.Fatal(err)
		}
		if want := overlapping(t, recs, 1, int64(beg), int64(end)); got != want {
			t.Errorf("biogo finds %d records in %d-%d, want %d", got, beg, end, want)
		}
	}
}

func TestIndexSameForAnyWorkers(t *testing.T) {
	recs := randomRecords(41, testRefs, 4000)
	for _, kind := range []IndexKind{BAI, CSI} {
		file1, index1 := bamBytes(t, testRefs, recs, kind, Config{Level: 1, Workers: 1, InFlight: 3})
		for _, workers := range []int{2, 7} {
			file, index := bamBytes(t, testRefs, recs, kind, Config{Level: 1, Workers: workers})
			if !bytes.Equal(file, file1) || !bytes.Equal(index, index1) {
				t.Errorf("workers=%d: other bytes than with one", workers)
			}
		}
	}
}

func TestBAMRefusesBadRecords(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	m := func(n int) []uint32 { return []uint32{uint32(n) << 4} }
	good := placed(rng, 1, 100, 0, m(50)).data
	edit := func(off int, v byte) []byte {
		rec := bytes.Clone(good)
		rec[off] = v
		return rec
	}
	tests := []struct {
		name string
		recs [][]byte
		want error // nil: any
	}{
		{"empty", [][]byte{{}}, nil},
		{"empty after a good one", [][]byte{good, {}}, nil},
		{"cut off", [][]byte{good[:len(good)-1]}, nil},
		{"block size too large", [][]byte{edit(0, good[0]+1)}, nil},
		{"reference beyond the header", [][]byte{edit(4, 6)}, nil},
		{"reference below -1", [][]byte{placed(rng, -2, 100, 4, nil).data}, nil},
		{"position below -1", [][]byte{placed(rng, 1, -2, 4, nil).data}, nil},
		{"cigar beyond the record", [][]byte{edit(17, 200)}, nil},
		{"end beyond the index", [][]byte{placed(rng, 1, 1<<29-10, 0, m(11)).data}, nil},
		{"position goes back", [][]byte{good, placed(rng, 1, 99, 0, m(50)).data}, ErrOrder},
		{"reference goes back", [][]byte{good, placed(rng, 0, 200, 0, m(50)).data}, ErrOrder},
		{"placed after unplaced", [][]byte{placed(rng, -1, -1, 4, nil).data, good}, ErrOrder},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var dst bytes.Buffer
			b, err := NewBAM(&dst, testHeader(testRefs), testRefs, BAI, Config{})
			if err != nil {
				t.Fatal(err)
			}
			for _, rec := range tt.recs {
				err = b.Add(rec)
			}
			closed := b.Close()
			if err == nil {
				err = closed
			}
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if closed == nil || bytes.HasSuffix(dst.Bytes(), eofBlock) || b.WriteIndex(io.Discard) == nil {
				t.Error("a file without the bad record ends as if it were whole")
			}
		})
	}
}

func TestBAMMisuse(t *testing.T) {
	header := testHeader(testRefs)
	long := []int64{1 << 29}
	if BAIPossible(long) || !BAIPossible([]int64{1<<29 - 1}) || !BAIPossible(nil) {
		t.Error("BAI ends below 2^29")
	}
	for name, try := range map[string]func() (*BAM, error){
		"bai of a long reference": func() (*BAM, error) { return NewBAM(io.Discard, testHeader(long), long, BAI, Config{}) },
		"no header":               func() (*BAM, error) { return NewBAM(io.Discard, nil, testRefs, BAI, Config{}) },
		"level":                   func() (*BAM, error) { return NewBAM(io.Discard, header, testRefs, BAI, Config{Level: 10}) },
		"kind":                    func() (*BAM, error) { return NewBAM(io.Discard, header, testRefs, 3, Config{}) },
	} {
		if b, err := try(); err == nil || b != nil {
			t.Errorf("%s was taken", name)
		}
	}
	b, err := NewBAM(io.Discard, header, testRefs, None, Config{})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	if b.Add(placed(rng, 2, 5, 4, nil).data) != nil || b.Add(placed(rng, 1, 5, 4, nil).data) != nil {
		t.Error("without index any order is good")
	}
	if b.WriteIndex(io.Discard) == nil || b.Close() != nil || b.WriteIndex(io.Discard) == nil {
		t.Error("an index came out of a file without one")
	}
	if b, err = NewBAM(io.Discard, header, testRefs, BAI, Config{}); err != nil {
		t.Fatal(err)
	}
	if b.WriteIndex(io.Discard) == nil || b.Close() != nil || b.Close() != nil {
		t.Error("index before close, or close twice")
	}
	if err := b.WriteIndex(&failAfter{limit: 20}); !errors.Is(err, errDiskFull) {
		t.Errorf("WriteIndex on a full disk = %v", err)
	}
}

func TestBAMAddDoesNotAllocate(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	b, err := NewBAM(io.Discard, testHeader(testRefs), testRefs, BAI, Config{})
	if err != nil {
		t.Fatal(err)
	}
	rec := placed(rng, 1, 100, 0, []uint32{100 << 4}).data
	for range 5000 { // the blocks' mark lists reach their size
		b.Add(rec)
	}
	if n := testing.AllocsPerRun(5000, func() { b.Add(rec) }); n > 0 {
		t.Errorf("%v allocations per record", n)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestBAMLargeHeader(t *testing.T) {
	lens := make([]int64, 20_000)
	for i := range lens {
		lens[i] = int64(i + 1)
	}
	file, _ := bamBytes(t, lens, nil, BAI, Config{Level: 1})
	if got := gunzip(t, file); !bytes.Equal(got, testHeader(lens)) {
		t.Error("header comes back changed")
	}
}
