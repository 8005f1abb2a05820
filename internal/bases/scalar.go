package bases

import (
	"encoding/binary"
	"math/bits"
)

const (
	ascii01   = 0x0101010101010101    // one in each byte
	caseBits  = 0x2020202020202020    // what tells upper from lower case
	asciiA    = 'A' * uint64(ascii01) // the letter of code 0
	baseBits0 = 0x3333333333333333    // every other base
	baseBits1 = 0x0f0f0f0f0f0f0f0f    // every other pair of bases
)

func packScalar(dst []uint64, seq []byte) (clean bool) {
	bad := uint64(0)
	for k := range words(len(seq)) {
		w, b := packWord(seq[k*perWord : min((k+1)*perWord, len(seq))])
		dst[k] = w
		bad |= b
	}
	return bad == 0
}

// reverseScalar reverses and complements n packed bases.
func reverseScalar(rev, fwd []uint64, n int) {
	free := uint(-2*n) & 63 // bits of the last word
	k := words(n)
	for i := range k {
		w := flip(fwd[k-1-i]) >> free
		if i < k-1 {
			w |= flip(fwd[k-2-i]) << (64 - free) // nothing if none are free
		}
		rev[i] = w
	}
}

// flip reverses the bases of a word and complements each.
func flip(x uint64) uint64 {
	x = bits.ReverseBytes64(^x)
	x = x>>4&baseBits1 | x&baseBits1<<4
	return x>>2&baseBits0 | x&baseBits0<<2
}

// packWord packs at most 32 letters; bad is not zero if one is no ACGT.
func packWord(seq []byte) (word, bad uint64) {
	shift := uint(0)
	for ; len(seq) >= 8; seq = seq[8:] {
		v, b := pack8(binary.LittleEndian.Uint64(seq))
		bad |= b
		word |= v << shift
		shift += 16
	}
	if len(seq) > 0 {
		end := [8]byte{'A', 'A', 'A', 'A', 'A', 'A', 'A', 'A'}
		copy(end[:], seq)
		v, b := pack8(binary.LittleEndian.Uint64(end[:]))
		bad |= b
		word |= v << shift
	}
	return word, bad
}

// pack8 turns eight letters into sixteen bits; bad is not zero if one is no ACGT.
func pack8(x uint64) (v, bad uint64) {
	x &^= caseBits
	v = x >> 1 & (3 * ascii01) // A 0, C 1, T 2, G 3
	v ^= v >> 1 & ascii01      // A 0, C 1, G 2, T 3
	// The letter that stands for the code: A, and 2 more for C, 6 for G, 19 for T.
	b0, b1 := v&ascii01, v>>1&ascii01
	bad = x ^ (asciiA + 2*b0 + 6*b1 + 11*(b0&b1))
	if bad != 0 {
		v &^= 3 * notZero(bad)
	}
	v = (v | v>>6) & 0x000f000f000f000f
	v = (v | v>>12) & 0x000000ff000000ff
	return (v | v>>24) & 0xffff, bad
}

// notZero has a one in each byte where x is not zero.
func notZero(x uint64) uint64 {
	x |= x >> 4
	x |= x >> 2
	x |= x >> 1
	return x & ascii01
}

func codesScalar(dst, seq []byte) {
	for i, c := range seq {
		dst[i] = code[c]
	}
}

func codesReverseScalar(dst, seq []byte) {
	for i, c := range seq {
		dst[len(seq)-1-i] = complement[c]
	}
}

// code maps a letter to its code, complement to that of its complement.
var code, complement = func() (c, r [256]byte) {
	for i := range c {
		c[i], r[i] = N, N
	}
	for i, letter := range []byte("ACGT") {
		for _, l := range []byte{letter, letter | 0x20} {
			c[l], r[l] = byte(i), byte(3-i)
		}
	}
	return c, r
}()
