package bamrec

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Ref is the reference id of rec, -1 for none. Like the other accessors it takes the record
// without block_size and trusts it: [Validate] first what comes from a file.
func Ref(rec []byte) int32 { return int32(binary.LittleEndian.Uint32(rec[0:])) }

// Pos is the 0-based leftmost position, -1 for none.
func Pos(rec []byte) int32 { return int32(binary.LittleEndian.Uint32(rec[4:])) }

// Flag is the SAM flag word.
func Flag(rec []byte) uint16 { return binary.LittleEndian.Uint16(rec[14:]) }

// End is the 0-based exclusive end on the reference. A record that covers no base, such as
// an unmapped one at its mate's place, ends one past Pos.
func End(rec []byte) int32 {
	var span int64
	for c := cigarBytes(rec); len(c) >= 4; c = c[4:] {
		op := binary.LittleEndian.Uint32(c)
		if consumesRef>>(op&15)&1 != 0 {
			span += int64(op >> 4)
		}
	}
	return int32(alignedEnd(Pos(rec), Flag(rec), span))
}

// Name is the read name without its NUL, a view into rec.
func Name(rec []byte) []byte { return rec[fixedLen : fixedLen+int(rec[8])-1] }

// Cigar is the encoded CIGAR, four bytes an operation, a view into rec. It is a placeholder where
// there are more than 65535 operations: then the CG tag has them.
func Cigar(rec []byte) []byte { return cigarBytes(rec) }

// Qual is the base qualities, not ASCII, a view into rec. Missing ones are 0xff.
func Qual(rec []byte) []byte {
	_, qual, _ := bodyBytes(rec)
	return qual
}

func lenSeq(rec []byte) int { return int(int32(binary.LittleEndian.Uint32(rec[16:]))) }

func cigarBytes(rec []byte) []byte {
	n := int(binary.LittleEndian.Uint16(rec[12:]))
	start := fixedLen + int(rec[8])
	return rec[start : start+4*n]
}

// bodyBytes cuts out packed bases, qualities and tags.
func bodyBytes(rec []byte) (seq, qual, tags []byte) {
	n := lenSeq(rec)
	p := rec[fixedLen+int(rec[8])+len(cigarBytes(rec)):]
	return p[:(n+1)/2], p[(n+1)/2 : (n+1)/2+n], p[(n+1)/2+n:]
}

// Validate reports whether the lengths inside rec fit in it, so that no function of this
// package can read outside. It does not judge what the fields mean.
func Validate(rec []byte) error {
	if len(rec) < fixedLen {
		return fmt.Errorf("bam record of %d bytes is shorter than its fixed part", len(rec))
	}
	name, n := int(rec[8]), int64(int32(binary.LittleEndian.Uint32(rec[16:])))
	if name == 0 || n < 0 {
		return fmt.Errorf("bam record with a name of %d and a sequence of %d", name, n)
	}
	need := fixedLen + int64(name) + 4*int64(binary.LittleEndian.Uint16(rec[12:])) + (n+1)/2 + n
	if need > int64(len(rec)) {
		return fmt.Errorf("bam record of %d bytes needs %d", len(rec), need)
	}
	if rec[fixedLen+name-1] != 0 {
		return errors.New("bam record whose name has no end")
	}
	_, _, tags := bodyBytes(rec)
	for len(tags) > 0 {
		size := tagLen(tags)
		if size < 0 {
			return errors.New("bam record with a damaged tag")
		}
		tags = tags[size:]
	}
	return nil
}
