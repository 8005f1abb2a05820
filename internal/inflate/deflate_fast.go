//go:build !klauspost_inflate

package inflate

import (
	"encoding/binary"
	"unsafe"
)

// How fastLoop ended.
const (
	fastEdge    = iota // of the input or the room
	fastEnd            // of the block
	fastCorrupt        // data
)

const (
	// fastIn is the input that one round of fastLoop may load: three times 8 bytes.
	fastIn = 24
	// fastOut is the room that one round may write to: two stores of 4 bytes, 3 of them kept,
	// and a match of 258 bytes, rounded up to whole words of 16 and 16 more.
	fastOut = 320
)

func load64(p unsafe.Pointer, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, i))[:])
}

func store64(p unsafe.Pointer, i int, v uint64) {
	binary.LittleEndian.PutUint64((*[8]byte)(unsafe.Add(p, i))[:], v)
}

func store32(p unsafe.Pointer, i int, v uint32) {
	binary.LittleEndian.PutUint32((*[4]byte)(unsafe.Add(p, i))[:], v)
}

// copy16 copies 16 bytes, all of which are loaded before any is stored.
func copy16(p unsafe.Pointer, to, from int) {
	*(*[16]byte)(unsafe.Add(p, to)) = *(*[16]byte)(unsafe.Add(p, from))
}

// fastLoop decodes symbols while at least fastIn bytes of input and fastOut of room remain; the
// caller made sure of the first round. That is the proof for every load and store here:
//
//   - a round fills hold at most three times, which moves ip by at most 7 bytes and loads 8;
//   - it writes what fastOut counts, from op on;
//   - a match is copied from out[low] at the lowest, for its distance is at least 1 and at most
//     op-low.
//
// The low 6 bits of held are the number of bits in hold; what is above them is of no meaning, so
// that an entry can be subtracted as it is. hold may have more bits than that: those of the byte
// at ip, which the next fill puts there once more.
func (z *inflater) fastLoop(s *span) int {
	var (
		in, out = unsafe.Pointer(unsafe.SliceData(s.in)), unsafe.Pointer(unsafe.SliceData(s.out))
		ip, op  = s.ip, s.op
		lastIp  = len(s.in) - fastIn
		lastOp  = len(s.out) - fastOut
		low     = s.low
		c       = z.codes
		hold    = z.hold
		held    = uint64(z.held)
		status  = fastEdge
	)
	for ip <= lastIp && op <= lastOp {
		hold |= load64(in, ip) << (held & 63)
		ip += int(held>>3&7 ^ 7)
		held |= 56

		e := c.lit.table[hold&(1<<litBits-1)]
		if e&litCount != 0 {
			store32(out, op, uint32(e>>8))
			op += int(e >> 6 & 3)
			hold >>= e & 63
			held -= uint64(e)
			e = c.lit.table[hold&(1<<litBits-1)]
			if e&litCount != 0 {
				store32(out, op, uint32(e>>8))
				op += int(e >> 6 & 3)
				hold >>= e & 63
				held -= uint64(e)
				e = c.lit.table[hold&(1<<litBits-1)]
				if e&litCount != 0 {
					store32(out, op, uint32(e>>8))
					op += int(e >> 6 & 3)
					hold >>= e & 63
					held -= uint64(e)
					continue
				}
			}
			hold |= load64(in, ip) << (held & 63)
			ip += int(held>>3&7 ^ 7)
			held |= 56
		}
		if e>>8&0x1ff == 0 {
			// end of block, a subtable, or no code word
			sub := uint(e >> 17 & 7)
			if sub == endSubBit {
				hold >>= e & 63
				held -= uint64(e)
				status = fastEnd
				break
			}
			if e == 0 {
				status = fastCorrupt
				break
			}
			hold >>= litBits
			held -= litBits
			e = c.lit.table[(uint(e>>20)+uint(hold)&(1<<sub-1))&(litSize-1)]
			if e&litCount != 0 {
				out8 := (*byte)(unsafe.Add(out, op))
				*out8 = byte(e >> 8)
				op++
				hold >>= e & 63
				held -= uint64(e)
				continue
			}
			if e>>8&0x1ff == 0 {
				if e == 0 {
					status = fastCorrupt
					break
				}
				hold >>= e & 63
				held -= uint64(e)
				status = fastEnd
				break
			}
		}
		length := int(e>>8&0x1ff) + int(uint32(hold>>(e>>17&63))&uint32(e>>24))
		hold >>= e & 63
		held -= uint64(e)

		d := c.dist.table[hold&(1<<distBits-1)]
		if uint32(d)>>16 == 0 {
			if d == 0 {
				status = fastCorrupt
				break
			}
			hold >>= distBits
			held -= distBits
			d = c.dist.table[(uint(d>>32)+uint(hold)&(1<<(d>>8&63)-1))&(distSize-1)]
			if d == 0 {
				status = fastCorrupt
				break
			}
		}
		distance := int(uint32(d)>>16) + int(hold>>(d>>8&63)&uint64(d>>32))
		hold >>= d & 63
		held -= uint64(d)
		if distance > op-low {
			status = fastCorrupt
			break
		}

		from, end := op-distance, op+length
		if distance >= 16 {
			copy16(out, op, from)
			copy16(out, op+16, from+16)
			for length > 32 {
				op += 32
				from += 32
				length -= 32
				copy16(out, op, from)
				copy16(out, op+16, from+16)
			}
			op = end
			continue
		}
		if distance >= 8 {
			for op < end {
				store64(out, op, load64(out, from))
				op += 8
				from += 8
			}
			op = end
			continue
		}
		// A pattern of 1 to 7 bytes: as many whole ones as fit into 8 bytes at a time.
		word := load64(out, from) & (1<<(8*uint(distance)&63) - 1)
		for n := 8 * uint(distance); n < 64; n *= 2 {
			word |= word << (n & 63)
		}
		step := int(patternStep[distance&7])
		for op < end {
			store64(out, op, word)
			op += step
		}
		op = end
	}
	held &= 63
	s.op, s.ip = op, ip-int(held>>3)
	z.held = uint(held & 7)
	z.hold = hold & (1<<z.held - 1)
	return status
}

// patternStep is the largest multiple of the distance that is not above 8.
var patternStep = [8]uint8{0, 8, 8, 6, 8, 5, 6, 7}
