package bamrec

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
)

// valueLen is the size in bytes of a fixed-size tag value, 0 for a type that has none.
func valueLen(typ byte) int {
	switch typ {
	case 'A', 'c', 'C':
		return 1
	case 's', 'S':
		return 2
	case 'i', 'I', 'f':
		return 4
	}
	return 0
}

// tagLen is the number of bytes of the first tag, or -1 where it does not fit in tags.
func tagLen(tags []byte) int {
	if len(tags) < 4 {
		return -1
	}
	size := -1
	switch typ := tags[2]; typ {
	case 'Z', 'H':
		if end := bytes.IndexByte(tags[3:], 0); end >= 0 {
			size = 3 + end + 1
		}
	case 'B':
		if item := valueLen(tags[3]); len(tags) >= cgPrefix && item > 0 && tags[3] != 'A' {
			n := int64(cgPrefix) + int64(item)*int64(binary.LittleEndian.Uint32(tags[4:]))
			if n <= int64(len(tags)) {
				size = int(n)
			}
		}
	default:
		if n := valueLen(typ); n > 0 {
			size = 3 + n
		}
	}
	if size > len(tags) {
		return -1
	}
	return size
}

// appendTags writes each tag behind a tab; skipCG leaves out the CG tag whose CIGAR is
// already in its column.
func appendTags(dst, tags []byte, skipCG bool) []byte {
	for len(tags) > 0 {
		n := tagLen(tags)
		if n < 0 {
			return dst
		}
		if !skipCG || string(tags[:2]) != "CG" {
			dst = appendTag(dst, tags[:n])
		}
		tags = tags[n:]
	}
	return dst
}

func appendTag(dst, tag []byte) []byte {
	dst = append(dst, '\t', tag[0], tag[1], ':')
	switch typ := tag[2]; typ {
	case 'Z', 'H':
		return append(append(dst, typ, ':'), tag[3:len(tag)-1]...)
	case 'A':
		return append(dst, 'A', ':', tag[3])
	case 'f':
		return appendValue(append(dst, "f:"...), typ, tag[3:])
	case 'B':
		dst = append(dst, 'B', ':', tag[3])
		for v, item := tag[cgPrefix:], valueLen(tag[3]); len(v) >= item; v = v[item:] {
			dst = appendValue(append(dst, ','), tag[3], v)
		}
		return dst
	default:
		return appendValue(append(dst, "i:"...), typ, tag[3:])
	}
}

func appendValue(dst []byte, typ byte, v []byte) []byte {
	le := binary.LittleEndian
	switch typ {
	case 'c':
		return strconv.AppendInt(dst, int64(int8(v[0])), 10)
	case 'C':
		return strconv.AppendInt(dst, int64(v[0]), 10)
	case 's':
		return strconv.AppendInt(dst, int64(int16(le.Uint16(v))), 10)
	case 'S':
		return strconv.AppendInt(dst, int64(le.Uint16(v)), 10)
	case 'i':
		return strconv.AppendInt(dst, int64(int32(le.Uint32(v))), 10)
	case 'I':
		return strconv.AppendInt(dst, int64(le.Uint32(v)), 10)
	}
	return strconv.AppendFloat(dst, float64(math.Float32frombits(le.Uint32(v))), 'g', -1, 32)
}
