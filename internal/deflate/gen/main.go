// Command gen writes the kernel of package deflate. It has a module of its own, so that alignpipe
// does not depend on the assembler.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64")
	write()
	Generate()
}

// write is codeTable.write of package deflate, with the shifts of BMI2, which take their count
// from any register and leave the flags alone.
func write() {
	TEXT("writeBMI2", NOSPLIT, "func(out *byte, items *uint32, pairs int, table *uint64, hold uint64, held uint64) (written int, holdOut uint64, heldOut uint64)")
	Pragma("noescape")
	Doc("writeBMI2 writes 2*pairs items. It returns how many bytes are complete, and what is held of the next.")
	out, items, pairs := Load(Param("out"), GP64()), Load(Param("items"), GP64()), Load(Param("pairs"), GP64())
	table, hold, held := Load(Param("table"), GP64()), Load(Param("hold"), GP64()), Load(Param("held"), GP64())
	start := GP64()
	MOVQ(out, start)
	mask := GP64()
	MOVQ(I32(1023), mask)

	Label("pair")
	TESTQ(pairs, pairs)
	JZ(LabelRef("end"))
	v0, n0 := bits(items, 0, table, mask)
	v1, n1 := bits(items, 4, table, mask)
	SHLXQ(n0, v1, v1)
	ORQ(v0, v1)
	SHLXQ(held, v1, v1)
	ORQ(v1, hold)
	ADDQ(n1, n0)
	ADDQ(n0, held)
	MOVQ(hold, Mem{Base: out})
	whole := GP64()
	MOVQ(held, whole)
	SHRQ(Imm(3), whole)
	ADDQ(whole, out)
	SHLQ(Imm(3), whole)
	SHRXQ(whole, hold, hold)
	ANDQ(Imm(7), held)
	ADDQ(Imm(8), items)
	DECQ(pairs)
	JMP(LabelRef("pair"))

	Label("end")
	SUBQ(start, out)
	Store(out, Return("written"))
	Store(hold, Return("holdOut"))
	Store(held, Return("heldOut"))
	RET()
}

// bits is codeTable.bits of the item at an offset.
func bits(items Register, at int, table, mask Register) (v, n GPVirtual) {
	it, k, e := GP64(), GP64(), GP64()
	v = GP64()
	MOVL(Mem{Base: items, Disp: at}, it.As32())
	MOVL(it.As32(), k.As32())
	ANDL(mask.(GP).As32(), k.As32())
	SHRL(Imm(10), it.As32())
	MOVQ(Mem{Base: table, Index: k, Scale: 8}, e)
	MOVL(e.As32(), v.As32())
	SHRQ(Imm(32), e) // the length of the code in the lowest six bits, which is all that a shift looks at
	SHLXQ(e, it, it)
	ORQ(it, v)
	SHRQ(Imm(8), e)
	return v, e
}
