// Command gen writes the vector kernels of package affine; kernel_amd64.go there tells what
// they compute and how the band is laid out. It has a module of its own, so that alignpipe
// does not depend on the assembler.
//
// One generator serves lanes of 8 and 16 bits, and vectors of one or two YMM registers or a ZMM
// register, so the loop is written once: see (*kernel).step and cells. Bytes in masks and ZMM
// registers were no faster than AVX2 on Zen 4, so AVX-512 is for words only.
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
		{name: "fillWords64AVX512", bits: 16, regs: 1, lanes: 32, avx512: true},
	} {
		k.scores = scores
		k.generate()
	}
	four := table("four", []int{4, 7: 0}, 8)
	encodeWindow(four)
	encodeRead(four)
	Generate()
}

// scoreTable is looked up with the low four bits of a read code xor a window code. 13 and 14
// cannot happen, 15 is a place outside both.
func scoreTable() Mem {
	return table("scores", []int{match, mismatch, mismatch, mismatch,
		4: ambiguous, 5: ambiguous, 6: ambiguous, 7: ambiguous,
		8: ambiguous, 9: ambiguous, 10: ambiguous, 11: ambiguous, 12: ambiguous,
		13: -128, 14: -128, 15: -128}, 8)
}

// table makes a read-only table, whole 8 bytes long, of numbers of 8 or 16 bits.
func table(name string, values []int, bits int) Mem {
	t := GLOBL(name, RODATA|NOPTR)
	perWord := 64 / bits
	for at := 0; at < len(values); at += perWord {
		word := uint64(0)
		for i, v := range values[at : at+perWord] {
			word |= uint64(v) & (1<<bits - 1) << (bits * i)
		}
		DATA(at*bits/8, U64(word))
	}
	return t
}
