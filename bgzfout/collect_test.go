package bgzfout

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/meter"
)

// withLong puts records of several blocks among others.
func withLong(recs []testRec) []testRec {
	rng := rand.New(rand.NewPCG(5, 5))
	var out []testRec
	for i, r := range recs {
		out = append(out, r)
		if i%400 != 7 {
			continue
		}
		n := payload/2 + rng.IntN(3*payload)
		cigar := []uint32{50 << 4, uint32(n)<<4 | 4} // a soft clip: long, and short on the reference
		ref, pos := int32(r.key>>32), int32(uint32(r.key))>>1
		if r.key == ^uint64(0) {
			ref, pos = -1, -1
		}
		out = append(out, placed(rng, ref, pos, 0, cigar))
	}
	return out
}

// TestStableRecordsMakeTheSameFile: who copies a record does not matter, and each is visited once.
func TestStableRecordsMakeTheSameFile(t *testing.T) {
	recs := withLong(randomRecords(11, testRefs, 3000))
	want, wantIndex := bamBytes(t, testRefs, recs, BAI, Config{Level: 1})
	for _, workers := range []int{1, 3} {
		var dst, idx bytes.Buffer
		seen := make([]atomic.Int32, len(recs))
		visit := func(worker int, tag uint64, rec []byte) {
			if worker < 0 || worker > workers || !bytes.Equal(rec, recs[tag].data) {
				t.Errorf("worker %d got the wrong record for tag %d", worker, tag)
			}
			seen[tag].Add(1)
		}
		b, err := NewBAM(&dst, testHeader(testRefs), testRefs, BAI, Config{Level: 1, Workers: workers, Visit: visit})
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range recs {
			if err := b.AddRecord(Record{Data: r.data, Tag: uint64(i), Stable: i%3 > 0}); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(b.Close(), b.WriteIndex(&idx)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(dst.Bytes(), want) || !bytes.Equal(idx.Bytes(), wantIndex) {
			t.Errorf("workers=%d: another file or index", workers)
		}
		for i := range seen {
			if n := seen[i].Load(); n != 1 {
				t.Fatalf("record %d was visited %d times", i, n)
			}
		}
	}
}

// TestVisitMayChangeRecords: a flag set by Visit is in the file, for records of any size.
func TestVisitMayChangeRecords(t *testing.T) {
	recs := withLong(randomRecords(12, testRefs, 900))
	marked := make([]testRec, len(recs))
	for i, r := range recs {
		marked[i] = testRec{slices.Clone(r.data), r.key}
		if i%2 == 0 {
			setDuplicate(marked[i].data)
		}
	}
	want, _ := bamBytes(t, testRefs, marked, BAI, Config{Level: 1})
	var dst bytes.Buffer
	visit := func(_ int, tag uint64, rec []byte) {
		if tag%2 == 0 {
			setDuplicate(rec)
		}
	}
	b, err := NewBAM(&dst, testHeader(testRefs), testRefs, BAI, Config{Level: 1, Workers: 2, Visit: visit})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range recs {
		if err := b.AddRecord(Record{Data: slices.Clone(r.data), Tag: uint64(i), Stable: i%3 > 0}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(dst.Bytes(), want) {
		t.Error("the file has not what Visit made of the records")
	}
}

func setDuplicate(rec []byte) {
	binary.LittleEndian.PutUint16(rec[18:], bamrec.Flag(rec[4:])|0x400)
}

// TestSeveralWritersMakeTheSameFile: blocks are written wherever they belong, by whoever is free.
func TestSeveralWritersMakeTheSameFile(t *testing.T) {
	recs := withLong(randomRecords(13, testRefs, 20_000))
	for _, level := range []int{0, 1} {
		want, _ := bamBytes(t, testRefs, recs, BAI, Config{Level: level})
		for _, writers := range []int{2, 4, 9} {
			f, err := os.Create(filepath.Join(t.TempDir(), "out.bam"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			b, err := NewBAM(f, testHeader(testRefs), testRefs, BAI, Config{Level: level, Workers: 2, Writers: writers})
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
			if got, err := os.ReadFile(f.Name()); err != nil || !bytes.Equal(got, want) {
				t.Errorf("level=%d writers=%d: another file (%v)", level, writers, err)
			}
		}
	}
}

func TestSeveralWritersNeedAFile(t *testing.T) {
	w := NewWriter(&bytes.Buffer{}, Config{Writers: 2})
	if err := w.Close(); !errors.Is(err, errNotAFile) {
		t.Errorf("Close = %v", err)
	}
}

// brokenAt is a file that takes no byte from some place on.
type brokenAt struct {
	mu   sync.Mutex
	data []byte
	from int64
}

var errBroken = errors.New("broken")

func (f *brokenAt) Write(p []byte) (int, error) { return 0, errBroken }

func (f *brokenAt) WriteAt(p []byte, at int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at+int64(len(p)) > f.from {
		return 0, errBroken
	}
	f.data = append(f.data, make([]byte, max(0, at+int64(len(p))-int64(len(f.data))))...)
	copy(f.data[at:], p)
	return len(p), nil
}

// TestSeveralWritersOnABrokenDisk: an error of any writer is the file's, which then has no end.
func TestSeveralWritersOnABrokenDisk(t *testing.T) {
	recs := randomRecords(14, testRefs, 12_000)
	whole, _ := bamBytes(t, testRefs, recs, None, Config{})
	for from := int64(0); from <= int64(len(whole)); from += int64(len(whole)/7) - 1 {
		f := &brokenAt{from: min(from, int64(len(whole))-1)}
		b, err := NewBAM(f, testHeader(testRefs), testRefs, None, Config{Workers: 2, Writers: 3})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range recs {
			if b.Add(r.data) != nil {
				break
			}
		}
		if err := b.Close(); !errors.Is(err, errBroken) {
			t.Errorf("from=%d: Close = %v", from, err)
		}
		if bytes.HasSuffix(f.data, eofBlock) {
			t.Errorf("from=%d: the file ends as if it were whole", from)
		}
	}
}

// TestDrainLeavesOnlyTheEnd: all is written and visited, and the file has no end yet, which Abort leaves so.
func TestDrainLeavesOnlyTheEnd(t *testing.T) {
	recs := randomRecords(15, testRefs, 2000)
	want, _ := bamBytes(t, testRefs, recs, BAI, Config{Level: 1})
	for _, whole := range []bool{false, true} {
		var dst bytes.Buffer
		var seen atomic.Int64
		b, err := NewBAM(&dst, testHeader(testRefs), testRefs, BAI, Config{Level: 1, Visit: func(int, uint64, []byte) { seen.Add(1) }})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range recs {
			if err := b.Add(r.data); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(b.Drain(), b.Drain()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(dst.Bytes(), want[:len(want)-len(eofBlock)]) || seen.Load() != int64(len(recs)) || b.WriteIndex(&dst) == nil {
			t.Errorf("after Drain: %d bytes of %d, %d records of %d visited", dst.Len(), len(want), seen.Load(), len(recs))
		}
		if b.Add(recs[0].data) != ErrClosed {
			t.Error("Add after Drain")
		}
		if !whole {
			b.Abort(nil)
			if b.Close() == nil || bytes.HasSuffix(dst.Bytes(), eofBlock) {
				t.Error("an aborted file has an end")
			}
			continue
		}
		if err := b.Close(); err != nil || !bytes.Equal(dst.Bytes(), want) {
			t.Errorf("after Close: %v", err)
		}
	}
}

// TestEveryRecordIsCollected: the account of collecting has all records, also those of several blocks.
func TestEveryRecordIsCollected(t *testing.T) {
	recs := withLong(randomRecords(16, testRefs, 2000))
	var size int64
	for _, r := range recs {
		size += int64(len(r.data))
	}
	st := meter.NewStage("collect", meter.KindCPU, 1)
	b, err := NewBAM(io.Discard, testHeader(testRefs), testRefs, BAI, Config{Workers: 2, CollectStage: st})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range recs {
		if err := b.AddRecord(Record{Data: r.data, Stable: i%3 > 0}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if s := st.Snapshot(); s.Items != int64(len(recs)) || s.BytesIn != size {
		t.Errorf("%d records of %d, %d bytes of %d", s.Items, len(recs), s.BytesIn, size)
	}
}
