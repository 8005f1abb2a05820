package bgzfout

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alignpipe/alignpipe/internal/bamrec"
)

// An index that is read and written again is the same, ours and that of samtools.
func TestIndexReadAndWritten(t *testing.T) {
	for _, tt := range indexCases() {
		t.Run(tt.name, func(t *testing.T) {
			file, index := bamBytes(t, tt.lens, tt.recs, tt.kind, Config{})
			x, err := ReadIndex(index, tt.kind, tt.lens)
			if err != nil {
				t.Fatal(err)
			}
			if x.Records() != int64(len(tt.recs)) {
				t.Errorf("%d records, want %d", x.Records(), len(tt.recs))
			}
			var again bytes.Buffer
			if err := x.WriteTo(&again, Config{Level: 1}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parseIndex(t, index), parseIndex(t, again.Bytes())); diff != "" {
				t.Errorf("(-read +written)\n%s", diff)
			}
			rebuilt := reindex(t, file, tt)
			if diff := cmp.Diff(parseIndex(t, index), parseIndex(t, rebuilt)); diff != "" {
				t.Errorf("(-written with the file +made from it)\n%s", diff)
			}
		})
	}
}

// reindex makes the index from the file, whose blocks all begin with a record or go on with one.
func reindex(t *testing.T, file []byte, tt indexCase) []byte {
	t.Helper()
	x := NewIndexer(tt.kind, tt.lens)
	var starts []uint64 // of each plain byte that begins a block
	var at []int
	plain, address := 0, 0
	for address < len(file)-len(eofBlock) {
		size := int(binary.LittleEndian.Uint16(file[address+16:])) + 1
		starts, at = append(starts, uint64(address)<<16), append(at, plain)
		plain += int(binary.LittleEndian.Uint32(file[address+size-4:]))
		address += size
	}
	pos, block := len(testHeader(tt.lens)), 0
	for _, r := range tt.recs {
		for block+1 < len(at) && at[block+1] <= pos {
			block++
		}
		if err := x.Add(r.data[4:], starts[block]|uint64(pos-at[block])); err != nil {
			t.Fatal(err)
		}
		pos += len(r.data)
	}
	done, err := x.Finish(uint64(address) << 16)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := done.WriteTo(&out, Config{Level: 1}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestReadIndexOfSamtools(t *testing.T) {
	needSamtools(t)
	recs := randomRecords(51, testRefs, 4000)
	file, _ := bamBytes(t, testRefs, recs, None, Config{})
	for kind, flag := range map[IndexKind]string{BAI: "-b", CSI: "-c"} {
		path := filepath.Join(t.TempDir(), "x.bam")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		samtools(t, "index", flag, path)
		data, err := os.ReadFile(path + kind.Ext())
		if err != nil {
			t.Fatal(err)
		}
		x, err := ReadIndex(data, kind, testRefs)
		if err != nil || x.Records() != int64(len(recs)) {
			t.Errorf("%s: %v", kind.Ext(), err)
		}
	}
}

// Where a program fills windows without records with zeros, moving must not make them point to
// somewhere in another part.
func TestMoveTakesFillersToTheFirstRecord(t *testing.T) {
	x := &Index{kind: BAI, depth: baiDepth, nRefs: 1, refs: []refIndex{{
		bins:   []binIndex{{bin: 4683, chunks: []chunk{{500 << 16, 700 << 16}}}},
		linear: []uint64{0, 0, 500 << 16, 0, 600<<16 | 7}, beg: 500 << 16, end: 700 << 16, mapped: 9,
	}}}
	x.Move(func(at uint64) uint64 { return at - 400<<16 })
	if diff := cmp.Diff([]uint64{100 << 16, 100 << 16, 100 << 16, 100 << 16, 200<<16 | 7}, x.refs[0].linear); diff != "" {
		t.Error(diff)
	}
	if got := x.Addresses(); !cmp.Equal(got, []int64{100, 200, 300}) {
		t.Errorf("addresses %v", got)
	}
}

func TestJoinIndexesOfOtherKinds(t *testing.T) {
	bai := &Index{kind: BAI, depth: baiDepth, nRefs: 1}
	for name, x := range map[string]*Index{
		"another kind":                 {kind: CSI, depth: baiDepth, nRefs: 1},
		"another number of references": {kind: BAI, depth: baiDepth, nRefs: 2},
	} {
		if _, err := JoinIndexes(BAI, []int64{5}, []*Index{bai, x}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	later := refIndex{bins: []binIndex{{bin: 0, chunks: []chunk{{9 << 16, 10 << 16}}}}, beg: 9 << 16, end: 10 << 16}
	gap := []*Index{{kind: BAI, depth: baiDepth, nRefs: 1, refs: []refIndex{later}}}
	if _, err := JoinIndexes(BAI, []int64{5}, append(gap, gap...)); err == nil {
		t.Error("parts in the wrong order were taken")
	}
}

func TestIndexerRefuses(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	good := placed(rng, 1, 100, 0, []uint32{50 << 4})
	for name, rec := range map[string]testRec{
		"a reference that is not there": placed(rng, 6, 5, 0, []uint32{50 << 4}),
		"a reference below -1":          placed(rng, -2, 5, 4, nil),
		"a position that goes back":     placed(rng, 1, 99, 0, []uint32{50 << 4}),
		"a reference that goes back":    placed(rng, 0, 500, 0, []uint32{50 << 4}),
		"an end beyond the bins":        placed(rng, 1, 1<<29-10, 0, []uint32{11 << 4}),
	} {
		x := NewIndexer(BAI, testRefs)
		if err := x.Add(good.data[4:], 1<<16); err != nil {
			t.Fatal(err)
		}
		if err := x.Add(rec.data[4:], 1<<16|200); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if bamrec.Validate(good.data[4:]) != nil {
		t.Error("the good record is none")
	}
}

// FuzzReadIndex: whatever the bytes, reading ends without a panic and without much memory; what
// is taken can be moved, joined and written, and read again.
func FuzzReadIndex(f *testing.F) {
	for _, kind := range []IndexKind{BAI, CSI} {
		_, index := bamBytes(f, testRefs, randomRecords(61, testRefs, 300), kind, Config{})
		f.Add(index, kind == CSI)
		f.Add(index[:len(index)/2], kind == CSI)
	}
	f.Add([]byte("BAI\x01\x06\x00\x00\x00\xff\xff\xff\xff"), false)
	f.Fuzz(func(t *testing.T, data []byte, isCSI bool) {
		kind := BAI
		if isCSI {
			kind = CSI
		}
		x, err := ReadIndex(data, kind, testRefs)
		if err != nil {
			return
		}
		x.Move(func(at uint64) uint64 { return at })
		x.Addresses()
		joined, err := JoinIndexes(kind, testRefs, []*Index{x})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := joined.WriteTo(&out, Config{Level: 1}); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadIndex(out.Bytes(), kind, testRefs); err != nil {
			t.Errorf("what was read is not read again: %v", err)
		}
	})
}
