package bgzfout

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/alignpipe/alignpipe/internal/deflate"
	"github.com/alignpipe/alignpipe/internal/inflate"
)

// samplePayloads are a compressible, a random, a repetitive and a tiny payload.
func samplePayloads() [][]byte {
	rng := rand.New(rand.NewPCG(7, 7))
	random, text, zeros := make([]byte, payload), make([]byte, payload-5), make([]byte, payload)
	for i := range random {
		random[i] = byte(rng.Uint32())
	}
	for i := range text {
		text[i] = "ACGTIIIIFF##"[rng.IntN(12)]
	}
	return [][]byte{text, random, zeros, {}, []byte("x"), random[:1000], text[:40_000]}
}

func TestBlockRoundTrip(t *testing.T) {
	for level := range 10 {
		d, err := getDeflater(level)
		if err != nil {
			t.Fatal(err)
		}
		for i, data := range samplePayloads() {
			got, err := d.appendBlock(nil, data)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) > maxBlock {
				t.Errorf("level=%d payload %d: block of %d bytes", level, i, len(got))
			}
			if !bytes.Equal(gunzip(t, got), data) {
				t.Errorf("level=%d payload %d: other bytes come back", level, i)
			}
			if back, err := inflate.DecodeBlock(nil, got); err != nil || !bytes.Equal(back, data) {
				t.Errorf("level=%d payload %d: other bytes come back from our own reader: %v", level, i, err)
			}
		}
		if _, err := d.appendBlock(nil, make([]byte, payload+1)); err == nil {
			t.Error("a payload beyond the limit was taken")
		}
	}
}

// A block must not depend on what the compressor saw before.
func TestBlockIgnoresHistory(t *testing.T) {
	for level := range 10 {
		used, _ := getDeflater(level)
		used.appendBlock(nil, samplePayloads()[6])
		for i, data := range samplePayloads() {
			got, _ := used.appendBlock(nil, data)
			e, _ := deflate.New(level)
			fresh := &deflater{e}
			want, _ := fresh.appendBlock(nil, data)
			if !bytes.Equal(got, want) {
				t.Fatalf("level=%d payload %d: block differs from a fresh compressor's", level, i)
			}
		}
	}
}

func TestEOFBlock(t *testing.T) {
	if got := gunzip(t, eofBlock); len(got) != 0 {
		t.Errorf("EOF block holds %d bytes", len(got))
	}
	if len(eofBlock) != 28 || eofBlock[16] != 27 {
		t.Errorf("EOF block is % x", eofBlock)
	}
}

func BenchmarkBlock(b *testing.B) {
	recs := randomRecords(1, testRefs, 400)
	var data []byte
	for _, r := range recs {
		data = append(data, r.data...)
	}
	data = data[:payload]
	for _, level := range []int{0, 1, 6} {
		b.Run(fmt.Sprintf("level=%d", level), func(b *testing.B) {
			d, _ := getDeflater(level)
			out := make([]byte, 0, maxBlock)
			b.SetBytes(payload)
			b.ReportAllocs()
			for b.Loop() {
				out, _ = d.appendBlock(out[:0], data)
			}
		})
	}
}
