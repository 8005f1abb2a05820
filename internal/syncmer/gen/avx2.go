package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const lanes = 8 // of a register: half a block

// narrow is the kernel with a block in two registers. It goes by halves, and has few enough
// values alive for the 16 registers that AVX2 knows.
type narrow struct {
	*frame
	word, turned VecVirtual                                        // the block's bases: complements; their order reversed
	low, at      VecVirtual                                        // half of C; positions of lanes
	halves       [2]GPVirtual                                      // of the mask
	cut          [2]struct{ fwdEven, fwdOdd, revEven, revOdd Mem } // shifts of each half of a block
	spread       Mem                                               // lanes of a mask, packed: a word each
	lanes        Mem                                               // how many in each
}

func avx2() {
	k := &narrow{frame: begin("findAVX2"), word: YMM(), turned: YMM(), low: YMM(), at: YMM(), halves: [2]GPVirtual{GP64(), GP64()}}
	k.constants()
	VPXOR(k.at, k.at, k.at)
	k.load()
	first, second, next := YMM(), YMM(), YMM()
	k.hashes(0, first)

	Label("loop")
	k.hashes(1, second)
	k.decide(0, first, second)
	ADDQ(Imm(block/4), k.packed)
	k.load()
	k.hashes(0, next)
	k.decide(1, second, next)
	VMOVDQA(next, first)
	SUBQ(Imm(block), k.left)
	JGT(LabelRef("loop"))
	SHLQ(Imm(lanes), k.halves[1])
	MOVQ(k.halves[0], k.mask)
	ORQ(k.halves[1], k.mask)
	k.end()
}

// decide writes which k-mers of half a block are syncmers; next has the hashes after h.
func (k *narrow) decide(half int, h, next VecVirtual) {
	across, least := YMM(), YMM()
	VPERM2I128(U8(0x21), next, h, across) // h's upper lanes, next's lower ones
	shifted := func(i int) VecVirtual {
		t := YMM()
		VPALIGNR(U8(4*i), h, across, t)
		return t
	}
	VPMINUD(across, h, least) // of s-mers 0 and 4
	VPMINUD(shifted(1), least, least)
	VPMINUD(shifted(3), least, least)
	middle := shifted(mid)
	VPMINUD(middle, least, least)
	VPCMPEQD(middle, least, least)
	k.write(least, k.halves[half])
}

func (k *narrow) constants() {
	VMOVDQU(mixLows, k.low)
	k.lanes = table("lanes", dwords(lanes, lanes)...)
	shifts := func(name string, half int, shift func(base int) int) Mem {
		var words []uint64
		for i := range 4 {
			words = append(words, uint64(shift(lanes*half+2*i)))
		}
		return table(fmt.Sprint(name, half), words...)
	}
	for i := range 2 {
		c := &k.cut[i]
		c.fwdEven = shifts("fwdEven", i, func(base int) int { return 32 - 2*base })
		c.fwdOdd = shifts("fwdOdd", i, func(base int) int { return 2 * (base + 1) })
		c.revEven = shifts("revEven", i, func(base int) int { return 2 * base })
		c.revOdd = shifts("revOdd", i, func(base int) int { return 32 - 2*(base+1) })
	}
	var words []uint64
	for mask := range 1 << lanes {
		word, n := uint64(0), 0
		for i := range lanes {
			if mask>>i&1 != 0 {
				word |= uint64(i) << (8 * n)
				n++
			}
		}
		words = append(words, word)
	}
	k.spread = table("spread", words...)
}

// load takes the word at packed, and complements it for the other strand.
func (k *narrow) load() {
	VPBROADCASTQ(Mem{Base: k.packed}, k.word)
	turn(k.word, k.turned)
	VPXOR(ones, k.word, k.word)
}

// hashes gives the hashes of half a block's s-mers.
func (k *narrow) hashes(half int, h VecVirtual) {
	x, rev, odd := YMM(), YMM(), YMM()
	c := &k.cut[half]
	cutLanes(k.turned, c.fwdEven, c.fwdOdd, x)
	cutLanes(k.word, c.revEven, c.revOdd, rev)
	VPMINUD(rev, x, x)

	VPMULUDQ(k.low, x, h)
	VPSRLQ(Imm(32), x, odd)
	VPMULUDQ(k.low, odd, odd)
	VPSRLQ(Imm(32), h, h)
	VPBLENDD(U8(0xaa), odd, h, h)
	VPMULLD(mixHighs, x, x)
	VPADDD(x, h, h)
}

// turn reverses the bases of each word.
func turn(word, to VecVirtual) {
	high, t := YMM(), YMM()
	VPSHUFB(turnBytes, word, to)
	VPSRLW(Imm(4), to, high)
	VPAND(nibbles, high, high)
	VPAND(nibbles, to, to)
	VMOVDQU(turnLow, t)
	VPSHUFB(to, t, to)
	VMOVDQU(turnHigh, t)
	VPSHUFB(high, t, high)
	VPOR(high, to, to)
}

// cutLanes shifts what even lanes need down to them, and what odd lanes need up.
func cutLanes(word VecVirtual, even, odd Mem, to VecVirtual) {
	t := YMM()
	VPSRLVQ(even, word, to)
	VPSLLVQ(odd, word, t)
	VPBLENDD(U8(0xaa), t, to, to)
}

// write adds the positions of half a block.
func (k *narrow) write(is VecVirtual, mask GPVirtual) {
	VMOVMSKPS(is, mask.As32())
	y, count, base := YMM(), GP64(), GP64()
	LEAQ(k.spread, base)
	VPMOVZXBD(Mem{Base: base, Index: mask, Scale: 8}, y)
	VPADDD(k.at, y, y)
	VMOVDQU(y, Mem{Base: k.dst, Index: k.found, Scale: 4})
	POPCNTQ(mask, count)
	ADDQ(count, k.found)
	VPADDD(k.lanes, k.at, k.at)
}
