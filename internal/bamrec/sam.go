package bamrec

import (
	"encoding/binary"
	"slices"
	"strconv"
)

// AppendSAM adds the SAM line of rec, a record without block_size, and a line end to dst.
// refNames is indexed by reference id. A CIGAR kept in a CG tag is shown in its column, as
// samtools shows it. rec must be valid by [Validate], with reference ids inside refNames.
func AppendSAM(dst, rec []byte, refNames []string) []byte {
	le := binary.LittleEndian
	ref, mate := Ref(rec), int32(le.Uint32(rec[20:]))
	seq, qual, tags := bodyBytes(rec)
	cigar, inTag := cigarBytes(rec), false
	if isPlaceholder(cigar, len(qual)) {
		if real := longCigar(tags); real != nil {
			cigar, inTag = real, true
		}
	}

	dst = append(append(dst, Name(rec)...), '\t')
	dst = appendInt(dst, int64(Flag(rec)))
	dst = append(appendRef(dst, ref, refNames), '\t')
	dst = appendInt(dst, int64(Pos(rec))+1)
	dst = appendInt(dst, int64(rec[9]))
	dst = append(appendCigar(dst, cigar), '\t')
	if mate >= 0 && mate == ref {
		dst = append(dst, '=')
	} else {
		dst = appendRef(dst, mate, refNames)
	}
	dst = append(dst, '\t')
	dst = appendInt(dst, int64(int32(le.Uint32(rec[24:])))+1)
	dst = appendInt(dst, int64(int32(le.Uint32(rec[28:]))))
	dst = appendBases(dst, seq, len(qual))
	dst = appendQual(append(dst, '\t'), qual)
	dst = appendTags(dst, tags, inTag)
	return append(dst, '\n')
}

func appendInt(dst []byte, v int64) []byte {
	return append(strconv.AppendInt(dst, v, 10), '\t')
}

func appendRef(dst []byte, ref int32, names []string) []byte {
	if ref < 0 {
		return append(dst, '*')
	}
	return append(dst, names[ref]...)
}

func appendCigar(dst, cigar []byte) []byte {
	if len(cigar) == 0 {
		return append(dst, '*')
	}
	for ; len(cigar) >= 4; cigar = cigar[4:] {
		op := binary.LittleEndian.Uint32(cigar)
		dst = append(strconv.AppendUint(dst, uint64(op>>4), 10), opChars[op&15])
	}
	return dst
}

func appendBases(dst, seq []byte, n int) []byte {
	if n == 0 {
		return append(dst, '*')
	}
	dst = slices.Grow(dst, n+1)
	for _, b := range seq {
		dst = append(dst, letters[b][0], letters[b][1])
	}
	if n%2 == 1 {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func appendQual(dst, qual []byte) []byte {
	if len(qual) == 0 || qual[0] == 0xff {
		return append(dst, '*')
	}
	dst = slices.Grow(dst, len(qual))
	for _, q := range qual {
		dst = append(dst, q+33)
	}
	return dst
}

// isPlaceholder tells the two operations, kS mN with k the whole read, that stand in for a
// CIGAR kept in the CG tag.
func isPlaceholder(cigar []byte, n int) bool {
	if len(cigar) != 8 {
		return false
	}
	a, b := binary.LittleEndian.Uint32(cigar), binary.LittleEndian.Uint32(cigar[4:])
	return a == uint32(n)<<4|opS && b&15 == opN
}

// longCigar finds CG:B,I among tags and returns its operations, or nil.
func longCigar(tags []byte) []byte {
	for len(tags) > 0 {
		n := tagLen(tags)
		if n < 0 {
			return nil
		}
		if n > cgPrefix && string(tags[:4]) == "CGBI" {
			return tags[cgPrefix:n]
		}
		tags = tags[n:]
	}
	return nil
}
