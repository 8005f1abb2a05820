package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// kernel is one function that fills a band of 2*lanes diagonals.
type kernel struct {
	name   string
	bits   int // of a lane
	regs   int // of a vector
	lanes  int
	avx512 bool
	scores Mem

	vec func() VecVirtual // a new register of lanes; bases and their scores are bytes in YMMs

	read, window, trace    Register
	freshAt, endAt         Register
	deadAt, openAt         [2]Register
	table, floor, one      Op
	dead, open             [2]Op // registers when there are enough of them, else nil
	h                      [2][]VecVirtual
	best, del, ins         []VecVirtual
	freshTable, endTable   Mem
	deadTable, openTable   Mem
	floorTable, unitsTable Mem
}

// element is a lane's size in bytes.
func (k *kernel) element() int { return k.bits / 8 }

// width is a register's size in bytes.
func (k *kernel) width() int { return k.lanes * k.element() / k.regs }

// floorValue is the smallest value of a lane.
func (k *kernel) floorValue() int { return -1 << (k.bits - 1) }

// data makes a table for this kernel.
func (k *kernel) data(name string, bits int, values ...int) Mem {
	return table(fmt.Sprintf("%s_%s", name, k.name), values, bits)
}

// runs gives k.lanes times each value.
func (k *kernel) runs(values ...int) []int {
	var out []int
	for _, v := range values {
		for range k.lanes {
			out = append(out, v)
		}
	}
	return out
}

// tables that a vector is loaded from at an offset. Lanes go down the rows of the read.
func (k *kernel) tables() {
	zero := k.floorValue() - floorScore
	fresh := k.runs(zero-clip, k.floorValue()) // rows above 0, row 0, rows before the read
	fresh[k.lanes] = zero
	fresh = append(fresh, k.floorValue())
	k.freshTable = k.data("fresh", k.bits, fresh...)
	k.endTable = k.data("end", k.bits, k.runs(0, clip)...) // the last row and beyond, rows before
	k.deadTable = k.data("dead", 8, k.runs(0, -128)...)
	// Deletions run out of the band into dead lanes, which then hold real scores. Insertions
	// that open there cost too much to come back. The 127 of bytes are enough: y lanes out and
	// back cost 132+2y, y mismatches 4y, and no score of 250 reaches where that is more.
	never := 1<<(k.bits-1) - 1
	k.openTable = k.data("open", k.bits, k.runs(gapOpen, never)...)
	k.floorTable = k.data("floor", k.bits, k.runs(k.floorValue())...)
	k.unitsTable = k.data("units", k.bits, k.runs(gapExtend)...)
}

func (k *kernel) generate() {
	k.tables()
	TEXT(k.name, NOSPLIT, "func(read, window *byte, n, steps, live0, live1 int, trace *[6]uint64) (best int, at uint64)")
	Pragma("noescape")
	Doc(k.name + " fills a band; see fillFunc.")
	k.registers()
	k.prologue()
	n, steps := Load(Param("n"), GP64()), Load(Param("steps"), GP64())
	toLast := GP64() // where endTable is read, in lanes: falls to 0 as the lanes reach the last row
	LEAQ(Mem{Base: n, Disp: k.lanes - 2}, toLast)
	k.freshAt, k.endAt = GP64(), GP64()
	LEAQ(k.freshTable.Offset(k.element()*k.lanes), k.freshAt)

	Label("loop")
	Comment("rows of this anti-diagonal against the end of the read")
	base := GP64()
	LEAQ(k.endTable, base)
	MOVQ(U32(k.lanes), k.endAt)
	CMPQ(toLast, k.endAt)
	CMOVQLT(toLast, k.endAt)
	LEAQ(Mem{Base: base, Index: k.endAt, Scale: uint8(k.element())}, k.endAt)
	DECQ(toLast)
	k.step(0)
	k.step(1)
	Comment("and against its start, for the next")
	SUBQ(Imm(uint64(k.element())), k.freshAt)
	LEAQ(k.freshTable, base)
	CMPQ(k.freshAt, base)
	CMOVQLT(base, k.freshAt)
	DECQ(k.read)
	INCQ(k.window)
	ADDQ(U32(stepBytes*k.lanes/32), k.trace)
	DECQ(steps)
	JNZ(LabelRef("loop"))

	k.reduce()
	VZEROUPPER()
	RET()
}

// registers loads the arguments, and finds where in its tables the band ends.
func (k *kernel) registers() {
	k.vec = YMM
	if k.width() == 64 {
		k.vec = ZMM
	}
	k.read = Load(Param("read"), GP64())
	k.window = Load(Param("window"), GP64())
	k.trace = Load(Param("trace"), GP64())
	for p := range 2 {
		live := Load(Param(fmt.Sprint("live", p)), GP64())
		last := GP64()
		MOVQ(U32(k.lanes), last)
		SUBQ(live, last)
		k.deadAt[p], k.openAt[p] = GP64(), GP64()
		LEAQ(k.deadTable, k.deadAt[p])
		ADDQ(last, k.deadAt[p])
		LEAQ(k.openTable, k.openAt[p])
		if k.bits == 16 {
			ADDQ(last, last)
		}
		ADDQ(last, k.openAt[p])
	}
}

