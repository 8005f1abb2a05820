package deflate

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

const (
	factor = 0x9e3779b185ebca87

	// slack is how many bytes before the end of the input no more matches are looked for,
	// so that two words can be loaded wherever one begins.
	slack = 16
)

// The callers of load8, load32 and load64 keep i at least 1, 4 or 8 bytes before the end of what
// p points to. The first byte is the lowest, on every machine.
func load8(p unsafe.Pointer, i uint) uint8 { return *(*uint8)(unsafe.Add(p, i)) }

func load32(p unsafe.Pointer, i uint) uint32 {
	return binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(p, i))[:])
}

func load64(p unsafe.Pointer, i uint) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, i))[:])
}

// hash returns the hash, of that many bits, of v.
func hash(v uint64, width uint) uint { return uint(v * factor >> (64 - width)) }

// extend returns how many bytes from a and from b on are alike, at most limit, when known of
// them are. Both a+limit and b+limit lie inside of what in points to.
func extend(in unsafe.Pointer, a, b, known, limit uint) uint {
	for ; known+8 <= limit; known += 8 {
		if x := load64(in, a+known) ^ load64(in, b+known); x != 0 {
			return known + uint(bits.TrailingZeros64(x))/8
		}
	}
	for known < limit && load8(in, a+known) == load8(in, b+known) {
		known++
	}
	return known
}
