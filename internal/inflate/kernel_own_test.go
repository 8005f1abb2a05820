//go:build !klauspost_inflate

package inflate

import (
	"bufio"
	"bytes"
	stdflate "compress/flate"
	"errors"
	"math/rand/v2"
	"testing"
	"unsafe"
)

var newOracleReader = stdflate.NewReader

// TestEveryCutOfInputAndRoom stops run at each byte of the input, and for want of room at each
// byte of the data, and goes on.
func TestEveryCutOfInputAndRoom(t *testing.T) {
	o := newOracle()
	inputs := [][]byte{deflated(t, fastq(900, 40), 6), deflated(t, []byte(text(700)), 0)}
	for seed := range uint64(60) {
		inputs = append(inputs, randomDeflate(rand.New(rand.NewPCG(seed, 6)), 600))
	}
	z := new(inflater)
	for i, src := range inputs {
		plain, _, _ := o.inflate(src)
		out := make([]byte, len(plain)+100)
		for cut := range src {
			z.reset()
			clear(out)
			taken, put, err := z.run(out, 0, 0, src[:cut], edges{lastIn: true, lastOut: true})
			if !errors.Is(err, errShort) {
				t.Fatalf("input %d cut at %d: %v", i, cut, err)
			}
			_, more, err := z.run(out, put, 0, src[taken:], edges{lastIn: true, lastOut: true})
			if err != nil || !bytes.Equal(out[:put+more], plain) {
				t.Fatalf("input %d cut at %d: %d and %d bytes, %v", i, cut, put, more, err)
			}
		}
		for cut := range plain {
			z.reset()
			clear(out)
			taken, put, err := z.run(out[:cut], 0, 0, src, edges{lastIn: true, lastOut: true})
			if !errors.Is(err, errFull) || put != cut {
				t.Fatalf("input %d, room of %d: %d bytes, %v", i, cut, put, err)
			}
			_, more, err := z.run(out, put, 0, src[taken:], edges{lastIn: true, lastOut: true})
			if err != nil || !bytes.Equal(out[:put+more], plain) {
				t.Fatalf("input %d, room of %d: %d and %d bytes, %v", i, cut, put, more, err)
			}
		}
	}
}

func TestDecodingAllocatesNothing(t *testing.T) {
	src := deflated(t, fastq(1<<20, 40), 6)
	in := bytes.NewReader(src)
	br := bufio.NewReaderSize(in, peekBytes)
	d, z := newMemberReader(br), newBlockReader()
	mem := make([]byte, windowBytes+defaultChunkBytes)
	out := make([]byte, 2<<20)
	if n := testing.AllocsPerRun(3, func() {
		in.Reset(src)
		br.Reset(in)
		d.reset()
		drain(t, d, mem)
		if _, _, err := z.inflate(out, 0, src); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestDecoderBytes holds the number that MemoryBound is made of.
func TestDecoderBytes(t *testing.T) {
	if n := int(unsafe.Sizeof(inflater{})) + windowBytes; n > decoderBytes {
		t.Errorf("a decoder holds %d bytes, decoderBytes is %d", n, decoderBytes)
	}
}
