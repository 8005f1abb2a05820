package bamrec

import "encoding/binary"

// CIGAR operations in BAM's numbering.
const (
	opM = iota
	opI
	opD
	opN
	opS
	opH
	opP
	opEq
	opX
)

const opChars = "MIDNSHP=X???????"

// consumesRef has bit op set where the operation advances on the reference: M D N = X.
const consumesRef = 1<<opM | 1<<opD | 1<<opN | 1<<opEq | 1<<opX

const cgPrefix = 8 // "CG" 'B' 'I' and the 32-bit count

// refSpan is the number of reference bases under a CIGAR.
func refSpan(cigar []uint32) int64 {
	var n int64
	for _, c := range cigar {
		if consumesRef>>(c&15)&1 != 0 {
			n += int64(c >> 4)
		}
	}
	return n
}

func putCigar(p []byte, cigar []uint32) []byte {
	for _, c := range cigar {
		binary.LittleEndian.PutUint32(p, c)
		p = p[4:]
	}
	return p
}

// putLongCigar writes the CG:B,I tag that holds a CIGAR too long for n_cigar_op.
func putLongCigar(p []byte, cigar []uint32) {
	copy(p, "CGBI")
	binary.LittleEndian.PutUint32(p[4:], uint32(len(cigar)))
	putCigar(p[cgPrefix:], cigar)
}

// alignedEnd is the 0-based exclusive end of a record; one that covers nothing counts as
// one base long, as htslib has it.
func alignedEnd(pos int32, flag uint16, span int64) int64 {
	if flag&FlagUnmapped != 0 || span == 0 {
		span = 1
	}
	return int64(pos) + span
}

// bin is reg2bin of the SAM specification for [beg, end). Beyond 2^29 BAI has no bins; the
// value is then cut to 16 bits, as htslib does, and CSI readers do not look at it.
func bin(beg, end int64) uint16 {
	end--
	switch {
	case beg>>14 == end>>14:
		return uint16(((1<<15)-1)/7 + beg>>14)
	case beg>>17 == end>>17:
		return uint16(((1<<12)-1)/7 + beg>>17)
	case beg>>20 == end>>20:
		return uint16(((1<<9)-1)/7 + beg>>20)
	case beg>>23 == end>>23:
		return uint16(((1<<6)-1)/7 + beg>>23)
	case beg>>26 == end>>26:
		return uint16(((1<<3)-1)/7 + beg>>26)
	}
	return 0
}
