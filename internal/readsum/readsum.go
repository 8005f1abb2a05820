// Package readsum is an order-independent checksum of reads.
//
// Each read is hashed on its own, and a [Sum] is the count and the sum of the hashes modulo
// 2^128. Sums of parts add up to the sum of the whole, in any order, and a read that is lost,
// doubled or changed shows; an XOR would let doubled pairs cancel. The FASTQ side calls
// [Hasher.Add] on what it parsed, the BAM side [Hasher.AddBAM] on what it is about to write or
// has read back, and the two agree when every read came through unchanged.
//
// A read is hashed with xxh3-128 over this frame; lengths are 32-bit little-endian:
//
//	len name │ name │ mate │ len seq │ seq │ len qual │ qual
//
// Decoding here shares no table with package bamrec, so that one bug cannot hide another.
package readsum

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"github.com/zeebo/xxh3"
)

// Sum is the checksum of a multiset of reads; its zero value is that of no reads. Equal
// multisets have equal Sums, comparable with ==.
type Sum struct {
	Count  uint64
	Hi, Lo uint64 // sum of the hashes modulo 2^128
}

// Merge adds the reads of o.
func (s *Sum) Merge(o Sum) {
	var carry uint64
	s.Count += o.Count
	s.Lo, carry = bits.Add64(s.Lo, o.Lo, 0)
	s.Hi, _ = bits.Add64(s.Hi, o.Hi, carry)
}

// String is "count:hex", the form that `alignpipe checksum` prints.
func (s Sum) String() string { return fmt.Sprintf("%d:%016x%016x", s.Count, s.Hi, s.Lo) }

// Hasher is the scratch memory of one goroutine. It grows to the longest read seen, about
// twice its bases, and then allocates no more. The zero value is ready.
type Hasher struct{ buf []byte }

// Add counts one read into s. seq is upper-case ASCII in read orientation, qual is phred+33
// ASCII, empty where it is missing; mate is 0 for an unpaired read, else 1 or 2. An empty name
// counts as "*", which is what BAM makes of it.
func (h *Hasher) Add(s *Sum, name []byte, mate uint8, seq, qual []byte) {
	b := h.head(name, mate, len(seq))
	b = append(b, seq...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(qual)))
	b = append(b, qual...)
	h.sum(s, b)
}

// head starts a frame, with room for all of it, up to the length of the sequence.
func (h *Hasher) head(name []byte, mate uint8, bases int) []byte {
	b := slices.Grow(h.buf[:0], 4+max(1, len(name))+1+4+bases+4+bases+1)
	if len(name) == 0 {
		b = append(b, 1, 0, 0, 0, '*')
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(name)))
		b = append(b, name...)
	}
	b = append(b, mate)
	return binary.LittleEndian.AppendUint32(b, uint32(bases))
}

func (h *Hasher) sum(s *Sum, frame []byte) {
	h.buf = frame
	v := xxh3.Hash128(frame)
	s.Merge(Sum{Count: 1, Hi: v.Hi, Lo: v.Lo})
}
