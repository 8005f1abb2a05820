package inflate

import (
	"bufio"
	"bytes"
	stdflate "compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/flate"
)

// some is how many cases of n a test looks at: fewer when there is no time for all, and with the
// race detector, which has nothing to find in a decoder and takes twenty times as long.
func some(n int) int {
	if testing.Short() || raceEnabled {
		return max(1, n/50)
	}
	return n
}

// oracle is the standard library's decoder, unless that is not the one to agree with.
type oracle struct {
	in  bytes.Reader
	z   io.ReadCloser
	out bytes.Buffer
}

func newOracle() *oracle {
	o := new(oracle)
	o.z = newOracleReader(&o.in)
	return o
}

// inflate returns what it got before the error, if there is one, and the bytes it took.
func (o *oracle) inflate(src []byte) (plain []byte, taken int, err error) {
	o.in.Reset(src)
	o.z.(stdflate.Resetter).Reset(&o.in, nil)
	o.out.Reset()
	_, err = o.out.ReadFrom(o.z)
	return o.out.Bytes(), len(src) - o.in.Len(), err
}

// rolling decodes a member as a stream does, in chunks of a size.
type rolling struct {
	br  *bufio.Reader
	z   *memberReader
	mem []byte
	out []byte
}

func newRolling(room int) *rolling {
	br := bufio.NewReaderSize(nil, peekBytes)
	return &rolling{br: br, z: newMemberReader(br), mem: make([]byte, windowBytes+room+roomBytes)}
}

func (d *rolling) inflate(r io.Reader) (plain []byte, err error) {
	d.br.Reset(r)
	d.z.reset()
	d.out = d.out[:0]
	for at := windowBytes; ; {
		n, err := d.z.read(d.mem, at)
		d.out = append(d.out, d.mem[at:at+n]...)
		at += n
		if err == io.EOF {
			return d.out, nil
		}
		if err != nil {
			return d.out, err
		}
		if len(d.mem)-at < roomBytes {
			copy(d.mem, d.mem[at-windowBytes:at])
			for i := windowBytes; i < len(d.mem); i++ {
				d.mem[i] = 0xcc
			}
			at = windowBytes
		}
	}
}

// same compares one input's fate with the oracle's: equal data, or both refuse it, and then
// neither has made up anything.
func same(t *testing.T, what string, got []byte, err error, want []byte, wantErr error) {
	switch {
	case (err == nil) != (wantErr == nil):
		t.Fatalf("%s: got %v, want %v", what, err, wantErr)
	case err == nil && !bytes.Equal(got, want):
		t.Fatalf("%s: %d bytes differ from the %d wanted", what, len(got), len(want))
	case err != nil && !bytes.HasPrefix(got, want) && !bytes.HasPrefix(want, got):
		t.Fatalf("%s: %d and %d bytes before the error differ", what, len(got), len(want))
	case err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, io.ErrUnexpectedEOF):
		t.Fatalf("%s: %v is none of the errors of data", what, err)
	}
}

// checkInflate runs one input through the stream's and the block's decoder.
func checkInflate(t *testing.T, o *oracle, d *rolling, z *blockReader, room []byte, src []byte) {
	want, wantTaken, wantErr := o.inflate(src)
	got, err := d.inflate(bytes.NewReader(src))
	same(t, "member", got, err, want, wantErr)
	if err == nil && len(src)-d.br.Buffered() != wantTaken {
		t.Fatalf("member: %d bytes taken, want %d", len(src)-d.br.Buffered(), wantTaken)
	}
	if len(want) > len(room) {
		return
	}
	out := room[:len(want)] // exactly, so that the last bytes have no room behind them
	taken, put, err := z.inflate(out, 0, src)
	same(t, "block", out[:put], err, want, wantErr)
	if err == nil && taken != wantTaken {
		t.Fatalf("block: %d bytes taken, want %d", taken, wantTaken)
	}
	if wantErr == nil && len(want) > 0 {
		if _, _, err := z.inflate(out[:len(out)-1], 0, src); err == nil {
			t.Fatal("block: a byte too many was taken")
		}
	}
}

