package reader

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestContainersGiveTheSameReadsAndBatches(t *testing.T) {
	checkGoroutines(t)
	text := records(2500, 0) // several chunks
	base := from(text)
	base.BatchBases = 4000
	want := run(t, base)
	if want.err != nil || len(want.reads) != 2500 || want.sum.Count != 2500 || len(want.borders) < 10 {
		t.Fatalf("plain: %d reads, %d batches, sum %v, %v", len(want.reads), len(want.borders), want.sum, want.err)
	}
	half := len(text) / 2
	for name, r := range map[string]io.Reader{
		"gzip, one member":        strings.NewReader(gzipped(text, len(text))),
		"gzip, many members":      strings.NewReader(gzipped(text, 7777)),
		"BGZF":                    strings.NewReader(bgzipped(text, 65280)),
		"BGZF, small blocks":      strings.NewReader(bgzipped(text, 301)),
		"BGZF, then gzip":         strings.NewReader(bgzipped(text[:half], 5000) + gzipped(text[half:], 9000)),
		"gzip, then BGZF":         strings.NewReader(gzipped(text[:half], 9000) + bgzipped(text[half:], 5000)),
		"BGZF twice":              strings.NewReader(bgzipped(text[:half], 5000) + bgzipped(text[half:], 5000)),
		"plain by halves":         iotest.HalfReader(strings.NewReader(text)),
		"gzip, end with the data": iotest.DataErrReader(strings.NewReader(gzipped(text, 7777))),
		"BGZF by single bytes":    iotest.OneByteReader(strings.NewReader(bgzipped(text, 5000))),
	} {
		for _, workers := range []int{1, 3} {
			cfg := Config{Paths: []string{"-"}, Stdin: r, BatchBases: 4000, InFlight: 3, InflateWorkers: workers}
			got := run(t, cfg)
			if got.err != nil || !slices.Equal(got.reads, want.reads) || got.sum != want.sum || !slices.Equal(got.borders, want.borders) {
				t.Errorf("%s: %d reads, sum %v, %v; want %d, %v", name, len(got.reads), got.sum, got.err, len(want.reads), want.sum)
			}
			s, ok := r.(io.Seeker)
			if !ok {
				break
			}
			s.Seek(0, io.SeekStart)
		}
	}
}

// TestChunkEdges puts the edge between two chunks before every byte: a change from a gzip member
// to BGZF ends a chunk.
func TestChunkEdges(t *testing.T) {
	text := "@a/1 c\nACGT\n+a/1 c\nIIII\n@b\r\nAC\r\nGT\r\n+\r\n@I\r\n+I\r\n@c\n\n+\n\n@d\nN\n+\n!\n\n"
	want := run(t, from(text))
	if want.err != nil || len(want.reads) != 4 {
		t.Fatalf("%q, %v", want.reads, want.err)
	}
	bad := text[:len(text)-3] + "\x7f\n"
	wantBad := run(t, from(bad))
	for i := range len(text) {
		if got := run(t, from(gzipped(text[:i], i+1)+bgzipped(text[i:], 100))); got.err != nil || got.sum != want.sum {
			t.Errorf("edge at %d: %q, %v", i, got.reads, got.err)
		}
		if i >= len(bad) {
			continue
		}
		got := run(t, from(gzipped(bad[:i], i+1)+bgzipped(bad[i:], 100)))
		if got.err == nil || got.err.Error() != wantBad.err.Error() {
			t.Errorf("edge at %d: %v, want %v", i, got.err, wantBad.err)
		}
	}
}

func TestTruncationIsNeverAnEnd(t *testing.T) {
	text := records(6, 0) // whose gzip members do not end where a record does
	want := run(t, from(text))
	for name, whole := range map[string]string{
		"gzip":  gzipped(text, 200),
		"BGZF":  bgzipped(text, 200),
		"mixed": bgzipped(text[:300], 100) + gzipped(text[300:], 100) + bgzipped("", 1),
	} {
		for n := 1; n < len(whole); n++ {
			res := run(t, from(whole[:n]))
			switch {
			case res.err == nil && res.sum != want.sum:
				t.Errorf("%s cut at %d: a clean end after %d reads", name, n, len(res.reads))
			case res.err == nil && name != "mixed": // there, all is said before the last block
				t.Errorf("%s cut at %d: no error", name, n)
			case res.err != nil && !errors.Is(res.err, ErrInput):
				t.Errorf("%s cut at %d: %v is not ErrInput", name, n, res.err)
			}
		}
	}
}

func TestFlippedBitsNeverLoseReads(t *testing.T) {
	text := records(1, 0)
	want := run(t, from(text))
	for name, whole := range map[string]string{"gzip": gzipped(text, 60), "BGZF": bgzipped(text, 60)} {
		harmless := 0
		for i := range 8 * len(whole) {
			b := []byte(whole)
			b[i/8] ^= 1 << (i % 8)
			res := run(t, from(string(b)))
			switch {
			case res.err == nil && res.sum != want.sum:
				t.Errorf("%s, bit %d: other reads without an error", name, i)
			case res.err == nil:
				harmless++ // time, operating system and such in a header
			case !errors.Is(res.err, ErrInput):
				t.Errorf("%s, bit %d: %v is not ErrInput", name, i, res.err)
			}
		}
		if harmless > 8*len(whole)/2 {
			t.Errorf("%s: %d of %d bits do not matter", name, harmless, 8*len(whole))
		}
	}
}

func TestDeviceErrorIsNotBadData(t *testing.T) {
	checkGoroutines(t)
	broken := errors.New("the disk is gone")
	text := records(100, 0)
	for name, data := range map[string]string{"plain": text, "gzip": gzipped(text, 999), "BGZF": bgzipped(text, 999)} {
		r := io.MultiReader(strings.NewReader(data[:len(data)/2]), iotest.ErrReader(broken))
		res := run(t, Config{Paths: []string{"-"}, Stdin: r})
		if !errors.Is(res.err, broken) || errors.Is(res.err, ErrInput) {
			t.Errorf("%s: %v", name, res.err)
		}
	}
}
