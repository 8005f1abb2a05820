package bamrec

import (
	"encoding/binary"
	"fmt"
	"math"
)

// AppendTagInt adds an integer tag in the smallest type that holds v, as htslib chooses it.
// It panics when v is outside what BAM can hold, [-2^31, 2^32).
func AppendTagInt(dst []byte, tag [2]byte, v int64) []byte {
	dst = append(dst, tag[0], tag[1])
	switch {
	case v < math.MinInt32 || v > math.MaxUint32:
		panic(fmt.Sprintf("bamrec: tag %s: %d does not fit", string(tag[:]), v)) // the copy keeps tag off the heap
	case v >= 0 && v <= math.MaxUint8:
		return append(dst, 'C', uint8(v))
	case v >= 0 && v <= math.MaxUint16:
		return binary.LittleEndian.AppendUint16(append(dst, 'S'), uint16(v))
	case v >= 0:
		return binary.LittleEndian.AppendUint32(append(dst, 'I'), uint32(v))
	case v >= math.MinInt8:
		return append(dst, 'c', uint8(v))
	case v >= math.MinInt16:
		return binary.LittleEndian.AppendUint16(append(dst, 's'), uint16(v))
	}
	return binary.LittleEndian.AppendUint32(append(dst, 'i'), uint32(v))
}

// AppendTagString adds a Z tag. s must not hold a NUL, a tab or a line end.
func AppendTagString(dst []byte, tag [2]byte, s []byte) []byte {
	dst = append(dst, tag[0], tag[1], 'Z')
	dst = append(dst, s...)
	return append(dst, 0)
}

// AppendTagChar adds an A tag, one printable character.
func AppendTagChar(dst []byte, tag [2]byte, c byte) []byte {
	return append(dst, tag[0], tag[1], 'A', c)
}