// TestRandomData compares with the standard library on valid data and on what is left of it
// after some bits have changed.
func TestRandomData(t *testing.T) {
	const mutants = 15
	o, d, z := newOracle(), newRolling(200), newBlockReader()
	room := make([]byte, 64<<10)
	for seed := range some(20_000) {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		src := randomDeflate(r, 1<<r.IntN(12))
		if _, _, err := o.inflate(src); err != nil {
			t.Fatalf("seed %d: the test's own data is bad: %v", seed, err)
		}
		for m := range mutants + 1 {
			b := bytes.Clone(src)
			if m > 0 {
				mutate(r, &b)
			}
			checkInflate(t, o, d, z, room, b)
			if t.Failed() {
				t.Fatalf("seed %d, mutant %d", seed, m)
			}
		}
	}
}

// mutate changes a little of b. Bits near the front, in the codes, matter most.
func mutate(r *rand.Rand, b *[]byte) {
	for range 1 + r.IntN(2) {
		s := *b
		if len(s) == 0 {
			return
		}
		at := r.IntN(len(s))
		if r.IntN(2) == 0 {
			at = r.IntN(min(len(s), 80))
		}
		switch r.IntN(5) {
		case 0:
			*b = s[:at]
		case 1:
			s[at] = byte(r.Uint32())
		default:
			s[at] ^= 1 << r.IntN(8)
		}
	}
}

func TestCompressors(t *testing.T) {
	o, z := newOracle(), newBlockReader()
	room := make([]byte, 2<<20)
	r := rand.New(rand.NewPCG(3, 4))
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for _, plain := range map[string][]byte{
		"empty":   nil,
		"a byte":  {'x'},
		"zeros":   make([]byte, some(300_000)),
		"noise":   noise,
		"far":     append(bytes.Clone(noise[:windowBytes]), noise[:windowBytes]...),
		"too far": append(bytes.Clone(noise[:windowBytes+1]), noise[:windowBytes+1]...),
		"text":    []byte(text(some(200_000))),
		"nova":    fastq(some(400_000), 4),
		"hq":      fastq(some(400_000), 40),
	} {
		for level := -2; level <= some(9); level++ {
			src := deflated(t, plain, level)
			for _, size := range []int{1, 1000, 70_000} {
				checkInflate(t, o, newRolling(size), z, room, src)
			}
		}
		var b bytes.Buffer
		flate.StatelessDeflate(&b, plain, true, nil)
		checkInflate(t, o, newRolling(1000), z, room, b.Bytes())
	}
}

func TestHeadersThatAreRefused(t *testing.T) {
	o, d, z := newOracle(), newRolling(100), newBlockReader()
	for bits := 0; bits < 1<<16; bits += 1 << 16 / some(1<<16) {
		src := append([]byte{byte(bits), byte(bits >> 8)}, "\xff\xff\x00\x12\x34\x56\x78\x9a\xbc\xde"...)
		checkInflate(t, o, d, z, make([]byte, 1000), src)
	}
}

// TestPatterns copies matches of all short distances and all lengths.
func TestPatterns(t *testing.T) {
	o, d, z := newOracle(), newRolling(10_000), newBlockReader()
	for distance := 1; distance <= some(70); distance++ {
		for length := 3; length <= 258; length++ {
			w := new(bitWriter)
			w.put(1|1<<1, 3)
			for i := range 80 {
				fixedLit.put(w, i)
			}
			putToken(w, &fixedLit, &fixedDist, token{length: length, distance: distance})
			for range 300 { // so that the match is far from the edges
				fixedLit.put(w, 'z')
			}
			fixedLit.put(w, 256)
			w.align()
			checkInflate(t, o, d, z, make([]byte, 1000), w.b)
		}
	}
}

// TestReadersOfAllKinds cuts the compressed side anywhere.
func TestReadersOfAllKinds(t *testing.T) {
	plain := fastq(40_000, 40)
	src := deflated(t, plain, 6)
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"one byte": iotest.OneByteReader, "half": iotest.HalfReader, "error with data": iotest.DataErrReader,
	} {
		got, err := newRolling(5000).inflate(wrap(bytes.NewReader(src)))
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	for first := range some(3000) {
		in := io.MultiReader(bytes.NewReader(src[:first]), bytes.NewReader(src[first:]))
		if got, err := newRolling(30_000).inflate(in); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("cut at %d: %d bytes, %v", first, len(got), err)
		}
	}
}

