package bamrec

import (
	"encoding/binary"
	"slices"
)

// Flag bits of a SAM record that this package looks at.
const (
	FlagPaired        = 0x1
	FlagUnmapped      = 0x4
	FlagReverse       = 0x10
	FlagFirst         = 0x40
	FlagSecond        = 0x80
	FlagSecondary     = 0x100
	FlagSupplementary = 0x800
)

const (
	fixedLen    = 32     // bytes between block_size and the name
	maxName     = 254    // l_read_name is one byte and counts the NUL
	maxCigarOps = 0xffff // n_cigar_op is 16 bits; longer CIGARs live in a CG tag
)

// Record is one alignment line before encoding. All slices are the caller's: Append copies
// what it needs and keeps nothing.
type Record struct {
	Name      []byte // at most 254 bytes; an empty name is written as "*"
	Flag      uint16
	Ref, Pos  int32 // 0-based; -1 is none
	MapQ      uint8
	Cigar     []uint32 // length<<4 | op, op an index into MIDNSHP=X
	MateRef   int32
	MatePos   int32
	TLen      int32
	Seq, Qual []byte // ASCII, in read orientation; an empty Qual is a missing one
	Reverse   bool   // emit the reverse complement of Seq, and Qual reversed
	ClipFrom  int    // hard clip: only [ClipFrom, ClipTo) of the oriented read is emitted
	ClipTo    int    // 0 is len(Seq)
	Tags      []byte // encoded by the AppendTag functions
}

// Append adds block_size and r to dst and returns the longer slice. The bin is computed, and
// more than 65535 CIGAR operations move to a CG tag as the SAM specification says. It panics
// when r breaks a documented bound, for the reader refuses such input long before.
func Append(dst []byte, r *Record) []byte {
	from, to := r.emitted()
	name := r.Name
	if len(name) == 0 {
		name = starName
	}
	if len(name) > maxName {
		panic("bamrec: read name over 254 bytes")
	}
	cigar, long := r.Cigar, [2]uint32{}
	span := refSpan(r.Cigar)
	extra := 0
	if len(cigar) > maxCigarOps {
		long = [2]uint32{uint32(to-from)<<4 | opS, uint32(span)<<4 | opN}
		cigar = long[:]
		extra = cgPrefix + 4*len(r.Cigar)
	}
	n := to - from
	size := fixedLen + len(name) + 1 + 4*len(cigar) + (n+1)/2 + n + len(r.Tags) + extra

	start := len(dst)
	dst = slices.Grow(dst, 4+size)[:start+4+size]
	p := dst[start : start+4+size]
	binary.LittleEndian.PutUint32(p, uint32(size))
	r.putFixed(p[4:4+fixedLen], len(name)+1, len(cigar), n, span)
	p = p[4+fixedLen:]
	p = p[copy(p, name):]
	p[0] = 0
	p = putCigar(p[1:], cigar)
	p = r.putBases(p, from, to)
	p = p[copy(p, r.Tags):]
	if extra > 0 {
		putLongCigar(p, r.Cigar)
	}
	return dst
}

var starName = []byte{'*'}

// emitted returns the part of the oriented read that goes into the record.
func (r *Record) emitted() (from, to int) {
	from, to = r.ClipFrom, r.ClipTo
	if to == 0 {
		to = len(r.Seq)
	}
	if from < 0 || from > to || to > len(r.Seq) {
		panic("bamrec: hard clip outside the read")
	}
	if len(r.Qual) != 0 && len(r.Qual) != len(r.Seq) {
		panic("bamrec: sequence and quality differ in length")
	}
	return from, to
}

func (r *Record) putFixed(p []byte, nameLen, ops, n int, span int64) {
	le := binary.LittleEndian
	_ = p[fixedLen-1]
	le.PutUint32(p[0:], uint32(r.Ref))
	le.PutUint32(p[4:], uint32(r.Pos))
	p[8] = uint8(nameLen)
	p[9] = r.MapQ
	le.PutUint16(p[10:], bin(int64(r.Pos), alignedEnd(r.Pos, r.Flag, span)))
	le.PutUint16(p[12:], uint16(ops))
	le.PutUint16(p[14:], r.Flag)
	le.PutUint32(p[16:], uint32(n))
	le.PutUint32(p[20:], uint32(r.MateRef))
	le.PutUint32(p[24:], uint32(r.MatePos))
	le.PutUint32(p[28:], uint32(r.TLen))
}

// putBases writes packed bases and qualities and returns what is left of p.
func (r *Record) putBases(p []byte, from, to int) []byte {
	n := to - from
	seq, qual := p[:(n+1)/2], p[(n+1)/2:(n+1)/2+n]
	rest := p[len(seq)+n:]
	if r.Reverse { // the oriented read is back to front: [from,to) there is [len-to,len-from) here
		from, to = len(r.Seq)-to, len(r.Seq)-from
		packReverse(seq, r.Seq[from:to])
	} else {
		packForward(seq, r.Seq[from:to])
	}
	switch {
	case len(r.Qual) == 0:
		fillMissing(qual)
	case r.Reverse:
		qualReverse(qual, r.Qual[from:to])
	default:
		qualForward(qual, r.Qual[from:to])
	}
	return rest
}
