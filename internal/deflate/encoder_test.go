package deflate

import (
	"bytes"
	stdflate "compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/flate"
)

func mustNew(t testing.TB, level int) *Encoder {
	t.Helper()
	e, err := New(level)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// check compresses src, and holds the block against all that Append promises.
func check(t testing.TB, e *Encoder, src []byte) []byte {
	t.Helper()
	got := e.Append([]byte("before"), src)
	if string(got[:6]) != "before" {
		t.Fatalf("level %d: what dst held is overwritten", e.level)
	}
	got = got[6:]
	if len(got) > len(src)+Overhead {
		t.Fatalf("level %d: %d bytes became %d", e.level, len(src), len(got))
	}
	in := bytes.NewReader(got)
	back, err := io.ReadAll(stdflate.NewReader(in))
	if err != nil || !bytes.Equal(back, src) {
		t.Fatalf("level %d: %d bytes come back from compress/flate as %d others: %v", e.level, len(src), len(back), err)
	}
	if in.Len() > 0 {
		t.Fatalf("level %d: %d bytes after the block", e.level, in.Len())
	}
	back, err = io.ReadAll(flate.NewReader(bytes.NewReader(got)))
	if err != nil || !bytes.Equal(back, src) {
		t.Fatalf("level %d: %d bytes come back from klauspost/compress as %d others: %v", e.level, len(src), len(back), err)
	}
	return got
}

// edgeSizes are around those where code paths begin and end.
var edgeSizes = []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 24, 31, 32, 63, 64, 257, 258, 259, 260, 266, 267, 516, 517,
	32767, 32768, 32769, 32776, 65279, 65280}

func TestRoundTripAtEdges(t *testing.T) {
	for level := range 10 {
		e := mustNew(t, level)
		for _, size := range edgeSizes {
			for _, p := range patterns {
				check(t, e, p.make(size))
			}
		}
	}
}

// Runs and periods test matches that overlap themselves, of every length and symbol.
func TestRoundTripOfPeriods(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, level := range []int{1, 3, 6} {
		e := mustNew(t, level)
		for period := 1; period <= 300; period++ {
			check(t, e, periodic(rng, 1500+rng.IntN(1000), period))
		}
	}
}

// Two equal stretches at each distance around a power of two, and at the farthest.
func TestRoundTripOfDistances(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, level := range []int{1, 6} {
		e := mustNew(t, level)
		for bit := 3; bit < 16; bit++ {
			for _, off := range []int{-1, 0, 1, 2} {
				d := 1<<bit + off
				src := make([]byte, d+40)
				fill(rng, src)
				copy(src[d:], src[:min(d, 40)])
				check(t, e, src)
			}
		}
	}
}

func TestRoundTripOfRandomMixtures(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	cases := 3000
	if testing.Short() {
		cases = 300
	}
	for level := 1; level < 10; level++ {
		e := mustNew(t, level)
		for range cases / 9 {
			check(t, e, mixture(rng, rng.IntN(3000)))
		}
	}
}

// A block must not depend on what the encoder saw before.
func TestAppendIgnoresHistory(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for level := range 10 {
		used := mustNew(t, level)
		for _, size := range []int{0, 5, 100, 3000, MaxInput} {
			used.Append(nil, mixture(rng, MaxInput))
			src := mixture(rng, size)
			if !bytes.Equal(used.Append(nil, src), mustNew(t, level).Append(nil, src)) {
				t.Fatalf("level %d, %d bytes: block differs from a fresh encoder's", level, size)
			}
		}
	}
}