// TestLongHeadersComeByTheByte has block headers of some hundred bytes.
func TestLongHeadersComeByTheByte(t *testing.T) {
	o, d := newOracle(), newRolling(100)
	for seed := range some(300) {
		src := randomDeflate(rand.New(rand.NewPCG(uint64(seed), 8)), 3000)
		want, _, _ := o.inflate(src)
		got, err := d.inflate(iotest.OneByteReader(bytes.NewReader(src)))
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("seed %d: %d bytes of %d, %v", seed, len(got), len(want), err)
		}
	}
}

// TestHistoryEndsAtTheMember refuses a match into the member before.
func TestHistoryEndsAtTheMember(t *testing.T) {
	w := new(bitWriter)
	w.put(1|1<<1, 3)
	for i := range 10 {
		fixedLit.put(w, i)
	}
	putToken(w, &fixedLit, &fixedDist, token{length: 3, distance: 11})
	fixedLit.put(w, 256)
	w.align()
	d := newRolling(1000)
	if _, err := d.inflate(bytes.NewReader(deflated(t, []byte(text(500)), 1))); err != nil {
		t.Fatal(err)
	}
	if _, err := d.inflate(bytes.NewReader(w.b)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v", err)
	}
}

// header makes a gzip header with the flags' fields.
func header(flags byte, name string) string {
	h := "\x1f\x8b\x08" + string(rune(flags)) + "time\x00\x03"
	if flags&flagExtra != 0 {
		h += "\x05\x00extra"
	}
	if flags&flagName != 0 {
		h += name + "\x00"
	}
	if flags&flagComment != 0 {
		h += "comment\x00"
	}
	if flags&flagHeaderCRC != 0 {
		sum := crc32Of(h)
		h += string([]byte{byte(sum), byte(sum >> 8)})
	}
	return h
}

func TestGzipHeaders(t *testing.T) {
	s := text(1000)
	plain := member(s)
	body := plain[len(header(flagName, "name")):]
	for flags := range byte(1 << 5) {
		for _, name := range []string{"", "name", strings.Repeat("n", 200_000)} {
			h := header(flags, name)
			got, err := all(t, strings.NewReader(h+body+plain), "x", Config{})
			if err != nil || got != s+s {
				t.Errorf("flags %x, name of %d: %d bytes, %v", flags, len(name), len(got), err)
			}
		}
		h := header(flags, "name")
		for n := 1; n < len(h); n++ {
			if _, err := all(t, strings.NewReader(h[:n]), "x", Config{}); !errors.Is(err, ErrTruncated) {
				t.Errorf("flags %x cut at %d: %v", flags, n, err)
			}
		}
		if flags&flagHeaderCRC != 0 {
			bad := []byte(h + body)
			bad[4]++
			if _, err := all(t, bytes.NewReader(bad), "x", Config{}); !errors.Is(err, ErrCorrupt) {
				t.Errorf("flags %x with a bad checksum: %v", flags, err)
			}
		}
	}
	for _, flags := range []byte{1 << 5, 1 << 6, 1 << 7} {
		h := []byte(header(0, ""))
		h[3] = flags
		if _, err := all(t, strings.NewReader(string(h)+body), "x", Config{}); !errors.Is(err, ErrCorrupt) {
			t.Errorf("flags %x: %v", flags, err)
		}
	}
}

func FuzzInflate(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(randomDeflate(rand.New(rand.NewPCG(seed, 5)), 300))
	}
	f.Add(deflated(f, fastq(5000, 40), 6))
	f.Fuzz(func(t *testing.T, src []byte) {
		checkInflate(t, newOracle(), newRolling(100), newBlockReader(), make([]byte, 1<<20), src)
	})
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("ACGTACGTTTTTTTTTTTTTTTTTTTTTTTT"), 6, 100)
	f.Add(fastq(3000, 4), 1, 1000)
	f.Fuzz(func(t *testing.T, plain []byte, level, room int) {
		level = -2 + int(uint(level)%12)
		room = int(uint(room) % (100 << 10))
		src := deflated(t, plain, level)
		got, err := newRolling(room).inflate(bytes.NewReader(src))
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d bytes of %d, %v", len(got), len(plain), err)
		}
	})
}

