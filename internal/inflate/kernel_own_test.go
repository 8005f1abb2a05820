//go:build !klauspost_inflate && (amd64 || arm64)

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
	for seed := range some(60) {
		inputs = append(inputs, randomDeflate(rand.New(rand.NewPCG(uint64(seed), 6)), 600))
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

// TestWordsThatNoSymbolHas meets the other word of a code with a single one, where the table
// had something before.
func TestWordsThatNoSymbolHas(t *testing.T) {
	lens, dist := make([]uint8, 286), make([]uint8, 30)
	lens['x'], lens[256], lens[257] = 1, 2, 2
	for i := range 16 {
		dist[i] = 4
	}
	first, far := newTestCode(lens), newTestCode(dist)
	begin := func() *bitWriter {
		w := new(bitWriter)
		w.put(2<<1, 3)
		putCodes(rand.New(rand.NewPCG(1, 1)), w, lens, dist)
		for i := range 300 {
			first.put(w, 'x')
			if i > 200 {
				putToken(w, &first, &far, token{length: 3, distance: 1 + i%200})
			}
		}
		first.put(w, 256)
		w.put(1|2<<1, 3)
		return w
	}
	one := make([]uint8, 30)
	one[0] = 1
	noDist := begin()
	putCodes(rand.New(rand.NewPCG(1, 1)), noDist, lens, one)
	first.put(noDist, 257)
	noDist.put(1, 1)
	end := make([]uint8, 286)
	end[256] = 1
	noLit := begin()
	putCodes(rand.New(rand.NewPCG(1, 1)), noLit, end, one)
	noLit.put(1, 1)
	for name, w := range map[string]*bitWriter{"distance": noDist, "literal": noLit} {
		for range 100 { // so that it is met far from the edges
			w.put(0, 32)
		}
		z := new(inflater)
		_, put, err := z.run(make([]byte, 5000), 0, 0, w.b, edges{lastIn: true, lastOut: true})
		if !errors.Is(err, ErrCorrupt) || put != 300+99*3 {
			t.Errorf("no such %s: %d bytes, %v", name, put, err)
		}
	}
}

// TestLongestWords alternates the literals and matches that use the most bits in one round of
// the fast loop: it must not use more than it has.
func TestLongestWords(t *testing.T) {
	o := newOracle()
	tried := 0
	for n1 := 1; n1 <= maxCode; n1++ { // bits of a length; those of its distance follow
		for n2 := 1; n2 <= maxCode; n2++ {
			for nLit := 1; nLit <= some(maxCode); nLit++ {
				src := longWords(n1, n2, nLit)
				want, _, err := o.inflate(src)
				if err != nil {
					continue // no code has these words
				}
				tried++
				for _, mixed := range []bool{false, true} {
					out := make([]byte, len(want)+fastOut)
					z := &inflater{mixed: mixed}
					_, put, err := z.run(out, 0, 0, src, edges{lastIn: true, lastOut: true})
					if err != nil || !bytes.Equal(out[:put], want) {
						t.Fatalf("words of %d, %d and %d bits, mixed %v: %d bytes, %v", n1, n2, nLit, mixed, put, err)
					}
				}
			}
		}
	}
	if tried < some(2000) {
		t.Errorf("only %d codes were tried", tried)
	}
}

// longWords has up to four literals of nLit bits before each match, whose length has n1 bits and
// whose distance n2 and 13 more.
func longWords(n1, n2, nLit int) []byte {
	lens := make([]uint8, 286)
	lens[0] = uint8(nLit)
	lens[257] = uint8(n1)
	fill(lens, []int{256, 280, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
	dist := make([]uint8, 30)
	dist[29] = uint8(n2)
	fill(dist, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14})
	lit, far := newTestCode(lens), newTestCode(dist)
	w := new(bitWriter)
	w.put(1<<1, 3) // what the matches reach back to
	for i := range windowBytes {
		fixedLit.put(w, i%251)
	}
	fixedLit.put(w, 256)
	w.put(1|2<<1, 3)
	putCodes(rand.New(rand.NewPCG(1, 1)), w, lens, dist)
	for i := range 400 {
		for range i / 7 % 5 {
			lit.put(w, 0)
		}
		putToken(w, &lit, &far, token{length: 3, distance: windowBytes - i})
	}
	lit.put(w, 256)
	w.align()
	return w.b
}

// fill gives words to the others, so that the code is complete, if that can be.
func fill(lens []uint8, others []int) {
	left := 1 << 15
	for _, n := range lens {
		if n > 0 {
			left -= 1 << (15 - n)
		}
	}
	for _, s := range others {
		n := 1
		for n < 15 && 1<<(15-n) > left {
			n++
		}
		if left > 0 {
			lens[s] = uint8(n)
			left -= 1 << (15 - n)
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
	lists := 2 * (maxLit + maxDist) * int(unsafe.Sizeof(item{})) // which grow by doubling
	if n := int(unsafe.Sizeof(inflater{})) + lists + windowBytes; n > decoderBytes {
		t.Errorf("a decoder holds %d bytes, decoderBytes is %d", n, decoderBytes)
	}
}