// A word is loaded 8 bytes at a time: what lies behind the input must not tell.
func TestAppendIgnoresWhatFollows(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for _, level := range []int{1, 2, 3, 6, 9} {
		e := mustNew(t, level)
		for range 300 {
			n := rng.IntN(200)
			src := periodic(rng, n+300, 1+rng.IntN(40))
			want := e.Append(nil, bytes.Clone(src[:n])) // what follows goes on with the period, or not
			if !bytes.Equal(e.Append(nil, src[:n]), want) {
				t.Fatalf("level %d, %d bytes: block depends on what follows", level, n)
			}
		}
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	src := mixture(rng, MaxInput)
	for level := range 10 {
		e, dst := mustNew(t, level), make([]byte, 0, MaxInput+Overhead+8)
		if n := testing.AllocsPerRun(5, func() { e.Append(dst, src) }); n > 0 {
			t.Errorf("level %d: %g allocations per block", level, n)
		}
	}
}

func TestLevelsGetSmaller(t *testing.T) {
	src := records(rand.New(rand.NewPCG(13, 14)), MaxInput)
	last := len(src)
	for level := 1; level < 10; level++ {
		n := len(check(t, mustNew(t, level), src))
		if n > last+last/200 {
			t.Errorf("level %d makes %d bytes, the one below %d", level, n, last)
		}
		last = n
	}
}

// On records the blocks must be no larger than those of the library used before.
func TestSizeAgainstOthers(t *testing.T) {
	src := records(rand.New(rand.NewPCG(15, 16)), MaxInput)
	for _, level := range []int{1, 6} {
		var other bytes.Buffer
		w, _ := flate.NewWriter(&other, level)
		w.Write(src)
		w.Close()
		if n := len(mustNew(t, level).Append(nil, src)); n > other.Len() {
			t.Errorf("level %d: %d bytes, of klauspost/compress %d", level, n, other.Len())
		}
	}
}

func TestNewRefusesLevels(t *testing.T) {
	for _, level := range []int{-1, 10} {
		if _, err := New(level); err == nil {
			t.Errorf("level %d was taken", level)
		}
	}
}

func TestAppendPanicsBeyondMaxInput(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an input beyond the limit was taken")
		}
	}()
	mustNew(t, 1).Append(nil, make([]byte, MaxInput+1))
}

func FuzzEncode(f *testing.F) {
	rng := rand.New(rand.NewPCG(17, 18))
	for _, p := range patterns {
		f.Add(byte(1), p.make(100))
	}
	f.Add(byte(6), mixture(rng, 2000))
	f.Add(byte(9), records(rng, 2000))
	encoders := map[byte]*Encoder{}
	f.Fuzz(func(t *testing.T, level byte, src []byte) {
		level %= 10
		if encoders[level] == nil {
			encoders[level] = mustNew(t, int(level))
		}
		check(t, encoders[level], src[:min(len(src), MaxInput)])
	})
}

func BenchmarkAppend(b *testing.B) {
	src := records(rand.New(rand.NewPCG(19, 20)), MaxInput)
	dst := make([]byte, 0, MaxInput+Overhead+8)
	for _, level := range []int{1, 2, 3, 4, 6, 9} {
		b.Run(fmt.Sprintf("level=%d", level), func(b *testing.B) {
			e := mustNew(b, level)
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				e.Append(dst, src)
			}
		})
	}
}

// What is written must be what was planned: the room in dst depends on it.
func TestBlocksTakeWhatWasPlanned(t *testing.T) {
	rng := rand.New(rand.NewPCG(27, 28))
	for level := 1; level < 10; level++ {
		e := mustNew(t, level)
		for range 200 {
			src := mixture(rng, rng.IntN(4000))
			n := e.parse(src)
			for _, fixed := range []bool{false, true} {
				want := blockHeader + e.head.bits + e.size(&e.lens)
				if fixed {
					want = blockHeader + e.size(&fixedLens)
				}
				w := bitWriter{out: make([]byte, want/8+1+endBits)}
				e.write(&w, n, fixed)
				if got := w.at*8 + int(w.held); got != want {
					t.Fatalf("level %d, fixed %v: %d bits, planned %d", level, fixed, got, want)
				}
			}
		}
	}
}
