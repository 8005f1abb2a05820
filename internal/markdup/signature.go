package markdup

import (
	"bytes"
	"encoding/binary"
)

// A signature is what is kept of a pair, or of a read, until all are known. Numbers are
// little-endian; signatures stand one behind the other, unaligned.
//
//	            0      1        2        4       8      16     24         30
//	pair        flags  len      prefix   score   own    mate   template   len bytes
//	single      flags  -        -        score   five   pos    template
//	end         flags  -        -        -       five
//	flags       76 5 4 32 10
//	            │└┬┘ │ │  └─ kind
//	            │ │  │ └──── pair: orientation; else bit 2: reverse strand
//	            │ │  └────── pair: own is the leftmost end
//	            │ └───────── reads of the template that a decision is about: bit 5 the first
//	            └─────────── in a table: not the only one of its set
//
// own, mate and five are places; prefix is the number of the start of the name, and the len bytes
// are the rest of it; template is the number in the input, of 48 bits. pos has 32 bits.
type signature []byte

const (
	kindPair = iota
	kindSingle
	kindEnd
	kindMask = 3

	tagShift    = 2
	tagMask     = 7 << tagShift
	reverseFlag = 1 << tagShift
	readShift   = 5
	readMask    = 3 << readShift
	severalFlag = 1 << 7

	pairFixed  = 30 // bytes before the name
	singleSize = 30
	endSize    = 16
)

// MaxTemplates bounds the numbers of templates.
const MaxTemplates = 1 << 48

func (s signature) kind() byte { return s[0] & kindMask }

func (s signature) size() int {
	switch s.kind() {
	case kindPair:
		return pairFixed + int(s[1])
	case kindSingle:
		return singleSize
	}
	return endSize
}

func (s signature) score() uint32    { return binary.LittleEndian.Uint32(s[4:]) }
func (s signature) five() uint64     { return binary.LittleEndian.Uint64(s[8:]) }
func (s signature) pos() uint32      { return binary.LittleEndian.Uint32(s[16:]) }
func (s signature) prefix() uint16   { return binary.LittleEndian.Uint16(s[2:]) }
func (s signature) rest() []byte     { return s[pairFixed : pairFixed+int(s[1])] }
func (s signature) reads() byte      { return s[0] & readMask >> readShift }
func (s signature) strand() byte     { return s[0] & reverseFlag >> tagShift }
func (s signature) template() uint64 { return binary.LittleEndian.Uint64(s[22:]) >> 16 }
func (s signature) both() bool       { return s[0]&readMask == readMask }
func (s signature) sameEnds(o signature) bool {
	return s.five() == o.five() && (s[0]^o[0])&tagMask == 0 && s.mate() == o.mate()
}

func (s signature) mate() uint64 { return binary.LittleEndian.Uint64(s[16:]) }

func (s signature) key() pairKey { return pairKey{s.five(), s.mate(), s[0] & tagMask >> tagShift} }

func (s signature) hash() uint64 {
	if s.kind() == kindPair {
		return s.key().hash()
	}
	return endHash(s.five(), s.strand())
}

func (s signature) putPair(k pairKey, reads byte, score uint32, template uint64, prefix uint16, rest []byte) {
	binary.LittleEndian.PutUint64(s[22:], template<<16)
	s[0] = kindPair | k.tag<<tagShift | reads<<readShift
	s[1] = byte(len(rest))
	binary.LittleEndian.PutUint16(s[2:], prefix)
	binary.LittleEndian.PutUint32(s[4:], score)
	binary.LittleEndian.PutUint64(s[8:], k.own)
	binary.LittleEndian.PutUint64(s[16:], k.mate)
	copy(s[pairFixed:], rest)
}

func (s signature) putSingle(r *read, reads byte, template uint64) {
	binary.LittleEndian.PutUint64(s[22:], template<<16)
	s.putEnd(kindSingle, place(r.ref, r.five()), r.reverse)
	s[0] |= reads << readShift
	binary.LittleEndian.PutUint32(s[4:], r.score)
	binary.LittleEndian.PutUint32(s[16:], uint32(r.pos))
}

func (s signature) putEnd(kind byte, five uint64, reverse bool) {
	s[0] = kind
	if reverse {
		s[0] |= reverseFlag
	}
	binary.LittleEndian.PutUint64(s[8:], five)
}

// beatsPair tells which of two pairs at the same ends stays.
func (s signature) beatsPair(o signature, n *names) bool {
	if a, b := s.score(), o.score(); a != b {
		return a > b
	}
	if c := n.compare(s, o); c != 0 {
		return c < 0
	}
	return s.template() < o.template()
}

// beatsSingle tells which of two single reads at the same end stays.
func (s signature) beatsSingle(o signature) bool {
	if a, b := s.score(), o.score(); a != b {
		return a > b
	}
	if a, b := s.pos(), o.pos(); a != b {
		return a < b
	}
	return s.template() < o.template()
}

// compare orders the names of two pairs as strcmp does.
func (n *names) compare(s, o signature) int {
	if s.prefix() == o.prefix() {
		return bytes.Compare(s.rest(), o.rest())
	}
	var a, b [maxName]byte
	return bytes.Compare(n.append(a[:0], s), n.append(b[:0], o))
}
