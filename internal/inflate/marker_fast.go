//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import "unsafe"

// markRoom is the room in symbols that one round of markLoop may write to: two stores of literals
// and a match of 258, up to a whole number of 16. Rounded up.
const markRoom = 320

func store32(p unsafe.Pointer, v uint32) { *(*uint32)(p) = v }

// storeSymbols writes the literals of e as symbols, and nothing of value behind them.
func storeSymbols(p unsafe.Pointer, e entry) {
	v := uint32(e>>litShift) & 0xffff
	store32(p, v&0xff|v>>8<<16)
}

// markSpan is where markLoop reads and writes. The symbols in front of out[op], at least
// windowBytes of them, are what came before: literals, or markers for what is not known yet.
type markSpan struct {
	in     []byte
	out    []uint16
	ip, op int
}

// markLoop is fastLoop for symbols of 16 bits, where a match may copy markers. That every
// distance is within what lies in front of out[op] holds by markSpan, so none is compared. Else
// the proofs are fastLoop's, with markRoom symbols of room; pointers move by 2 bytes a symbol.
func (z *inflater) markLoop(s *markSpan) int {
	var (
		in      = unsafe.Pointer(&s.in[s.ip])
		out     = unsafe.Pointer(&s.out[s.op])
		lastIn  = unsafe.Pointer(&s.in[len(s.in)-fastIn])
		lastOut = unsafe.Pointer(&s.out[len(s.out)-markRoom])
		c       = z.codes
		hold    = z.hold
		held    = uint64(z.held)
		mixed   = z.mixed
		status  = fastEdge

		rounds, literals = 0, 0 // literals in front of matches, roughly
	)
	for uintptr(in) <= uintptr(lastIn) && uintptr(out) <= uintptr(lastOut) {
		hold |= load64(in) << (held & 63)
		in = unsafe.Add(in, held>>3&7^7)
		held |= 56
		rounds++

		e := c.lit.table[hold&(1<<litBits-1)]
		if mixed {
			storeSymbols(out, e)
			n := int(e >> countShift & 3)
			out = unsafe.Add(out, 2*n)
			literals += n
			hold >>= e & 63
			held -= uint64(e & 63)
			e = c.lit.table[hold&(1<<litBits-1)]
		}
		if e&countMask != 0 {
			storeSymbols(out, e)
			n := int(e >> countShift & 3)
			out = unsafe.Add(out, 2*n)
			literals += n
			hold >>= e & 63
			held -= uint64(e)
			e = c.lit.table[hold&(1<<litBits-1)]
			if e&countMask != 0 {
				storeSymbols(out, e)
				out = unsafe.Add(out, 2*(e>>countShift&3))
				hold >>= e & 63
				held -= uint64(e)
				continue
			}
		}
		if e >= special {
			hold |= load64(in) << (held & 63)
			in = unsafe.Add(in, held>>3&7^7)
			held |= 56
			if e&kindMask == kindSub {
				hold >>= litBits
				held -= litBits
				e = c.lit.table[e.sub(hold)]
				if e&countMask != 0 {
					*(*uint16)(out) = uint16(byte(e >> litShift))
					out = unsafe.Add(out, 2)
					hold >>= e & 63
					held -= uint64(e)
					continue
				}
			}
			if e&kindMask != kindLength {
				hold >>= e >> dropShift & 63
				held -= uint64(e >> dropShift)
				status = fastCorrupt
				if e&kindMask == kindEnd {
					status = fastEnd
				}
				break
			}
			length := e>>lengthShift&0x1ff + entry(hold>>(e>>wordShift&63))&(e>>baseShift&0xff)
			hold >>= e >> dropShift & 63
			held -= uint64(e >> dropShift)
			e = c.dist.table[hold&(1<<distBits-1)]
			if e&kindMask == kindSub {
				hold >>= distBits
				held -= distBits
				e = c.dist.table[e.sub(hold)]
			}
			if e >= special {
				status = fastCorrupt
				break
			}
			e |= length << lengthShift
		}
		length := int(e >> lengthShift & 0x1ff)
		distance := int(uint16(e>>baseShift + entry(hold>>(e>>wordShift&63))&(e>>maskShift)))
		hold >>= e >> dropShift & 63
		held -= uint64(e >> dropShift)

		from := unsafe.Add(out, -2*distance)
		end := unsafe.Add(out, 2*length)
		switch {
		case distance >= 8:
			copy16(out, from)
			copy16(unsafe.Add(out, 16), unsafe.Add(from, 16))
			for out = unsafe.Add(out, 32); uintptr(out) < uintptr(end); out = unsafe.Add(out, 32) {
				from = unsafe.Add(from, 32)
				copy16(out, from)
				copy16(unsafe.Add(out, 16), unsafe.Add(from, 16))
			}
		case distance >= 4:
			for uintptr(out) < uintptr(end) {
				store64(out, load64(from))
				out = unsafe.Add(out, 8)
				from = unsafe.Add(from, 8)
			}
		default: // a pattern, as many whole ones at a time as fit into 4 symbols
			word := load64(from) & (1<<(16*uint(distance)&63) - 1)
			for n := 16 * uint(distance); n < 64; n *= 2 {
				word |= word << (n & 63)
			}
			step := 8 - 2*(distance&(distance>>1)) // 3 of 4 where the distance is 3
			for uintptr(out) < uintptr(end) {
				store64(out, word)
				out = unsafe.Add(out, step)
			}
		}
		out = end
	}
	if rounds >= mixedRounds {
		z.mixed = literals*5 > rounds*2
	}
	held &= 63
	s.op = int(uintptr(out)-uintptr(unsafe.Pointer(unsafe.SliceData(s.out)))) / 2
	s.ip = int(uintptr(in)-uintptr(unsafe.Pointer(unsafe.SliceData(s.in)))) - int(held>>3)
	z.held = uint(held & 7)
	z.hold = hold & (1<<z.held - 1)
	return status
}
