package inflate

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
)

// text makes n bytes that compress a little and do not repeat.
func text(n int) string {
	b := make([]byte, n)
	state := uint32(1)
	for i := range b {
		state = state*1664525 + 1013904223
		b[i] = "ACGTNacg"[state>>29]
	}
	return string(b)
}

func member(s string) string {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, 1)
	w.Name = "name"
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

func block(s string) string {
	var z bytes.Buffer
	w, _ := flate.NewWriter(&z, 1)
	io.WriteString(w, s)
	w.Close()
	head := []byte(eofBlock[:18])
	binary.LittleEndian.PutUint16(head[16:], uint16(18+z.Len()+8-1))
	return string(head) + z.String() + trailerOf(s)
}

func crc32Of(s string) uint32 { return crc32.ChecksumIEEE([]byte(s)) }

// trailerOf is what ends a member of s.
func trailerOf(s string) string {
	tail := binary.LittleEndian.AppendUint32(nil, crc32Of(s))
	return string(binary.LittleEndian.AppendUint32(tail, uint32(len(s))))
}

func blocks(s string, size int) string {
	var b strings.Builder
	for ; s != ""; s = s[min(size, len(s)):] {
		b.WriteString(block(s[:min(size, len(s))]))
	}
	return b.String() + eofBlock
}