// BenchmarkInflate compares the decoders on one core. MB/s are of plain data.
func BenchmarkInflate(b *testing.B) {
	for _, levels := range []int{4, 40} {
		plain := fastq(8<<20, levels)
		for _, level := range []int{1, 6} {
			src := deflated(b, plain, level)
			name := fmt.Sprintf("qualities=%d/level=%d/kernel=", levels, level)
			in := bytes.NewReader(src)
			br := bufio.NewReaderSize(in, peekBytes)
			mem := make([]byte, windowBytes+defaultChunkBytes)
			d := newMemberReader(br)
			b.Run(name+kernel, func(b *testing.B) {
				b.SetBytes(int64(len(plain)))
				b.ReportAllocs()
				for b.Loop() {
					in.Reset(src)
					br.Reset(in)
					d.reset()
					drain(b, d, mem)
				}
			})
			benchmarkReader(b, name+"klauspost", src, plain, flate.NewReader(br))
			benchmarkReader(b, name+"std", src, plain, stdflate.NewReader(br))
		}
	}
}

// drain decodes a member to its end and forgets the data.
func drain(t testing.TB, d *memberReader, mem []byte) (size int) {
	for at := windowBytes; ; {
		n, err := d.read(mem, at)
		size += n
		if err == io.EOF {
			return size
		}
		if err != nil {
			t.Fatal(err)
		}
		if at += n; len(mem)-at < roomBytes {
			copy(mem, mem[at-windowBytes:at])
			at = windowBytes
		}
	}
}

func benchmarkReader(b *testing.B, name string, src, plain []byte, z io.Reader) {
	b.Run(name, func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		b.ReportAllocs()
		buf := make([]byte, defaultChunkBytes)
		in := bytes.NewReader(src)
		br := bufio.NewReaderSize(in, peekBytes)
		for b.Loop() {
			in.Reset(src)
			br.Reset(in)
			z.(stdflate.Resetter).Reset(br, nil)
			for {
				if _, err := z.Read(buf); err != nil {
					break
				}
			}
		}
	})
}

// BenchmarkBlocks inflates blocks as bgzip makes them.
func BenchmarkBlocks(b *testing.B) {
	for _, levels := range []int{4, 40} {
		plain := fastq(4<<20, levels)
		for _, level := range []int{1, 6} {
			var srcs [][]byte
			for at := 0; at < len(plain); at += 65280 {
				srcs = append(srcs, deflated(b, plain[at:min(len(plain), at+65280)], level))
			}
			b.Run(fmt.Sprintf("qualities=%d/level=%d/kernel=%s", levels, level, kernel), func(b *testing.B) {
				b.SetBytes(int64(len(plain)))
				b.ReportAllocs()
				z := newBlockReader()
				out := make([]byte, 65280+roomBytes)
				for b.Loop() {
					for _, src := range srcs {
						if _, _, err := z.inflate(out, 0, src); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}

// TestLongStream runs enough data through the whole of it that every buffer is reused.
func TestLongStream(t *testing.T) {
	plain := string(fastq(2<<20, 40))
	in := "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + string(deflated(t, []byte(plain), 1)) + trailerOf(plain)
	for _, chunk := range []int{minChunkBytes, minChunkBytes + 1, 300_000} {
		got, err := all(t, strings.NewReader(in+in), "x", Config{ChunkBytes: chunk})
		if err != nil || got != plain+plain {
			t.Errorf("chunks of %d: %d bytes, %v", chunk, len(got), err)
		}
	}
	st, err := Open(context.Background(), strings.NewReader(in), "x", Config{})
	if err != nil {
		t.Fatal(err)
	}
	st.Close() // at once
}
