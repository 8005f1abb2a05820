//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import "unsafe"

// How fastLoop ended.
const (
	fastEdge    = iota // of the input or the room
	fastEnd            // of the block
	fastCorrupt        // data
)

const (
	// fastIn is the input that one round of fastLoop may load: twice 8 bytes.
	fastIn = 16
	// fastOut is the room that one round may write to: two stores of literals, which leave 4
	// bytes at most, and a match of 258 bytes, up to a whole number of 32. Rounded up.
	fastOut = 320
	// mixedRounds is how many rounds show whether literals and matches alternate.
	mixedRounds = 100
)

func load64(p unsafe.Pointer) uint64 { return *(*uint64)(p) }

func store64(p unsafe.Pointer, v uint64) { *(*uint64)(p) = v }

// storeLiterals writes the literals of e, and nothing of value behind them.
func storeLiterals(p unsafe.Pointer, e entry) { *(*uint32)(p) = uint32(e >> litShift) }

// copy16 copies 16 bytes, all of which are loaded before any is stored.
func copy16(to, from unsafe.Pointer) { *(*[16]byte)(to) = *(*[16]byte)(from) }

// fastLoop decodes symbols while at least fastIn bytes of input and fastOut of room remain; the
// caller made sure of the first round. That is the proof for every load and store here, and it
// keeps each pointer inside its slice at any time:
//
//   - a round fills hold at most twice, which loads 8 bytes and moves in by at most 7;
//   - it writes what fastOut counts, from out on;
//   - a match is copied from low at the lowest, for its distance is at least 1, and is compared
//     with what lies between low and out.
//
// Filled, hold has 56 bits or more. A round uses at most two entries of literals, which are
// twice litBits, and a match found at once, with litBits and 13 more; or, filled again, a length
// and a distance of 15 bits each, with 5 and 13 more.
//
// The low 6 bits of held are the number of bits in hold; what is above them is of no meaning, so
// that an entry can be subtracted as it is. hold may have more bits than that: those of the byte
// at in, which the next fill puts there once more.
//
// What costs most is a branch that is guessed wrong. Whether a literal or a match comes next is
// hard to guess where they alternate. There, a round takes the literals of its first entry
// without asking whether it has any, at the price of a second look at a match. z.mixed says
// that the data has been of that kind.
func (z *inflater) fastLoop(s *span) int {
	var (
		in      = unsafe.Pointer(&s.in[s.ip])
		out     = unsafe.Pointer(&s.out[s.op])
		lastIn  = unsafe.Pointer(&s.in[len(s.in)-fastIn])
		lastOut = unsafe.Pointer(&s.out[len(s.out)-fastOut])
		low     = unsafe.Pointer(&s.out[s.low])
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
			storeLiterals(out, e)
			n := int(e >> countShift & 3)
			out = unsafe.Add(out, n)
			literals += n
			hold >>= e & 63
			held -= uint64(e & 63)
			e = c.lit.table[hold&(1<<litBits-1)]
		}
		if e&countMask != 0 {
			storeLiterals(out, e)
			n := int(e >> countShift & 3)
			out = unsafe.Add(out, n)
			literals += n
			hold >>= e & 63
			held -= uint64(e)
			e = c.lit.table[hold&(1<<litBits-1)]
			if e&countMask != 0 {
				storeLiterals(out, e)
				out = unsafe.Add(out, e>>countShift&3)
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
					*(*byte)(out) = byte(e >> litShift)
					out = unsafe.Add(out, 1)
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
		if distance > int(uintptr(out)-uintptr(low)) {
			status = fastCorrupt
			break
		}

		from := unsafe.Add(out, -distance)
		if length <= 16 && distance >= length {
			copy16(out, from)
			out = unsafe.Add(out, length)
			continue
		}
		end := unsafe.Add(out, length)
		switch {
		case distance >= 16:
			for uintptr(out) < uintptr(end) {
				copy16(out, from)
				copy16(unsafe.Add(out, 16), unsafe.Add(from, 16))
				out = unsafe.Add(out, 32)
				from = unsafe.Add(from, 32)
			}
		case distance >= 8:
			for uintptr(out) < uintptr(end) {
				store64(out, load64(from))
				out = unsafe.Add(out, 8)
				from = unsafe.Add(from, 8)
			}
		default: // a pattern, as many whole ones at a time as fit into 8 bytes
			word := load64(from) & (1<<(8*uint(distance)&63) - 1)
			for n := 8 * uint(distance); n < 64; n *= 2 {
				word |= word << (n & 63)
			}
			step := int(patternStep[distance&7])
			for uintptr(out) < uintptr(end) {
				store64(out, word)
				out = unsafe.Add(out, step)
			}
		}
		out = end
	}
	if rounds >= mixedRounds {
		z.mixed = literals*5 > rounds*2 // two in five, by measurement
	}
	held &= 63
	s.op = int(uintptr(out) - uintptr(unsafe.Pointer(unsafe.SliceData(s.out))))
	s.ip = int(uintptr(in)-uintptr(unsafe.Pointer(unsafe.SliceData(s.in)))) - int(held>>3)
	z.held = uint(held & 7)
	z.hold = hold & (1<<z.held - 1)
	return status
}

// patternStep is the largest multiple of the distance that is not above 8.
var patternStep = [8]uint8{0, 8, 8, 6, 8, 5, 6, 7}
