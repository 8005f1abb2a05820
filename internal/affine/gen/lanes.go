package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Fields of a trace step, in bytes from its start.
const (
	planeGoesOn  = 0
	planeDel     = 8
	planeIns     = 16
	planeDelMore = 24
	planeInsMore = 32
	planeBest    = 40
	stepBytes    = 48
)

// Saturating arithmetic: to = a+b, a-b, the greater of the two. b may be in memory.

func (k *kernel) add(b, a, to Op) {
	if k.bits == 8 {
		VPADDSB(b, a, to)
	} else {
		VPADDSW(b, a, to)
	}
}

func (k *kernel) sub(b, a, to Op) {
	if k.bits == 8 {
		VPSUBSB(b, a, to)
	} else {
		VPSUBSW(b, a, to)
	}
}

func (k *kernel) max(b, a, to Op) {
	if k.bits == 8 {
		VPMAXSB(b, a, to)
	} else {
		VPMAXSW(b, a, to)
	}
}

// note writes into the trace for which lanes a > b.
func (k *kernel) note(p, r, plane int, a, b VecVirtual) {
	to := Mem{Base: k.trace, Disp: plane}
	if k.lanes == 64 {
		to.Disp += stepBytes*p + 4*r
	} else {
		to.Disp += 4 * p
	}
	if k.avx512 {
		mask := K()
		VPCMPGTW(b, a, mask)
		KMOVD(mask, to)
		return
	}
	c, bits := YMM(), GP32()
	if k.bits == 8 {
		VPCMPGTB(b, a, c)
		VPMOVMSKB(c, bits)
		MOVL(bits, to)
		return
	}
	// Words are narrowed to bytes, twice in each half of c; 16 of them are brought together.
	VPCMPGTW(b, a, c)
	VPACKSSWB(c, c, c)
	VPERMQ(U8(0b1000), c, c)
	VPMOVMSKB(c.AsX(), bits)
	to.Disp += 2 * r
	MOVW(bits.As16(), to)
}

// shiftUp moves every lane to the next, and the floor into the first.
func (k *kernel) shiftUp(v []VecVirtual) {
	for r := len(v) - 1; r >= 0; r-- {
		before := k.floor
		if r > 0 {
			before = v[r-1]
		}
		t := k.vec()
		if k.width() == 64 {
			VALIGNQ(U8(6), before, v[r], t)
			VPALIGNR(U8(16-k.element()), t, v[r], v[r])
			continue
		}
		VPERM2I128(U8(0x03), before, v[r], t) // before's high half, v's low half
		VPALIGNR(U8(16-k.element()), t, v[r], v[r])
	}
}

// shiftDown moves every lane to the one before, and the floor into the last.
func (k *kernel) shiftDown(v []VecVirtual) {
	for r := range v {
		after := k.floor
		if r+1 < len(v) {
			after = v[r+1]
		}
		t := k.vec()
		if k.width() == 64 {
			VALIGNQ(U8(2), v[r], after, t)
			VPALIGNR(U8(k.element()), v[r], t, v[r])
			continue
		}
		VPERM2I128(U8(0x21), after, v[r], t) // v's high half, after's low half
		VPALIGNR(U8(k.element()), v[r], t, v[r])
	}
}

// reduce returns the greatest lane of best, and which lanes hold it.
func (k *kernel) reduce() {
	Comment("the best lane, and those that equal it")
	y := k.best[0]
	all := YMM()
	switch {
	case k.width() == 64:
		VEXTRACTI64X4(U8(1), y, all)
		k.max(y.AsY(), all, all)
	case k.regs == 2:
		k.max(k.best[1], y, all)
	default:
		VMOVDQA(y, all)
	}
	high := XMM()
	VEXTRACTI128(U8(1), all, high)
	x := all.AsX()
	k.max(high, x, x)
	for shift := 8; shift >= k.element(); shift /= 2 {
		VPSRLDQ(U8(shift), x, high)
		k.max(high, x, x)
	}
	score := GP64()
	if k.bits == 8 {
		VPEXTRB(U8(0), x, score.As32())
		MOVBQSX(score.As8(), score)
	} else {
		VPEXTRW(U8(0), x, score.As32())
		MOVWQSX(score.As16(), score)
	}
	Store(score, ReturnIndex(0))
	at := k.equalLanes(x)
	Store(at, ReturnIndex(1))
}

// equalLanes gives a bit for every lane of best that equals the first of x.
func (k *kernel) equalLanes(x Register) Register {
	b := k.vec()
	if k.bits == 8 {
		VPBROADCASTB(x, b)
	} else {
		VPBROADCASTW(x, b)
	}
	at := GP64()
	if k.avx512 {
		mask := K()
		VPCMPEQW(k.best[0], b, mask)
		KMOVD(mask, at.As32())
		return at
	}
	XORQ(at, at)
	for r := k.regs - 1; r >= 0; r-- {
		c, bits := YMM(), GP64()
		if k.bits == 8 {
			VPCMPEQB(k.best[r], b, c)
			VPMOVMSKB(c, bits.As32())
			SHLQ(U8(32), at)
		} else {
			VPCMPEQW(k.best[r], b, c)
			VPACKSSWB(c, c, c)
			VPERMQ(U8(0b1000), c, c)
			VPMOVMSKB(c.AsX(), bits.As32())
			SHLQ(U8(16), at)
		}
		ORQ(bits, at)
	}
	return at
}
