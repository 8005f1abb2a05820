package syncmer

import (
	"encoding/binary"
	"math/bits"
)

const (
	HashBits = 2 * K // of a k-mer's hash, which is a bijection
	kmerMask = 1<<HashBits - 1
)

// Palindrome stands for a k-mer that is its own reverse complement, and so is on no strand.
const Palindrome = ^uint64(0)

// Hash writes the hashes of the canonical k-mers at positions that [Find] returned to dst. A
// hash is shifted up by one, and the lowest bit says that the canonical k-mer is the reverse
// complement of what stands there.
func Hash(dst []uint64, packed []byte, pos []int32) {
	dst = dst[:len(pos)]
	n := len(pos)
	for n > 0 && int(pos[n-1])/4+wordSize > len(packed) {
		n-- // a kernel would read beyond the end
	}
	if n < minHashed || inUse == scalar {
		n = 0
	} else {
		hashAVX2(&dst[0], &packed[0], &pos[0], n)
	}
	for i := n; i < len(pos); i++ {
		dst[i] = hashAt(packed, int(pos[i]))
	}
}

// minHashed is how many k-mers the kernel takes at a time.
const minHashed = 4

func hashAt(packed []byte, pos int) uint64 {
	packed = packed[pos/4:]
	if len(packed) < wordSize {
		var end [wordSize]byte
		copy(end[:], packed)
		packed = end[:]
	}
	word := binary.LittleEndian.Uint64(packed) >> (2 * uint(pos&3))
	kmer, rev := turn(word)>>(64-HashBits), ^word&kmerMask
	switch {
	case kmer < rev:
		return mixK(kmer) << 1
	case kmer > rev:
		return mixK(rev)<<1 | 1
	default:
		return Palindrome
	}
}

// turn reverses the bases of a word.
func turn(x uint64) uint64 {
	x = bits.ReverseBytes64(x)
	x = x>>4&0x0f0f0f0f0f0f0f0f | x&0x0f0f0f0f0f0f0f0f<<4
	return x>>2&0x3333333333333333 | x&0x3333333333333333<<2
}

// mixK is an invertible hash of HashBits bits (Thomas Wang's, as in minimap2).
func mixK(x uint64) uint64 {
	x = (^x + x<<21) & kmerMask
	x ^= x >> 24
	x = (x + x<<3 + x<<8) & kmerMask
	x ^= x >> 14
	x = (x + x<<2 + x<<4) & kmerMask
	x ^= x >> 28
	return (x + x<<31) & kmerMask
}