// all reads a stream to its end and checks the chunks' offsets.
func all(t testing.TB, r io.Reader, name string, cfg Config) (string, error) {
	t.Helper()
	ctx := context.Background()
	s, err := Open(ctx, r, name, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out strings.Builder
	for {
		c, err := s.Next(ctx)
		if err != nil {
			if _, again := s.Next(ctx); again != err {
				t.Errorf("%s: the error changed from %v to %v", name, err, again)
			}
			if err == io.EOF {
				err = nil
			}
			return out.String(), err
		}
		if len(c.Data) == 0 || c.Off != int64(out.Len()) {
			t.Errorf("%s: %d bytes at %d, want some at %d", name, len(c.Data), c.Off, out.Len())
		}
		out.Write(c.Data)
		c.Release()
	}
}

func checkGoroutines(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for range 100 {
			if runtime.NumGoroutine() <= before {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
	})
}

func TestRoundTripsAtBlockAndChunkEdges(t *testing.T) {
	checkGoroutines(t)
	const chunk = minChunkBytes
	for _, n := range []int{0, 1, 17, chunk - 1, chunk, chunk + 1, 3*chunk - 1, 3 * chunk, 3*chunk + 1} {
		want := text(n)
		for kind, in := range map[string]string{
			"plain":          want,
			"gzip":           member(want),
			"gzip members":   member(want[:n/3]) + member("") + member(want[n/3:]),
			"BGZF":           blocks(want, 65280),
			"BGZF of 1021":   blocks(want, 1021),
			"BGZF full":      blocks(want, 64<<10),
			"BGZF then gzip": blocks(want[:n/2], 999) + member(want[n/2:]),
			"gzip then BGZF": member(want[:n/2]) + blocks(want[n/2:], 999),
		} {
			for _, wrap := range []func(io.Reader) io.Reader{nil, iotest.HalfReader, iotest.DataErrReader} {
				r := io.Reader(strings.NewReader(in))
				if wrap != nil {
					r = wrap(r)
				}
				got, err := all(t, r, "x", Config{ChunkBytes: chunk, Workers: 3, Depth: 1})
				if err != nil || got != want {
					t.Errorf("%s of %d: %d bytes, %v", kind, n, len(got), err)
				}
			}
		}
	}
}

func TestDamage(t *testing.T) {
	s := text(3000)
	whole := blocks(s, 1000)
	one := len(block(s[:1000]))
	flip := func(in string, at int) string {
		b := []byte(in)
		b[at] ^= 0x10
		return string(b)
	}
	for _, c := range []struct {
		name, in string
		want     error
		offset   int64
		plain    int // bytes before the error, -1 for any
	}{
		{"gzip cut in the data", member(s)[:500], ErrTruncated, 0, -1},
		{"gzip cut in the length", member(s)[:len(member(s))-1], ErrTruncated, 0, 3000},
		{"gzip cut in the name of a later member", member(s) + member(s)[:12], ErrTruncated, int64(len(member(s))), 3000},
		{"gzip with a bad CRC", flip(member(s), len(member(s))-8), ErrChecksum, 0, 3000},
		{"gzip with a bad length", flip(member(s), len(member(s))-4), ErrChecksum, 0, 3000},
		{"gzip and garbage", member(s) + "garbage", ErrTrailing, int64(len(member(s))), 3000},
		{"gzip and zeros", member(s) + "\x00\x00", ErrTrailing, int64(len(member(s))), 3000},
		{"gzip of an unknown method", "\x1f\x8b\x07" + member(s)[3:], ErrCorrupt, 0, 0},
		{"one byte of gzip", "\x1f", ErrTruncated, 0, 0},
		{"BGZF without its end", whole[:len(whole)-28], ErrNoEOF, int64(len(whole) - 28), 3000},
		{"BGZF cut between blocks", whole[:one], ErrNoEOF, int64(one), 1000},
		{"BGZF cut in a block", whole[:one+100], ErrTruncated, int64(one), 1000},
		{"BGZF cut in a header", whole[:one+5], ErrTruncated, int64(one), 1000},
		{"BGZF cut in its end", whole[:len(whole)-1], ErrTruncated, int64(len(whole) - 28), 3000},
		{"BGZF with a bad CRC", flip(whole, 2*one-8), nil, int64(one), 1000},
		{"BGZF with a bad length", flip(whole, one-4), errBlock, 0, 0},
		{"BGZF with a huge length", flip(whole, one-1), errBlock, 0, 0},
		{"BGZF and garbage", whole + "garbage", ErrTrailing, int64(len(whole)), 3000},
		{"bzip2", "BZh91AY&SY", ErrFormat, 0, 0},
		{"zstd", "\x28\xb5\x2f\xfd\x00", ErrFormat, 0, 0},
		{"xz", "\xfd7zXZ\x00\x00", ErrFormat, 0, 0},
	} {
		got, err := all(t, strings.NewReader(c.in), "x.fq.gz", Config{Workers: 2})
		var e *DataError
		if !errors.As(err, &e) || c.want != nil && !errors.Is(err, c.want) || e.File != "x.fq.gz" || e.Offset != c.offset {
			t.Errorf("%s: got %v, want %v at %d", c.name, err, c.want, c.offset)
		}
		if c.plain >= 0 && got != s[:c.plain] {
			t.Errorf("%s: %d bytes before the error, want %d", c.name, len(got), c.plain)
		}
	}
}

func TestEmptyInput(t *testing.T) {
	if _, err := all(t, strings.NewReader(""), "x.fq", Config{}); err != nil {
		t.Errorf("an empty file: %v", err)
	}
	if _, err := all(t, strings.NewReader(""), "x.fq.GZ", Config{}); !errors.Is(err, ErrTruncated) {
		t.Errorf("an empty file that should be gzip: %v", err)
	}
}

func TestEveryCutIsAnError(t *testing.T) {
	s := text(400)
	for kind, in := range map[string]string{"gzip": member(s), "BGZF": blocks(s, 150)} {
		for n := 1; n < len(in); n++ {
			got, err := all(t, strings.NewReader(in[:n]), kind, Config{})
			var e *DataError
			if !errors.As(err, &e) || !strings.HasPrefix(s, got) {
				t.Errorf("%s cut at %d: %d bytes, %v", kind, n, len(got), err)
			}
		}
	}
}

func TestDeviceErrorComesAsItIs(t *testing.T) {
	broken := errors.New("no more disk")
	s := text(200_000)
	for kind, in := range map[string]string{"plain": s, "gzip": member(s), "BGZF": blocks(s, 999)} {
		r := io.MultiReader(strings.NewReader(in[:len(in)/2]), iotest.ErrReader(broken))
		got, err := all(t, r, kind, Config{})
		var e *DataError
		if !errors.Is(err, broken) || errors.As(err, &e) || !strings.HasPrefix(s, got) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	stuck := readerFunc(func([]byte) (int, error) { return 0, nil })
	if _, err := all(t, stuck, "stuck", Config{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestCloseAtAnyTime stops streams after some chunks, and with chunks still held.
func TestCloseAtAnyTime(t *testing.T) {
	checkGoroutines(t)
	s := text(1 << 20)
	for kind, in := range map[string]string{"plain": s, "gzip": member(s), "BGZF": blocks(s, 9999)} {
		for n := range 4 {
			st, err := Open(t.Context(), strings.NewReader(in), kind, Config{ChunkBytes: minChunkBytes, Workers: 2, Depth: 2})
			if err != nil {
				t.Fatal(err)
			}
			var held []*Chunk
			for range n {
				c, err := st.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				held = append(held, c)
			}
			st.Close()
			for _, c := range held {
				c.Release()
			}
		}
	}
}

func TestNextEndsWithTheContext(t *testing.T) {
	checkGoroutines(t)
	in, w := io.Pipe()
	s, _ := Open(t.Context(), in, "pipe", Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Next = %v", err)
	}
	w.Close() // the device ends, and with it the last goroutine
	s.Close()
}

func TestDecodeBlock(t *testing.T) {
	for _, n := range []int{0, 1, 1000, 64 << 10} {
		s := text(n)
		got, err := DecodeBlock([]byte("before"), []byte(block(s)))
		if err != nil || string(got) != "before"+s {
			t.Errorf("%d: %d bytes, %v", n, len(got), err)
		}
	}
	b := block(text(100))
	for i := range len(b) {
		if _, err := DecodeBlock(nil, []byte(b[:i])); err == nil {
			t.Errorf("a block cut at %d was taken", i)
		}
	}
	if _, err := DecodeBlock(nil, []byte(b+"x")); err == nil {
		t.Error("a block with a byte more was taken")
	}
}

func TestMemoryBoundGrowsWithWhatItCounts(t *testing.T) {
	a := Config{Workers: 1}.MemoryBound()
	b := Config{Workers: 4}.MemoryBound()
	if a <= 0 || b <= a || a > 4<<20 {
		t.Errorf("bounds %d and %d", a, b)
	}
}

func BenchmarkStream(b *testing.B) {
	s := text(8 << 20)
	for kind, in := range map[string]string{"plain": s, "gzip": member(s), "BGZF": blocks(s, 65280)} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("format=%s/workers=%d", kind, workers), func(b *testing.B) {
				b.SetBytes(int64(len(s)))
				for b.Loop() {
					st, _ := Open(context.Background(), strings.NewReader(in), kind, Config{Workers: workers})
					for c, err := st.Next(context.Background()); err == nil; c, err = st.Next(context.Background()) {
						c.Release()
					}
					st.Close()
				}
			})
		}
	}
}