// prologue fills the registers that the loop keeps.
func (k *kernel) prologue() {
	k.floor, k.one = k.floorTable, k.unitsTable
	if k.regs == 1 {
		k.floor, k.one = k.load(k.floorTable), k.load(k.unitsTable)
		k.table = k.loadTable()
		for p := range 2 {
			k.dead[p], k.open[p] = YMM(), k.vec()
			k.move(Mem{Base: k.deadAt[p]}, k.dead[p])
			k.move(Mem{Base: k.openAt[p]}, k.open[p])
		}
	}
	for _, v := range []*[]VecVirtual{&k.h[0], &k.h[1], &k.best, &k.del, &k.ins} {
		for range k.regs {
			*v = append(*v, k.load(k.floorTable).(VecVirtual))
		}
	}
}

func (k *kernel) load(m Mem) Op {
	v := k.vec()
	k.move(m, v)
	return v
}

func (k *kernel) loadTable() Op {
	v := YMM()
	VBROADCASTI128(k.scores, v)
	return v
}

func (k *kernel) move(from, to Op) {
	if k.avx512 {
		VMOVDQU64(from, to)
	} else {
		VMOVDQU(from, to)
	}
}

// step fills the cells of one anti-diagonal.
func (k *kernel) step(p int) {
	Comment(fmt.Sprintf("parity %d: del and ins come from the anti-diagonal before, h from the one before that", p))
	if p == 0 {
		k.shiftUp(k.del)
	} else {
		k.shiftDown(k.ins)
	}
	for r, score := range k.pairScores(p) {
		k.cells(p, r, score)
	}
}

// pairScores gives the vector of match and mismatch scores. Places outside the read, the
// window and the band have -97 or less: bit 7 of the xor is set there, and the xor itself is
// taken for the score.
func (k *kernel) pairScores(p int) []VecVirtual {
	regs := k.regs
	if k.bits == 16 {
		regs = 1 // 32 bytes become two registers of words
	}
	var scores []VecVirtual
	for r := range regs {
		x, s := YMM(), YMM()
		off := r * 32
		window := Mem{Base: k.window, Disp: p + off}
		k.move(Mem{Base: k.read, Disp: off}, x)
		dead := k.dead[p]
		if dead == nil {
			dead = Mem{Base: k.deadAt[p], Disp: off}
		}
		if k.avx512 {
			VPTERNLOGQ(U8(0xde), window, dead, x) // (x^window)|dead
		} else {
			VPXOR(window, x, x)
			VPOR(dead, x, x)
		}
		table := k.table
		if table == nil {
			table = k.loadTable()
		}
		VPSHUFB(x, table, s)
		VPMINSB(x, s, s)
		scores = append(scores, s)
	}
	if k.bits == 16 {
		return k.widen(scores[0])
	}
	return scores
}

func (k *kernel) widen(s VecVirtual) []VecVirtual {
	if k.regs == 1 {
		w := k.vec()
		VPMOVSXBW(s, w)
		return []VecVirtual{w}
	}
	low, high := YMM(), YMM()
	VEXTRACTI128(U8(1), s, high.AsX())
	VPMOVSXBW(high.AsX(), high)
	VPMOVSXBW(s.AsX(), low)
	return []VecVirtual{low, high}
}

// cells fills the lanes of register r.
func (k *kernel) cells(p, r int, score VecVirtual) {
	off := r * k.width()
	h, del, ins, best := k.h[p][r], k.del[r], k.ins[r], k.best[r]

	s := k.vec()
	k.move(Mem{Base: k.freshAt, Disp: off}, s)
	k.note(p, r, planeGoesOn, h, s)
	k.max(h, s, s)
	k.add(score, s, s)

	k.sub(Mem{Base: k.endAt, Disp: off}, s, score)
	k.note(p, r, planeBest, score, best)
	k.max(score, best, best)

	// Where a gap ends, opening the same anew costs more than going on with it. So a deletion
	// need not wait for whether the cell ends in one, nor an insertion, which shortens the
	// chain from one anti-diagonal to the next.
	withDel, withIns := k.vec(), k.vec()
	k.note(p, r, planeDel, del, s)
	k.max(del, s, withDel)
	k.note(p, r, planeIns, ins, withDel)
	k.max(ins, s, withIns)
	k.max(ins, withDel, h)

	open := k.open[p]
	if open == nil {
		open = Mem{Base: k.openAt[p], Disp: off}
	}
	k.sub(k.one, del, del)
	k.sub(open, withIns, withIns)
	k.note(p, r, planeDelMore, del, withIns)
	k.max(withIns, del, del)
	k.sub(k.one, ins, ins)
	k.sub(open, withDel, withDel)
	k.note(p, r, planeInsMore, ins, withDel)
	k.max(withDel, ins, ins)
}
