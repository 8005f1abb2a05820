package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// wide is the kernel with a block in a register, for CPUs that take 8 bits out of a word from
// anywhere (VBMI) and permute the bits of bytes (GFNI).
type wide struct {
	*frame
	cut, turnBytes, turnBases, ones VecVirtual
	low, high                       VecVirtual // halves of C
	even                            Register
}

func avx512() {
	k := &wide{frame: begin("findAVX512")}
	k.constants()
	lanes, step, h, next := ZMM(), ZMM(), ZMM(), ZMM()
	VPMOVZXBD(table("iota", bytes(16, func(i int) int { return i })...), lanes)
	VPBROADCASTD(table("block", block), step)
	k.hashes(h)

	Label("loop")
	ADDQ(Imm(block/4), k.packed)
	k.hashes(next)
	least, middle, is := ZMM(), ZMM(), K()
	VALIGND(U8(1), h, next, least)
	VPMINUD(h, least, least)
	for _, i := range []int{3, 4} {
		other := ZMM()
		VALIGND(U8(i), h, next, other)
		VPMINUD(other, least, least)
	}
	VALIGND(U8(mid), h, next, middle)
	VPCMPUD(U8(2), least, middle, is)
	KMOVW(is, k.mask.(GPVirtual).As32())
	at, count := ZMM(), GP64()
	VPCOMPRESSD_Z(lanes, is, at)
	VMOVDQU32(at, Mem{Base: k.dst, Index: k.found, Scale: 4})
	POPCNTQ(k.mask, count)
	ADDQ(count, k.found)
	VPADDD(step, lanes, lanes)
	VMOVDQA64(next, h)
	SUBQ(Imm(block), k.left)
	JGT(LabelRef("loop"))
	k.end()
}

func (k *wide) constants() {
	k.cut, k.turnBytes, k.turnBases, k.ones = ZMM(), ZMM(), ZMM(), ZMM()
	k.low, k.high, k.even = ZMM(), ZMM(), K()
	VMOVDQU64(table("cut", bytes(64, func(i int) int { return 2*(i/4) + 8*(i%4) })...), k.cut)
	VBROADCASTI32X4(table("turnLanes", bytes(16, func(i int) int { return i&12 | (3 - i&3) })...), k.turnBytes)
	VPBROADCASTQ(table("turnBases", 0x4080102004080102), k.turnBases)
	VPTERNLOGD(U8(0xff), k.ones, k.ones, k.ones)
	VPBROADCASTD(mixLows, k.low)
	VPBROADCASTD(mixHighs, k.high)
	r := GP32()
	MOVL(U32(0x5555), r)
	KMOVW(r, k.even)
}

// hashes gives the hashes of the s-mers of the word at packed.
func (k *wide) hashes(h VecVirtual) {
	x, rev := ZMM(), ZMM()
	VPMULTISHIFTQB_BCST(Mem{Base: k.packed}, k.cut, rev)
	VPSHUFB(k.turnBytes, rev, x)
	VGF2P8AFFINEQB(U8(0), k.turnBases, x, x)
	VPXORD(k.ones, rev, rev)
	VPMINUD(rev, x, x)

	even, product := ZMM(), ZMM()
	VPMULUDQ(k.low, x, even)
	VPSRLQ(Imm(32), x, h)
	VPMULUDQ(k.low, h, h)
	VPMULLD(k.high, x, product)
	VMOVSHDUP(even, k.even, h)
	VPADDD(product, h, h)
}
