package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const (
	kmerBits = 40
	hashed   = 4 // k-mers at a time, each in a lane of 64 bits
)

// hash writes hashes of k-mers. The last ones are taken with some before them once more.
func hash() {
	TEXT("hashAVX2", NOSPLIT, "func(dst *uint64, packed *byte, pos *int32, n int)")
	Pragma("noescape")
	Doc("hashAVX2 hashes n k-mers, 4 or more. It reads a word from the byte where each begins.")
	dst, packed := Load(Param("dst"), GP64()), Load(Param("packed"), GP64())
	pos, n := Load(Param("pos"), GP64()), Load(Param("n"), GP64())
	i := GP64()
	XORQ(i, i)
	SUBQ(Imm(hashed), n) // where the last ones begin
	mask, minusOne, three := YMM(), YMM(), YMM()
	VPCMPEQQ(minusOne, minusOne, minusOne)
	VPSRLQ(Imm(64-kmerBits), minusOne, mask)
	VPSRLQ(Imm(62), minusOne, three)

	Label("loop")
	at, from, all, word := YMM(), YMM(), YMM(), YMM()
	VPMOVSXDQ(Mem{Base: pos, Index: i, Scale: 4}, at)
	VPSRLQ(Imm(2), at, from)
	VMOVDQA(minusOne, all)
	VPXOR(word, word, word)
	VPGATHERQQ(all, Mem{Base: packed, Index: from, Scale: 1}, word)
	VPAND(three, at, at)
	VPADDQ(at, at, at)
	VPSRLVQ(at, word, word)

	kmer, rev, isRev, same := YMM(), YMM(), YMM(), YMM()
	turn(word, kmer)
	VPSRLQ(Imm(64-kmerBits), kmer, kmer)
	VPANDN(mask, word, rev)
	VPCMPGTQ(rev, kmer, isRev)
	VPCMPEQQ(rev, kmer, same)
	VPBLENDVB(isRev, rev, kmer, kmer)
	mixKmers(kmer, mask, minusOne)
	VPADDQ(kmer, kmer, kmer)
	VPSUBQ(isRev, kmer, kmer)
	VPOR(same, kmer, kmer)
	VMOVDQU(kmer, Mem{Base: dst, Index: i, Scale: 8})

	CMPQ(i, n)
	JEQ(LabelRef("done"))
	ADDQ(Imm(hashed), i)
	CMPQ(i, n)
	CMOVQGT(n, i)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}

// mixKmers is mixK of package syncmer.
func mixKmers(x, mask, minusOne VecVirtual) {
	t := YMM()
	VPSLLQ(Imm(21), x, t)
	VPSUBQ(x, t, x)
	VPADDQ(minusOne, x, x)
	VPAND(mask, x, x)
	fold := func(shift uint64) {
		t := YMM()
		VPSRLQ(Imm(shift), x, t)
		VPXOR(t, x, x)
	}
	spread := func(shifts ...uint64) {
		var ts []VecVirtual
		for _, shift := range shifts {
			t := YMM()
			VPSLLQ(Imm(shift), x, t)
			ts = append(ts, t)
		}
		for _, t := range ts {
			VPADDQ(t, x, x)
		}
		VPAND(mask, x, x)
	}
	fold(24)
	spread(3, 8)
	fold(14)
	spread(2, 4)
	fold(28)
	spread(31)
}
