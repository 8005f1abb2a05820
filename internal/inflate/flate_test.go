package inflate

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"unsafe"

	"github.com/klauspost/compress/flate"
)

// plainTexts are of many kinds: no match, only matches, all distances, long codes.
func plainTexts() map[string][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 300<<10)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	skewed := make([]byte, 300<<10) // codes of all lengths
	for i := range skewed {
		skewed[i] = byte(min(rng.ExpFloat64()*9, 255))
	}
	var far []byte // matches at and about the largest distance
	for i := range 12 {
		far = append(far, noise[:32768-4+i]...)
	}
	var fastq strings.Builder
	for i := range 2000 {
		fastq.WriteString("@read")
		fastq.WriteString(strings.Repeat("x", i%7))
		fastq.WriteByte('\n')
		for range 150 {
			fastq.WriteByte("ACGT"[rng.IntN(4)])
		}
		fastq.WriteString("\n+\n")
		for range 150 {
			fastq.WriteByte(byte(73 - min(int(rng.ExpFloat64()*4), 38)))
		}
		fastq.WriteByte('\n')
	}
	return map[string][]byte{
		"nothing": nil, "a byte": {0}, "noise": noise, "skewed": skewed, "far": far, "reads": []byte(fastq.String()),
		"one letter": bytes.Repeat([]byte("a"), 200<<10), "three letters": bytes.Repeat([]byte("abc"), 70<<10),
		"nine letters": bytes.Repeat([]byte("abcdefghi"), 20<<10),
	}
}

// deflated compresses with another program's encoder; -2 is Huffman codes only.
func deflated(t testing.TB, text []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(text); i += 100_001 { // several blocks
		if _, err := w.Write(text[i:min(i+100_001, len(text))]); err != nil {
			t.Fatal(err)
		}
		w.Flush()
	}
	w.Close()
	return b.Bytes()
}

// decoded is what flateReader makes of data, and what it leaves behind.
func decoded(data io.Reader) (text, rest []byte, err error) {
	f := new(flateReader)
	f.reset(bufio.NewReaderSize(data, 4096))
	for {
		p, err := f.next()
		if err != nil {
			for f.have >= 8 {
				b, _ := f.take(8)
				rest = append(rest, byte(b))
			}
			more, _ := io.ReadAll(f.br)
			return text, append(rest, more...), err
		}
		text = append(text, p...)
	}
}

func TestFlateReadsWhatOthersWrite(t *testing.T) {
	for name, text := range plainTexts() {
		for _, level := range []int{-2, 0, 1, 5, 9} {
			data := append(deflated(t, text, level), "behind it"...)
			for kind, r := range map[string]io.Reader{
				"whole": bytes.NewReader(data), "halves": iotest.HalfReader(bytes.NewReader(data)), "bytes": iotest.OneByteReader(bytes.NewReader(data)),
			} {
				got, rest, err := decoded(r)
				if err != io.EOF || !bytes.Equal(got, text) || string(rest) != "behind it" {
					t.Errorf("%s, level %d, in %s: %d bytes of %d, %v, rest %.20q", name, level, kind, len(got), len(text), err, rest)
				}
			}
		}
	}
}

func TestFlateRefusesWhatOthersRefuse(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for name, text := range plainTexts() {
		whole := deflated(t, text[:min(len(text), 5000)], 6)
		for i := range 400 {
			data := bytes.Clone(whole)
			if i%2 == 0 {
				data = data[:rng.IntN(len(data))]
			} else {
				data[rng.IntN(min(len(data), 200))] ^= 1 << rng.IntN(8)
			}
			sameAsOthers(t, name, data)
		}
	}
}

// sameAsOthers holds flateReader against another decoder: the same bytes, and an error where that has
// one. Before an error the other may give less, for it waits for more bits than it needs.
func sameAsOthers(t *testing.T, name string, data []byte) {
	t.Helper()
	got, _, err := decoded(bytes.NewReader(data))
	want, wantErr := io.ReadAll(flate.NewReader(bytes.NewReader(data)))
	switch {
	case (err == io.EOF) != (wantErr == nil):
		t.Errorf("%s: %v, another decoder says %v: %x", name, err, wantErr, data[:min(len(data), 400)])
	case err == io.EOF && len(got) != len(want), !bytes.HasPrefix(got, want):
		t.Errorf("%s: %d bytes and %v, another decoder %d and %v: %x", name, len(got), err, len(want), wantErr, data[:min(len(data), 400)])
	case errors.Is(wantErr, io.ErrUnexpectedEOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, ErrCorrupt):
		t.Errorf("%s: %v, another decoder says %v", name, err, wantErr)
	}
}

func FuzzFlate(f *testing.F) {
	for _, text := range plainTexts() {
		for _, level := range []int{-2, 0, 1, 9} {
			f.Add(deflated(f, text[:min(len(text), 3000)], level))
		}
	}
	f.Add([]byte{0x4b, 4, 0}) // fixed codes
	f.Fuzz(func(t *testing.T, data []byte) { sameAsOthers(t, "fuzz", data) })
}

func TestFlateMemoryIsCounted(t *testing.T) {
	if n := int(unsafe.Sizeof(flateReader{})) + windowBytes + freshBytes + maxMatch + overrun + minChunkBytes; n > decoderBytes {
		t.Errorf("a decoder holds %d bytes, %d are planned", n, decoderBytes)
	}
}

func BenchmarkFlate(b *testing.B) {
	text := plainTexts()["reads"]
	data := deflated(b, text, 6)
	b.Run("decoder=ours", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		f, br := new(flateReader), bufio.NewReaderSize(nil, peekBytes)
		for b.Loop() {
			br.Reset(bytes.NewReader(data))
			f.reset(br)
			for _, err := f.next(); err == nil; _, err = f.next() {
			}
		}
	})
	b.Run("decoder=klauspost", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		br := bufio.NewReaderSize(nil, peekBytes)
		z := flate.NewReader(br)
		for b.Loop() {
			br.Reset(bytes.NewReader(data))
			z.(flate.Resetter).Reset(br, nil)
			io.Copy(io.Discard, z)
		}
	})
}
