// Command gen writes the vector kernels of package affine; kernel_amd64.go there tells what
// they compute and how the band is laid out. It has a module of its own, so that alignpipe
// does not depend on the assembler.
//
// One generator serves lanes of 8 and 16 bits, one or two registers a vector, AVX2 and
// AVX-512, so the loop is written once: see (*kernel).step.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// Scores and codes, as in package affine.
const (
	match     = 1
	mismatch  = -4
	ambiguous = -1
	gapOpen   = 7 // first base of a gap
	gapExtend = 1
	clip      = 5

	floorScore = -6 // the score that a lane's smallest value stands for
)

func main() {
	ConstraintExpr("amd64")
	scores := scoreTable()
	for _, k := range []*kernel{
		{name: "fillBytes64AVX2", bits: 8, regs: 1, lanes: 32},
		{name: "fillBytes128AVX2", bits: 8, regs: 2, lanes: 64},
		{name: "fillWords64AVX2", bits: 16, regs: 2, lanes: 32},
		{name: "fillBytes64AVX512", bits: 8, regs: 1, lanes: 32, avx512: true},
		{name: "fillBytes128AVX512", bits: 8, regs: 1, lanes: 64, avx512: true},
		{name: "fillWords64AVX512", bits: 16, regs: 1, lanes: 32, avx512: true},
	} {
		k.scores = scores
		k.generate()
	}
	four := constant("four", 4)
	encodeWindow(four)
	encodeRead(four)
	Generate()
}

// scoreTable is looked up with the low four bits of a read code xor a window code. 13 and 14
// cannot happen, 15 is a place outside both.
func scoreTable() Mem {
	t := GLOBL("scores", RODATA|NOPTR)
	row := [16]int8{match, mismatch, mismatch, mismatch,
		4: ambiguous, 5: ambiguous, 6: ambiguous, 7: ambiguous,
		8: ambiguous, 9: ambiguous, 10: ambiguous, 11: ambiguous, 12: ambiguous,
		13: -128, 14: -128, 15: -128}
	for i, s := range row {
		DATA(i, I8(s))
	}
	return t
}
