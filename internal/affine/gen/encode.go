package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// encodeWindow writes the codes of a window: what is above 3 becomes 4.
func encodeWindow(fours Mem) {
	TEXT("encodeWindowAVX2", NOSPLIT, "func(dst, src *byte, n int)")
	Pragma("noescape")
	Doc("encodeWindowAVX2 encodes n bases of a window, n a multiple of 32.")
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	four := YMM()
	VPBROADCASTB(fours, four)
	Label("loop")
	SUBQ(Imm(32), n)
	JLT(LabelRef("done"))
	y := YMM()
	VPMINUB(Mem{Base: src}, four, y)
	VMOVDQU(y, Mem{Base: dst})
	ADDQ(Imm(32), src)
	ADDQ(Imm(32), dst)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}

// encodeRead writes the codes of a read backwards, so that lanes go down its rows.
func encodeRead(fours Mem) {
	TEXT("encodeReadAVX2", NOSPLIT, "func(end, src *byte, n int)")
	Pragma("noescape")
	Doc("encodeReadAVX2 encodes n bases of a read from end backwards, n a multiple of 32.")
	dst, src, n := Load(Param("end"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	four, codes, backwards := YMM(), YMM(), YMM()
	VPBROADCASTB(fours, four)
	VBROADCASTI128(table("readCodes", []int{0x10, 0x11, 0x12, 0x13, 0x18, 15: 0}, 8), codes)
	VBROADCASTI128(table("backwards", []int{15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}, 8), backwards)
	Label("loop")
	SUBQ(Imm(32), n)
	JLT(LabelRef("done"))
	y := YMM()
	VPMINUB(Mem{Base: src}, four, y)
	VPSHUFB(y, codes, y)
	VPSHUFB(backwards, y, y)
	VPERMQ(U8(0b01001110), y, y)
	SUBQ(Imm(32), dst)
	VMOVDQU(y, Mem{Base: dst})
	ADDQ(Imm(32), src)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}
