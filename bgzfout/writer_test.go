package bgzfout

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/biogo/hts/bgzf"
	"github.com/google/go-cmp/cmp"

	"github.com/alignpipe/alignpipe/internal/meter"
)

func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i*i>>3 + i)
	}
	return p
}

// blockSizes returns the payload of each block.
func blockSizes(t *testing.T, file []byte) (sizes []int) {
	t.Helper()
	for len(file) > 0 {
		n := int(binary.LittleEndian.Uint16(file[16:])) + 1
		sizes = append(sizes, int(binary.LittleEndian.Uint32(file[n-4:])))
		file = file[n:]
	}
	return sizes
}

func TestWriterBlockBorders(t *testing.T) {
	const p = payload
	tests := []struct {
		name    string
		records []int
		want    []int // payload of each block; the last is the EOF block
	}{
		{"nothing", nil, []int{0}},
		{"an empty record", []int{0}, []int{0}},
		{"one byte short of a block", []int{p - 1, 1, 1}, []int{p, 1, 0}},
		{"one byte short, then two", []int{p - 1, 2}, []int{p - 1, 2, 0}},
		{"exactly a block", []int{p, 1}, []int{p, 1, 0}},
		{"exactly two blocks of one record", []int{2 * p}, []int{p, p, 0}},
		{"one byte more than a block", []int{p + 1, 10}, []int{p, 11, 0}},
		{"a huge record after a small one", []int{10, 3*p + 5, 10}, []int{10, p, p, p, 15, 0}},
		{"records that fill a block together", []int{p / 2, p / 2, 1}, []int{p, 1, 0}},
		{"an empty record at a full block", []int{p, 0, 1}, []int{p, 1, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var dst bytes.Buffer
			var want []byte
			w := NewWriter(&dst, Config{Level: 1, Workers: 2})
			for _, n := range tt.records {
				want = append(want, pattern(n)...)
				if err := w.WriteRecord(pattern(n)); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, blockSizes(t, dst.Bytes())); diff != "" {
				t.Errorf("blocks (-want +got):\n%s", diff)
			}
			r, err := bgzf.NewReader(&dst, 1)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
				t.Errorf("biogo reads other bytes, or %v", err)
			}
		})
	}
}

func TestWriterSameBytesForAnyWorkers(t *testing.T) {
	for _, level := range []int{0, 1, 5, 9} {
		var want []byte
		for _, cfg := range []Config{{Workers: 1}, {Workers: 2, InFlight: 4}, {Workers: 7}, {Workers: 7, InFlight: 64}} {
			cfg.Level = level
			var dst bytes.Buffer
			w := NewWriter(&dst, cfg)
			for i := range 500 {
				w.WriteRecord(pattern(1 + i*37%5000))
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = dst.Bytes()
			}
			if !bytes.Equal(want, dst.Bytes()) {
				t.Errorf("level=%d %+v: other bytes than with one worker", level, cfg)
			}
		}
	}
}

// The disk fills after any number of bytes: the error comes back, nothing hangs, and what is
// there does not end like a whole file.
func TestWriterDiskFull(t *testing.T) {
	write := func(dst io.Writer, workers int) error {
		w := NewWriter(dst, Config{Level: 1, Workers: workers, InFlight: workers + 2})
		for i := range 12 {
			if w.WriteRecord(pattern(30_000+i)) != nil {
				break
			}
		}
		err := w.Close()
		if again := w.Close(); again != err {
			t.Errorf("Close again = %v, first %v", again, err)
		}
		return err
	}
	for _, workers := range []int{1, 3} {
		whole := &failAfter{limit: 1 << 30}
		if err := write(whole, workers); err != nil {
			t.Fatal(err)
		}
		size := whole.buf.Len()
		step := max(1, size/25)
		limits := []int{0, 1, size - 29, size - 28, size - 27, size - 1}
		for limit := step; limit < size; limit += step {
			limits = append(limits, limit)
		}
		for _, limit := range limits {
			synctest.Test(t, func(t *testing.T) {
				dst := &failAfter{limit: limit}
				if err := write(dst, workers); !errors.Is(err, errDiskFull) {
					t.Errorf("workers=%d limit=%d: Close = %v", workers, limit, err)
				}
				if bytes.HasSuffix(dst.buf.Bytes(), eofBlock) {
					t.Errorf("workers=%d limit=%d: EOF block after an error", workers, limit)
				}
			})
		}
	}
}

