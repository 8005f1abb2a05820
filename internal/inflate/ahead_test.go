//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import (
	"bytes"
	"cmp"
	stdflate "compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// fate is what became of an input.
type fate struct {
	plain string
	err   string
	luck  luck // of the guesses
}

// smallReads is a device that gives few bytes at a time, so that the decoder has not taken them
// all when others begin to decode ahead.
type smallReads struct {
	rest string
	most int
}

func (r *smallReads) Read(p []byte) (int, error) {
	if r.rest == "" {
		return 0, io.EOF
	}
	n := copy(p, r.rest[:min(r.most, len(r.rest))])
	r.rest = r.rest[n:]
	return n, nil
}

// fateOf reads in with a configuration.
func fateOf(t testing.TB, in string, cfg Config) (f fate) {
	t.Helper()
	s, err := Open(context.Background(), &smallReads{in, cmp.Or(cfg.pieces.bytes, rawBytes)}, "x.gz", cfg)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for {
		c, err := s.Next(context.Background())
		if err != nil {
			if err != io.EOF {
				f.err = err.Error()
			}
			break
		}
		if len(c.Data) == 0 || c.Off != int64(out.Len()) {
			t.Fatalf("%d bytes at %d, want some at %d", len(c.Data), c.Off, out.Len())
		}
		out.Write(c.Data)
		c.Release()
	}
	s.Close()
	f.plain = out.String()
	if s.src.ahead != nil {
		f.luck = s.src.ahead.luck
	}
	return f
}

// sameAhead has in decoded alone and ahead, and wants the same bytes and the same error.
func sameAhead(t testing.TB, name, in string, pieces tuning) fate {
	t.Helper()
	alone := fateOf(t, in, Config{Workers: 1, ChunkBytes: minChunkBytes})
	got := fateOf(t, in, Config{Workers: 4, ChunkBytes: minChunkBytes, pieces: pieces})
	if got.err != alone.err {
		t.Errorf("%s, %v: error %q, alone %q", name, pieces, got.err, alone.err)
	}
	if got.plain != alone.plain {
		t.Errorf("%s, %v: %d bytes, alone %d, and not the same", name, pieces, len(got.plain), len(alone.plain))
	}
	return got
}

