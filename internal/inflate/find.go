//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import (
	"encoding/binary"
	"sync"
)

// Where a block begins cannot be seen in DEFLATE data, only guessed. What is taken for a start is
// what nearly all blocks begin with, and little else: the header of a block that is not the last
// one, with codes of its own that use up all their words; or the length of a stored block and its
// complement. A place that is none is found out later, so that this is about speed only.
//
// A stored block's place is that of its length, since the bits before it do not tell where its
// header began.

// place is where a block begins: a bit, counted from 0, and the kind.
type place struct {
	bit    int64
	stored bool
}

const (
	blockKind  = 7      // the bits that say whether a block is the last one, and its kind
	kindStored = 0      // not the last
	kindCodes  = 2 << 1 // codes of its own, not the last
	skipBits   = 14     // looked at at once; 13 decide
	preAt      = 17     // of a block's bits, the first one of the lengths of the code for code lengths
)

// placeOf is the place of the block whose header is at bit and begins with head. ok is false for
// blocks that are not looked for.
func placeOf(bit int64, head uint64) (at place, ok bool) {
	switch head & blockKind {
	case kindCodes:
		return place{bit, false}, true
	case kindStored:
		return place{(bit + 3 + 7) &^ 7, true}, true
	}
	return place{}, false
}

// finder looks for the starts of blocks in one piece, from its front to its end.
type finder struct {
	z      *inflater // for its tables
	in     []byte
	end    int // bit: starts are before it
	coded  int // the next block with codes of its own, if it has been looked for
	looked bool
}

// next returns the first place at from or later.
func (f *finder) next(from int) (at place, ok bool) {
	f.end = min(f.end, 8*(len(f.in)-headerIn))
	if !f.looked || f.coded < from {
		f.coded, f.looked = f.nextCoded(from), true
	}
	if i := f.nextStored((from+7)/8, min(f.coded, f.end)/8); i >= 0 {
		return place{int64(8 * i), true}, true
	}
	return place{int64(f.coded), false}, f.coded < f.end
}

// nextStored returns the byte of the first length in [from, to), or -1.
func (f *finder) nextStored(from, to int) int {
	for i := from; i < to; i++ {
		v := binary.LittleEndian.Uint32(f.in[i:])
		if v>>16 == ^v&0xffff && (i == 0 || f.in[i-1]>>5 == kindStored) {
			return i
		}
	}
	return -1
}

// nextCoded returns the first bit from from on where codes begin that can be, or end.
func (f *finder) nextCoded(from int) int {
	skip := skipTable()
	for bit := from; bit < f.end; {
		w := binary.LittleEndian.Uint64(f.in[bit>>3:]) >> (bit & 7)
		if n := skip[w&(1<<skipBits-1)]; n > 0 {
			bit += int(n)
			continue
		}
		lens := binary.LittleEndian.Uint64(f.in[(bit+preAt)>>3:]) >> ((bit + preAt) & 7)
		if preComplete(lens, 4+int(w>>13&15)) && f.codesFit(bit) {
			return bit
		}
		bit++
	}
	return f.end
}

// skipTable says how many bits on the next block with codes of its own may begin, by the next
// skipBits bits: 0 for here.
var skipTable = sync.OnceValue(func() *[1 << skipBits]uint8 {
	t := new([1 << skipBits]uint8)
	for v := range t {
		n := 0
		for n < skipBits && !mayBegin(v>>n, skipBits-n) {
			n++
		}
		t[v] = uint8(n)
	}
	return t
})

// mayBegin judges a header by its first n bits.
func mayBegin(v, n int) bool {
	return (v^kindCodes)&blockKind&(1<<n-1) == 0 && (n < 8 || v>>3&31 <= usedLit-257) && (n < 13 || v>>8&31 <= usedDist-1)
}

// preComplete tells whether the first n lengths of the code for code lengths, 3 bits each, use up
// all words.
func preComplete(lens uint64, n int) bool {
	lens &= 1<<(3*n) - 1
	t := wordTable()
	return t[lens&0xfff]+t[lens>>12&0xfff]+t[lens>>24&0xfff]+t[lens>>36&0xfff]+t[lens>>48&0xfff] == 1<<preBits
}

// wordTable has, for four lengths, how many words of preBits bits they take.
var wordTable = sync.OnceValue(func() *[1 << 12]uint16 {
	t := new([1 << 12]uint16)
	for v := range t {
		for i := 0; i < 12; i += 3 {
			if n := v >> i & 7; n > 0 {
				t[v] += 1 << (preBits - n)
			}
		}
	}
	return t
})

// codesFit reads the code lengths at bit and tells whether they are ones that a compressor writes.
func (f *finder) codesFit(bit int) bool {
	b := bitReader{in: f.in, ip: bit >> 3}
	b.fill()
	b.drop(uint(bit&7) + 3)
	lit, dist, err := f.z.codeLengths(&b)
	if err != nil || lit[endOfBlock] == 0 || words(lit) != 1<<maxCode {
		return false
	}
	n := words(dist)
	return n == 1<<maxCode || n == 0 || n == 1<<(maxCode-1)
}

// words is how many words of maxCode bits a code takes.
func words(lens []uint8) (n int) {
	for _, l := range lens {
		if l > 0 {
			n += 1 << (maxCode - l)
		}
	}
	return n
}
