//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import (
	"encoding/binary"
	"math/bits"
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
	headerBits = 13     // that decide whether a header may be one
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
	z      *inflater // its code lengths and their code are used, which mean nothing between headers
	in     []byte
	end    int // bit: starts are before it
	words  *[1 << 12]uint16
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
	f.words = wordTable()
	for at := from >> 3; 8*at < f.end; at += beginBytes {
		begins := codedBegins(binary.LittleEndian.Uint64(f.in[at:]))
		for ; begins != 0; begins &= begins - 1 {
			bit := 8*at + bits.TrailingZeros64(begins)
			if f.preComplete(bit) && bit >= from && bit < f.end && f.codesFit(bit) {
				return bit
			}
		}
	}
	return f.end
}

// beginBytes is how many bytes codedBegins judges at once.
const beginBytes = 6

// codedBegins has those bits set, of the first 48, where w has what begins a block with codes of
// its own: the kind, and numbers of words that are not too large, which 30 and 31 are.
func codedBegins(w uint64) uint64 {
	kind := ^w & ^(w >> 1) & (w >> 2)
	four := w & (w >> 1) & (w >> 2) & (w >> 3) // ones in a row
	return kind &^ (four >> 4) &^ (four >> 9) & (1<<(8*beginBytes) - 1)
}

// preComplete tells whether the code for code lengths of the block at bit uses up all its words.
func (f *finder) preComplete(bit int) bool {
	at := bit + headerBits
	v := binary.LittleEndian.Uint64(f.in[at>>3:]) >> (at & 7) // 4 bits for how many, then 3 for each: up to 61
	n := 4 + int(v&15)
	lens := (v>>4 | uint64(f.in[at>>3+8])<<(60-at&7)) & (1<<(3*n) - 1)
	return f.words[lens&0xfff]+f.words[lens>>12&0xfff]+f.words[lens>>24&0xfff]+f.words[lens>>36&0xfff]+f.words[lens>>48&0xfff] == 1<<preBits
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
