// Command gen writes the vector kernels of package syncmer. It has a module of its own, so that
// alignpipe does not depend on the assembler.
//
// A word holds the bases of 16 s-mers, so both kernels go by 16 k-mers, of which the last need
// hashes of the next word, half a word on. S-mer i of a word w is
//
//	as its reverse complement:  the complement of the 32 bits of w from 2i on
//	as it stands:               the same 32 bits, the order of the bases reversed
//
// Of the hash of an s-mer x only the greater half is needed: see mix in package syncmer. That
// of x*C is the greater half of x times C's lesser half, plus x times C's greater half.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const (
	block = 16 // k-mers decided at a time
	mid   = 2  // the middle s-mer of a k-mer

	mixLow  = 0x7f4a7c15 // halves of C
	mixHigh = 0x9e3779b9
)

func main() {
	ConstraintExpr("amd64")
	tables()
	avx512()
	avx2()
	hash()
	Generate()
}

var mixLows, mixHighs, turnBytes, turnLow, turnHigh, nibbles, ones Mem

// tables are those that more than one function uses.
func tables() {
	mixLows, mixHighs = table("mixLow", dwords(8, mixLow)...), table("mixHigh", dwords(8, mixHigh)...)
	turnBytes = table("turnBytes", bytes(32, func(i int) int { return i&8 | 7 - i&7 })...)
	turnLow = table("turnLow", bytes(32, func(i int) int { return (i&3<<2 | i>>2&3) << 4 })...)
	turnHigh = table("turnHigh", bytes(32, func(i int) int { return i&3<<2 | i>>2&3 })...)
	nibbles = table("nibbles", bytes(32, func(int) int { return 15 })...)
	ones = table("ones", bytes(32, func(int) int { return 255 })...)
}

// frame is what both kernels do beside arithmetic.
type frame struct {
	dst, packed, left Register // left: k-mers not decided yet
	found, mask       Register // mask: of the last lanes decided
}

func begin(name string) *frame {
	TEXT(name, NOSPLIT, "func(dst *int32, packed *byte, kmers int) (found int)")
	Pragma("noescape")
	Doc(name+" finds the syncmers among that many k-mers, at least one. It reads a word",
		"every 4 bytes, one more than there are blocks of 16 k-mers, and may write a whole block",
		"wherever it writes.")
	f := &frame{
		dst:    Load(Param("dst"), GP64()),
		packed: Load(Param("packed"), GP64()),
		left:   Load(Param("kmers"), GP64()),
		found:  GP64(),
		mask:   GP64(),
	}
	XORQ(f.found, f.found)
	return f
}

// end takes back what was found beyond the last k-mer.
func (f *frame) end() {
	Comment("what the last lanes found beyond the last k-mer")
	ADDQ(Imm(block), f.left)
	beyond, count := GP64(), RCX
	MOVQ(f.left, count)
	MOVQ(f.mask, beyond)
	SHRQ(CL, beyond)
	POPCNTQ(beyond, beyond)
	SUBQ(beyond, f.found)
	Store(f.found, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// table makes a read-only table of words.
func table(name string, words ...uint64) Mem {
	t := GLOBL(name, RODATA|NOPTR)
	for i, w := range words {
		DATA(8*i, U64(w))
	}
	return t
}

// bytes makes words of bytes.
func bytes(n int, at func(i int) int) []uint64 {
	words := make([]uint64, n/8)
	for i := range n {
		words[i/8] |= uint64(at(i)&0xff) << (8 * (i % 8))
	}
	return words
}

// dwords makes words of the same 32 bits.
func dwords(n int, v uint32) []uint64 {
	words := make([]uint64, n/2)
	for i := range words {
		words[i] = uint64(v)<<32 | uint64(v)
	}
	return words
}