// An error in the middle of a long stream reaches the writer, who does not wait for ever.
func TestWriterReportsErrorsWhileWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWriter(&failAfter{limit: 100_000}, Config{Workers: 2})
		var err error
		for n := 0; err == nil; n++ {
			if n > 1000 {
				t.Fatal("a thousand records after the disk filled, and no error")
			}
			err = w.WriteRecord(pattern(60_000))
		}
		if !errors.Is(err, errDiskFull) || !errors.Is(w.Flush(), errDiskFull) {
			t.Errorf("WriteRecord = %v", err)
		}
		if !errors.Is(w.Close(), errDiskFull) {
			t.Error("Close forgot the error")
		}
	})
}

func TestWriterShortWrite(t *testing.T) {
	w := NewWriter(iotest.TruncateWriter(io.Discard, 0), Config{})
	w.WriteRecord([]byte("x"))
	if err := w.Close(); err != nil {
		t.Fatal(err) // TruncateWriter claims success
	}
	w = NewWriter(shortWriter{}, Config{})
	w.WriteRecord([]byte("x"))
	if err := w.Close(); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("Close = %v, want a short write", err)
	}
}

type shortWriter struct{}

func (shortWriter) Write(p []byte) (int, error) { return len(p) / 2, nil }

func TestWriterAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errStop := errors.New("stop")
		var dst bytes.Buffer
		w := NewWriter(&dst, Config{Workers: 2})
		for range 50 {
			w.WriteRecord(pattern(50_000))
		}
		w.Abort(errStop)
		w.Abort(nil)
		if err := w.WriteRecord([]byte("x")); err != errStop {
			t.Errorf("WriteRecord after Abort = %v", err)
		}
		if err := w.Close(); err != errStop {
			t.Errorf("Close after Abort = %v", err)
		}
		if bytes.HasSuffix(dst.Bytes(), eofBlock) {
			t.Error("EOF block after Abort")
		}
		w = NewWriter(&dst, Config{})
		w.Abort(nil)
		if w.Err() != ErrAborted {
			t.Errorf("Err = %v", w.Err())
		}
	})
}

func TestWriterMisuse(t *testing.T) {
	w := NewWriter(io.Discard, Config{})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.Abort(errDiskFull)
	if err := w.WriteRecord([]byte("x")); err != ErrClosed {
		t.Errorf("WriteRecord after Close = %v", err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("Close again = %v", err)
	}
	for _, level := range []int{-1, 10} {
		w := NewWriter(io.Discard, Config{Level: level})
		if w.WriteRecord([]byte("x")) == nil || w.Close() == nil {
			t.Errorf("level %d was taken", level)
		}
	}
}

func TestWriterStages(t *testing.T) {
	call := meter.NewStage("merge", meter.KindCPU, 1)
	deflate := meter.NewStage(meter.NameDeflate, meter.KindCPU, 2)
	write := meter.NewStage(meter.NameWrite, meter.KindDeviceWrite, 1)
	var dst bytes.Buffer
	w := NewWriter(&dst, Config{Level: 1, Workers: 2, CallStage: call, CompressStage: deflate, WriteStage: write})
	for range 100 {
		w.WriteRecord(pattern(1000))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	d, wr := deflate.Snapshot(), write.Snapshot()
	if d.Items != 100 || d.BytesIn != 100_000 || wr.Items != 100 || wr.BytesOut != int64(dst.Len()) {
		t.Errorf("deflate %+v\nwrite %+v", d, wr)
	}
	if got := d.BytesOut + int64(len(eofBlock)); got != wr.BytesOut {
		t.Errorf("compressed %d bytes, wrote %d", got, wr.BytesOut)
	}
}

func BenchmarkWriter(b *testing.B) {
	recs := randomRecords(1, testRefs, 2000)
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			bam, err := NewBAM(io.Discard, testHeader(testRefs), testRefs, None, Config{Level: 1, Workers: workers})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				rec := recs[i%len(recs)].data
				b.SetBytes(int64(len(rec)))
				bam.Add(rec)
			}
			bam.Close()
		})
	}
}
