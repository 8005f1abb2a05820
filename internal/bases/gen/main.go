// Command gen writes the vector kernels of package bases. It has a module of its own, so that
// alignpipe does not depend on the assembler.
//
// All take 32 letters at a time: the low half of a letter looks up its code, and the letter it
// would have to be. What is left at the end is taken with some letters before it once more.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const (
	lanes   = 32
	swapped = 0b01001110 // VPERMQ: the halves of a register
)

func main() {
	ConstraintExpr("amd64")
	upper := fill("upper", 0xdf)
	letters := letterTable("letters", 'A', map[byte]int{'A': 'A', 'C': 'C', 'G': 'G', 'T': 'T'}) // no other ends in 1
	codes := letterTable("codes", 0, map[byte]int{'A': 0, 'C': 1, 'G': 2, 'T': 3})
	complements := letterTable("complements", 0, map[byte]int{'A': 3, 'C': 2, 'G': 1, 'T': 0})
	forward := &kernel{upper: upper, letters: letters, codes: codes}
	forward.pack("packAVX2", false)
	forward.pack("packReverseAVX2", true)
	forward.encode("codesAVX2", false)
	reverse := &kernel{upper: upper, letters: letters, codes: complements}
	reverse.encode("codesReverseAVX2", true)
	Generate()
}

// kernel is what looks up letters.
type kernel struct{ upper, letters, codes Mem }

// look gives the codes of 32 letters, and all ones where they are right. Elsewhere codes are
// not defined.
func (k *kernel) look(at Mem, codes, right VecVirtual) {
	letter := YMM()
	VMOVDQU(at, letter)
	VPAND(k.upper, letter, letter)
	VMOVDQU(k.letters, right)
	VPSHUFB(letter, right, right)
	VPCMPEQB(letter, right, right)
	VMOVDQU(k.codes, codes)
	VPSHUFB(letter, codes, codes)
}

// pack writes words of 32 bases. From the last base to the first, what is brought together by
// products only swaps its weights.
func (k *kernel) pack(name string, reverse bool) {
	TEXT(name, NOSPLIT, "func(dst *uint64, seq *byte, n int) (bad uint32)")
	Pragma("noescape")
	Doc(name + " packs n letters, 32 or more; bad is not zero if one is no ACGT.")
	dst, seq, n := Load(Param("dst"), GP64()), Load(Param("seq"), GP64()), Load(Param("n"), GP64())
	first, step := seq, lanes
	pairs, fours, join := []int{1, 4}, []int{1, 0, 16, 0}, []int{0, 4, 8, 12}
	if reverse {
		first, step = GP64(), -lanes
		pairs, fours, join = []int{4, 1}, []int{16, 0, 1, 0}, []int{12, 8, 4, 0}
		MOVQ(seq, first)
		LEAQ(Mem{Base: seq, Index: n, Scale: 1, Disp: -lanes}, seq)
	}
	pairTable, fourTable := fill(name+"Pairs", pairs...), fill(name+"Fours", fours...)
	joinTable := fill(name+"Join", append(join, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1)...)
	all := YMM()
	VPCMPEQB(all, all, all)
	word := GP64()
	letters := func(at Mem) {
		codes, right, high := YMM(), YMM(), XMM()
		k.look(at, codes, right)
		VPAND(right, all, all)
		VPAND(right, codes, codes)
		VPMADDUBSW(pairTable, codes, codes)
		VPMADDWD(fourTable, codes, codes)
		VPSHUFB(joinTable, codes, codes)
		VEXTRACTI128(Imm(1), codes, high)
		if reverse {
			VPUNPCKLDQ(codes.AsX(), high, high)
		} else {
			VPUNPCKLDQ(high, codes.AsX(), high)
		}
		VMOVQ(high, word)
		if reverse {
			NOTQ(word)
		}
	}

	Label("loop")
	letters(Mem{Base: seq})
	MOVQ(word, Mem{Base: dst})
	ADDQ(I32(int32(step)), seq)
	ADDQ(Imm(8), dst)
	SUBQ(Imm(lanes), n)
	CMPQ(n, Imm(lanes))
	JGE(LabelRef("loop"))
	TESTQ(n, n)
	JEQ(LabelRef("done"))
	Comment("the last word, shifted out of 32 letters")
	if reverse {
		letters(Mem{Base: first})
	} else {
		letters(Mem{Base: seq, Index: n, Scale: 1, Disp: -lanes})
	}
	MOVQ(n, RCX)
	NEGQ(RCX)
	ADDQ(Imm(lanes), RCX)
	ADDQ(RCX, RCX)
	SHRQ(CL, word)
	MOVQ(word, Mem{Base: dst})

	Label("done")
	bad := GP32()
	VPMOVMSKB(all, bad)
	NOTL(bad)
	Store(bad, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// encode writes a byte for each letter.
func (k *kernel) encode(name string, reverse bool) {
	TEXT(name, NOSPLIT, "func(dst, seq *byte, n int)")
	Pragma("noescape")
	Doc(name + " writes the codes of n letters, 32 or more.")
	dst, seq, n := Load(Param("dst"), GP64()), Load(Param("seq"), GP64()), Load(Param("n"), GP64())
	none := YMM()
	VMOVDQU(fill(name+"None", 4), none)
	var turn VecVirtual
	if reverse {
		turn = YMM()
		VMOVDQU(fill("turn", 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), turn)
	}
	at := GP64()
	XORQ(at, at)
	SUBQ(Imm(lanes), n) // where the last letters begin
	if reverse {
		ADDQ(n, dst)
	}
	Label("loop")
	codes, right := YMM(), YMM()
	k.look(Mem{Base: seq, Index: at, Scale: 1}, codes, right)
	VPBLENDVB(right, codes, none, codes)
	if reverse {
		VPSHUFB(turn, codes, codes)
		VPERMQ(U8(swapped), codes, codes)
		to := GP64()
		MOVQ(dst, to)
		SUBQ(at, to)
		VMOVDQU(codes, Mem{Base: to})
	} else {
		VMOVDQU(codes, Mem{Base: dst, Index: at, Scale: 1})
	}
	CMPQ(at, n)
	JEQ(LabelRef("done"))
	ADDQ(Imm(lanes), at)
	CMPQ(at, n)
	CMOVQGT(n, at)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}

// letterTable is looked up with the low half of a letter, twice since VPSHUFB sees 16 bytes.
func letterTable(name string, other int, of map[byte]int) Mem {
	values := make([]int, 16)
	for i := range values {
		values[i] = other
	}
	for letter, v := range of {
		values[letter&15] = v
	}
	return fill(name, values...)
}

// fill makes a read-only table of 32 bytes, in which values repeat.
func fill(name string, values ...int) Mem {
	t := GLOBL(name, RODATA|NOPTR)
	for at := 0; at < lanes; at += 8 {
		word := uint64(0)
		for i := range 8 {
			word |= uint64(values[(at+i)%len(values)]&0xff) << (8 * i)
		}
		DATA(at, U64(word))
	}
	return t
}