// gzipped makes a member of s with the standard library, with a flush after every so many bytes,
// or none.
func gzipped(t testing.TB, s string, level, flush int) string {
	t.Helper()
	var b bytes.Buffer
	w, err := stdflate.NewWriter(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(s); {
		to := len(s)
		if flush > 0 {
			to = min(to, at+flush)
		}
		io.WriteString(w, s[at:to])
		if at = to; flush > 0 {
			w.Flush()
		}
	}
	w.Close()
	return "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + b.String() + trailerOf(s)
}

// deflateMember makes a member of DEFLATE data.
func deflateMember(t testing.TB, data []byte) string {
	t.Helper()
	plain, _, err := newOracle().inflate(data)
	if err != nil {
		t.Fatal(err)
	}
	return "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + string(data) + trailerOf(string(plain))
}

// fixedBlocks is DEFLATE data of blocks with the fixed code only.
func fixedBlocks(n int) []byte {
	w := new(bitWriter)
	r := rand.New(rand.NewPCG(9, 9))
	for have := 0; have < n; {
		final := uint64(0)
		if have > n-3000 {
			final = 1
		}
		w.put(final|1<<1, 3)
		for _, tok := range randomTokens(r, 3000, have) {
			putToken(w, &fixedLit, &fixedDist, tok)
			have += max(1, tok.length)
		}
		fixedLit.put(w, 256)
		if final == 1 {
			break
		}
	}
	w.align()
	return w.b
}

// aheadInputs are whole files of all kinds.
func aheadInputs(t testing.TB) map[string]string {
	reads := string(fastq(200_000+some(400_000), 40))
	r := rand.New(rand.NewPCG(3, 4))
	noise := make([]byte, 300_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	small := gzipped(t, reads[:50_000], 6, 0)
	in := map[string]string{
		"flushed often":             gzipped(t, reads, 6, 1000),
		"flushed often, level 1":    gzipped(t, reads, 1, 600),
		"members of small blocks":   strings.Repeat(gzipped(t, reads[:40_000], 6, 2000), 10),
		"small blocks of zeros too": gzipped(t, reads[:90_000]+strings.Repeat("\x00", 5<<20)+reads[:90_000], 6, 3000),
		"reads, level 1":            gzipped(t, reads, 1, 0),
		"reads, level 6":            gzipped(t, reads, 6, 0),
		"reads, level 9":            gzipped(t, reads, 9, 0),
		"reads of 4 qualities":      gzipped(t, string(fastq(600_000, 4)), 6, 0),
		"Huffman only":              gzipped(t, reads, -2, 0),
		"stored":                    gzipped(t, reads, 0, 0),
		"flushed":                   gzipped(t, reads, 6, 7000),
		"fixed codes only":          deflateMember(t, fixedBlocks(300_000)),
		"noise":                     gzipped(t, string(noise), 6, 0),
		"noise and reads":           gzipped(t, string(noise)+reads+string(noise[:100_000]), 6, 0),
		"gzip in stored blocks":     gzipped(t, gzipped(t, reads, 6, 0), 0, 0),
		"gzip in gzip":              gzipped(t, gzipped(t, reads, 6, 0), 6, 0),
		"zeros":                     gzipped(t, strings.Repeat("\x00", 2_000_000+some(18_000_000)), 9, 0),
		"zeros between reads":       gzipped(t, reads[:200_000]+strings.Repeat("\x00", 5<<20)+reads, 6, 0),
		"members":                   strings.Repeat(small, 12),
		"members of 30 kB":          strings.Repeat(gzipped(t, reads[:30_000], 6, 0), 20),
		"tiny members":              strings.Repeat(gzipped(t, "a tiny member", 6, 0), 5000),
		"empty members":             small + strings.Repeat(gzipped(t, "", 6, 0), 5000) + small,
		"members with long names":   strings.Repeat(header(flagName, strings.Repeat("n", 5000))+small[10:], 9),
		"gzip, BGZF, gzip":          small + small + blocks(reads[:200_000], 9999) + small + small,
		"much BGZF behind gzip":     gzipped(t, reads, 6, 0) + blocks(reads, 65280),
		"reads and garbage":         gzipped(t, reads, 6, 0) + "garbage",
		"reads and zeros behind":    gzipped(t, reads, 6, 0) + strings.Repeat("\x00", 3000),
		"reads and a bad member":    gzipped(t, reads, 6, 0) + "\x1f\x8b\x07" + small,
		"reads and half a header":   gzipped(t, reads, 6, 0) + small[:7],
		"a wrong checksum in front": small[:len(small)-5] + "\x00" + small[len(small)-4:] + small + small + small,
	}
	for _, args := range [][]string{{"-p2", "-6"}, {"-p2", "-i", "-b128"}, {"-p1", "-1"}, {"-11", "-I1"}} {
		if out, err := pipe(reads, "pigz", args...); err == nil {
			in["pigz "+strings.Join(args, " ")] = out
		}
	}
	for _, args := range [][]string{{"-1"}, {"-6"}, {"-9"}} {
		if out, err := pipe(reads, "gzip", args...); err == nil {
			in["gzip "+args[0]] = out
		}
	}
	return in
}

// pipe runs a program that may not be there.
func pipe(in, name string, args ...string) (string, error) {
	cmd := exec.Command(name, append(args, "-c")...)
	cmd.Stdin = strings.NewReader(in)
	out, err := cmd.Output()
	return string(out), err
}

func TestAheadIsAsAlone(t *testing.T) {
	checkGoroutines(t)
	reach := map[bool]int{}
	for name, in := range aheadInputs(t) {
		if raceEnabled && !strings.Contains(name, "flushed") && !strings.Contains(name, "BGZF") {
			continue // the goroutines do the same with all of them
		}
		for i, p := range []tuning{{1 << 10, 64 << 10, 200_000}, {5000, 3000, 100_000}, {20_000, 40_000, 300_000}} {
			if i > 0 && (testing.Short() || raceEnabled) {
				break
			}
			got := sameAhead(t, name, in, p)
			reach[got.luck.used > 0]++
			reach[got.luck.unused > 0]++
		}
	}
	if reach[true]*3 < reach[false] {
		t.Errorf("most inputs say little: %v", reach)
	}
}

// TestGuessesAreUsed holds that the work is really done ahead where it can be.
func TestGuessesAreUsed(t *testing.T) {
	reads := string(fastq(3<<19, 40))
	for name, in := range map[string]string{
		"one member":   gzipped(t, reads, 6, 0),
		"level 1":      gzipped(t, reads, 1, 0),
		"flushed":      gzipped(t, reads, 6, 128<<10),
		"four members": strings.Repeat(gzipped(t, reads[:len(reads)/4], 6, 0), 4),
		"stored":       gzipped(t, reads, 0, 0),
	} {
		if raceEnabled && name != "flushed" {
			continue
		}
		const bytes = 70_000
		got := sameAhead(t, name, in, tuning{bytes, 0, 0}).luck
		if want := int64(len(in)-overlapBytes)/bytes - 1; got.used < want*9/10 {
			t.Errorf("%s: %d guesses of about %d were used: %+v", name, got.used, want, got)
		}
	}
	for _, cfg := range []Config{{Workers: 3, pieces: tuning{bytes: 10_000}}, {Workers: 4, Alone: true, pieces: tuning{bytes: 10_000}}} {
		if got := fateOf(t, gzipped(t, reads, 6, 0), cfg).luck; got.used+got.unused != 0 {
			t.Errorf("%+v: %+v", cfg, got)
		}
	}
	if a, b := (Config{Workers: 4}).MemoryBound(), (Config{Workers: 4, Alone: true}).MemoryBound(); b > a/8 {
		t.Errorf("bound %d, alone %d", a, b)
	}
}

// TestWrongGuessesAreFound has places that look like blocks, and are data.
func TestWrongGuessesAreFound(t *testing.T) {
	inner := gzipped(t, string(fastq(600_000, 40)), 6, 0)
	got := sameAhead(t, "gzip in stored blocks", gzipped(t, inner, 0, 0), tuning{bytes: 5000, overlap: 80_000})
	if got.luck.unused == 0 {
		t.Errorf("no guess was wrong: %+v", got.luck)
	}
}

func TestAheadEveryCut(t *testing.T) {
	checkGoroutines(t)
	reads := string(fastq(9000, 40))
	in := gzipped(t, reads[:5000], 6, 600) + gzipped(t, reads[5000:], 1, 300)
	step := 7
	if testing.Short() || raceEnabled {
		step = 37
	}
	var used int64
	for n := 0; n < len(in); n += step {
		used += sameAhead(t, fmt.Sprint("cut at ", n), in[:n], tuning{256, 800, 9000}).luck.used
		if t.Failed() {
			return
		}
	}
	if used == 0 {
		t.Error("no guess was used")
	}
}

func TestAheadWithChangedBits(t *testing.T) {
	checkGoroutines(t)
	reads := string(fastq(60_000, 40))
	inputs := []string{
		gzipped(t, reads, 6, 1500), gzipped(t, reads, 1, 3000), strings.Repeat(gzipped(t, reads[:9000], 6, 1000), 5),
		deflateMember(t, randomBlocks(rand.New(rand.NewPCG(4, 4)), 100_000, 60)),
	}
	used, seeds := 0, max(some(500), 60)
	for seed := range seeds {
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		b := []byte(inputs[seed%len(inputs)])
		for range 1 + r.IntN(3) {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
		used += int(sameAhead(t, fmt.Sprint("seed ", seed), string(b), tuning{500 + r.IntN(3000), 1000 + r.IntN(9000), 50_000}).luck.used)
		if t.Failed() {
			return
		}
	}
	if used < seeds {
		t.Errorf("only %d guesses were used", used)
	}
}

// TestRandomBlocksAhead has blocks of all kinds, with matches of all distances.
func TestRandomBlocksAhead(t *testing.T) {
	used, seeds := 0, max(some(120), 20)
	for seed := range seeds {
		r := rand.New(rand.NewPCG(uint64(seed), 12))
		in := ""
		for range 1 + r.IntN(3) {
			in += deflateMember(t, randomBlocks(r, 1<<(13+r.IntN(6)), 1+r.IntN(100)))
		}
		got := sameAhead(t, fmt.Sprint("seed ", seed), in, tuning{700 + r.IntN(4000), 1000 + r.IntN(20_000), 100_000})
		used += int(got.luck.used)
	}
	if used < seeds/2 {
		t.Errorf("only %d guesses were used", used)
	}
}

// TestReachOverTheStart has a match that a guess cannot refuse, because it does not know that the
// member began just before.
func TestReachOverTheStart(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, over := range []int{0, 1, 5000} {
		w := new(bitWriter)
		have := 0
		for range 4 { // a few blocks, less than a window
			tokens := randomTokens(r, 4000, have)
			putBlock(r, w, tokens, 0)
			for _, tok := range tokens {
				have += max(1, tok.length)
			}
		}
		putBlock(r, w, []token{{literal: 1}, {length: 3, distance: have + 1 + over}}, 0)
		for range 9 {
			putBlock(r, w, randomTokens(r, 4000, have), 0)
		}
		putBlock(r, w, nil, 1)
		w.align()
		in := "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + string(w.b) + "12345678"
		for bytes := 1 << 10; bytes < 8<<10; bytes += 300 {
			got := sameAhead(t, fmt.Sprint("over by ", over), in, tuning{bytes, 20_000, 100_000})
			if bad := strings.Contains(got.err, ErrCorrupt.Error()); bad != (over > 0) {
				t.Errorf("over by %d: %s", over, got.err)
			}
		}
	}
}

func TestAheadCloseAtAnyTime(t *testing.T) {
	checkGoroutines(t)
	in := gzipped(t, string(fastq(1<<20, 40)), 6, 0)
	for n := range 12 {
		s, _ := Open(t.Context(), strings.NewReader(in), "x", Config{ChunkBytes: minChunkBytes, Workers: 4, Depth: 1, pieces: tuning{bytes: 20_000}})
		var held []*Chunk
		for range n {
			c, err := s.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if held = append(held, c); len(held) == 2 {
				held[0].Release()
				held = held[1:]
			}
		}
		s.Close()
		for _, c := range held {
			c.Release()
		}
	}
}

func TestAheadDeviceErrorComesAsItIs(t *testing.T) {
	checkGoroutines(t)
	broken := errors.New("no more disk")
	plain := string(fastq(600_000, 40))
	in := gzipped(t, plain, 6, 0)
	for _, n := range []int{10, 30_000, 100_000, len(in) - 9, len(in)} {
		r := io.MultiReader(strings.NewReader(in[:n]), iotest.ErrReader(broken))
		got, err := all(t, r, "x", Config{Workers: 4, pieces: tuning{bytes: 10_000, room: 200_000}})
		var e *DataError
		if !errors.Is(err, broken) || errors.As(err, &e) || !strings.HasPrefix(plain, got) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

func TestAheadFromReadersOfAllKinds(t *testing.T) {
	plain := string(fastq(300_000, 40))
	in := gzipped(t, plain, 6, 0)
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"one byte": iotest.OneByteReader, "half": iotest.HalfReader, "error with data": iotest.DataErrReader,
	} {
		got, err := all(t, wrap(strings.NewReader(in)), name, Config{Workers: 5, pieces: tuning{bytes: 10_000}})
		if err != nil || got != plain {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

// allocated is how many bytes f has allocated.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// TestAheadMemory has streams allocate, in all, no more than their bound, however long they are
// and however much they become.
func TestAheadMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the detector allocates too")
	}
	reads := gzipped(t, string(fastq(4<<20, 40)), 6, 0)
	bomb := gzipped(t, strings.Repeat("\x00", 64<<20), 9, 0)
	cfg := Config{Workers: 4, pieces: tuning{bytes: maxPieceBytes}}
	small := Config{Workers: 4, pieces: tuning{10_000, 10_000, 100_000}}
	for name, c := range map[string]struct {
		in  string
		cfg Config
	}{
		"reads": {reads + reads + reads, cfg}, "reads, small pieces": {reads, small}, "a bomb": {bomb, cfg}, "a bomb, small pieces": {bomb + bomb, small},
	} {
		drained := func() {
			s, _ := Open(context.Background(), strings.NewReader(c.in), "x", c.cfg)
			defer s.Close()
			for {
				c, err := s.Next(context.Background())
				if err != nil {
					if err != io.EOF {
						t.Error(err)
					}
					return
				}
				c.Release()
			}
		}
		drained() // so that tables are made
		const unrelated = 64 << 10
		if got, bound := allocated(drained), c.cfg.MemoryBound(); got > bound+unrelated {
			t.Errorf("%s: %d bytes allocated, bound %d", name, got, bound)
		}
	}
}

func TestAheadAccounts(t *testing.T) {
	plain := string(fastq(3<<19, 40))
	in := strings.Repeat(gzipped(t, plain[:1<<20], 6, 0), 3)
	stage := meter.NewStage("inflate", meter.KindCPU, 4)
	got, err := all(t, strings.NewReader(in), "x", Config{Workers: 4, InflateStage: stage, pieces: tuning{bytes: 20_000}})
	s := stage.Snapshot()
	if err != nil || s.BytesIn != int64(len(in)) || s.BytesOut != int64(len(got)) {
		t.Errorf("%d bytes in of %d, %d out of %d, %v", s.BytesIn, len(in), s.BytesOut, len(got), err)
	}
	if s.BusyNS() <= 0 || s.BusyNS() >= s.LifetimeNS {
		t.Errorf("busy for %d of %d ns", s.BusyNS(), s.LifetimeNS)
	}
}

// What is taken in of one long member counts while it is decoded: the progress of a run is told by it.
func TestInputOfGzipCountsAsItGoes(t *testing.T) {
	in := gzipped(t, string(fastq(3<<19, 40)), 6, 0)
	stage := meter.NewStage("inflate", meter.KindCPU, 1)
	s, err := Open(t.Context(), strings.NewReader(in), "x", Config{InflateStage: stage, Alone: true, ChunkBytes: 64 << 10, Depth: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 3 {
		c, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.Release()
	}
	if got := stage.Snapshot().BytesIn; got <= 0 || got >= int64(len(in)) {
		t.Errorf("%d of %d bytes counted after three chunks", got, len(in))
	}
}

func FuzzParallel(f *testing.F) {
	reads := string(fastq(20_000, 40))
	f.Add([]byte(gzipped(f, reads, 6, 3000)), 1000, 2000)
	f.Add([]byte(strings.Repeat(gzipped(f, reads[:3000], 1, 0), 4)), 700, 3000)
	f.Add([]byte(deflateMember(f, randomBlocks(rand.New(rand.NewPCG(1, 1)), 30_000, 30))), 600, 1000)
	f.Add([]byte(gzipped(f, reads, 0, 1000)), 2000, 700)
	f.Fuzz(func(t *testing.T, in []byte, bytes, overlap int) {
		sameAhead(t, "input", string(in), tuning{512 + int(uint(bytes)%8192), 1 + int(uint(overlap)%8192), 50_000})
	})
}

// TestAheadWrongTrailers changes what members say of themselves, where others decoded them.
func TestAheadWrongTrailers(t *testing.T) {
	one := gzipped(t, string(fastq(60_000, 40)), 6, 2000)
	for member := 1; member <= 5; member++ {
		for i := 1; i <= max(1, some(trailerBytes)); i++ {
			in := []byte(strings.Repeat(one, 6))
			in[member*len(one)-i] ^= 4
			got := sameAhead(t, fmt.Sprintf("member %d, byte %d", member, i), string(in), tuning{2000, 4000, 100_000})
			if !strings.Contains(got.err, ErrChecksum.Error()) || got.luck.used == 0 {
				t.Errorf("member %d, byte %d: %q, %+v", member, i, got.err, got.luck)
			}
		}
	}
}
