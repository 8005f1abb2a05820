package markdup

import (
	"encoding/binary"
	"math/bits"

	"github.com/alignpipe/alignpipe/internal/bamrec"
)

// Flag bits of SAM that bamrec has no use for.
const (
	flagMateUnmapped = 0x8
	flagQCFail       = 0x200
)

// coordBias makes unclipped coordinates, which may be negative, fit 32 bits: from -2^30 to 3*2^30.
const coordBias = 1 << 30

// leastQuality is the lowest base quality that counts in a score.
const leastQuality = 15

// read is what decides about a primary record.
type read struct {
	ref, pos   int32 // pos is 0-based
	start, end int64 // unclipped, 1-based, both included
	score      uint32
	reverse    bool
	first      bool // of its pair
	fails      bool // quality control
}

// five is the unclipped coordinate of the 5' end.
func (r *read) five() int64 {
	if r.reverse {
		return r.end
	}
	return r.start
}

// parse reads a mapped record without block_size.
func parse(rec []byte) read {
	flag := bamrec.Flag(rec)
	r := read{
		ref: bamrec.Ref(rec), pos: bamrec.Pos(rec),
		reverse: flag&bamrec.FlagReverse != 0, first: flag&bamrec.FlagFirst != 0, fails: flag&flagQCFail != 0,
	}
	lead, span, tail := spans(bamrec.Cigar(rec))
	r.start = int64(r.pos) - lead + 1
	r.end = int64(r.pos) + span + tail
	r.score = score(bamrec.Qual(rec))
	return r
}

const (
	isClip       = 1<<4 | 1<<5                      // S and H
	consumesRef  = 1<<0 | 1<<2 | 1<<3 | 1<<7 | 1<<8 // M, D, N, = and X
	cigarOpBytes = 4
)

// spans returns the bases that are clipped before and after the alignment, and what it covers of
// the reference. cigar is encoded as in BAM.
func spans(cigar []byte) (lead, span, tail int64) {
	aligned := false
	for ; len(cigar) >= cigarOpBytes; cigar = cigar[cigarOpBytes:] {
		op := binary.LittleEndian.Uint32(cigar)
		n, kind := int64(op>>4), op&15
		switch {
		case isClip>>kind&1 == 0:
			aligned, tail = true, 0
			if consumesRef>>kind&1 != 0 {
				span += n
			}
		case aligned:
			tail += n
		default:
			lead += n
		}
	}
	return lead, max(span, 1), tail // as samtools: a record without a CIGAR covers one base
}

// score is the sum of the base qualities of at least 15, as in samtools' ms tag. qual is not ASCII.
func score(qual []byte) uint32 {
	const (
		ones  = 0x0101010101010101
		high  = 0x8080808080808080
		pairs = 0x00ff00ff00ff00ff
		block = 128 * 8 // bytes whose sums fit four lanes of 16 bits
	)
	sum, seen := uint64(0), uint64(0)
	rest := qual
	for len(rest) >= 8 {
		lanes := uint64(0)
		words := rest[:min(len(rest), block)&^7]
		rest = rest[len(words):]
		for ; len(words) >= 8; words = words[8:] {
			x := binary.LittleEndian.Uint64(words)
			seen |= x
			good := (x + (128-leastQuality)*ones) & high
			x &= good - good>>7
			lanes += x&pairs + x>>8&pairs
		}
		sum += lanes&0xffff + lanes>>16&0xffff + lanes>>32&0xffff + lanes>>48
	}
	if seen&high != 0 { // no quality has that bit, but the mark of missing ones does
		sum, rest = 0, qual
	}
	for _, q := range rest {
		sum += worth(q)
	}
	return uint32(min(sum, 1<<31-1)) // two of them fit 32 bits
}

func worth(q byte) uint64 {
	if q < leastQuality {
		return 0
	}
	return uint64(q)
}

// Orientations of a pair, in the order of its ends.
const (
	orientFF = iota
	orientRR
	orientFR
	orientRF
)

// pairKey is what two pairs' records share when one is the duplicate of the other.
type pairKey struct {
	own, mate uint64 // ends: see place
	tag       byte   // orientation, and leftMost
}

// leftMost marks the record whose end comes first. Where both ends are at one place, both have it.
const leftMost = 1 << 2

// place packs a reference and an unclipped coordinate.
func place(ref int32, coord int64) uint64 {
	return uint64(uint32(ref))<<32 | uint64(uint32(coord+coordBias))
}

// keyOf is the key of r's record, with its mate m: samtools' "template" mode. Mates on different
// strands have their 5' ends in it. Of mates on one strand the left one has its start in it and the
// right one its end, whichever is 5', and which of them is the first read tells the strands apart.
func keyOf(r, m *read) pairKey {
	left := r.five() <= m.five()
	if r.ref != m.ref {
		left = r.ref < m.ref
	}
	k := pairKey{own: place(r.ref, r.five()), mate: place(m.ref, m.five()), tag: orientFR}
	switch {
	case r.reverse != m.reverse:
		if left == r.reverse {
			k.tag = orientRF
		}
	case left:
		k.own, k.mate, k.tag = place(r.ref, r.start), place(m.ref, m.end), orientFF
	default:
		k.own, k.mate, k.tag = place(r.ref, r.end), place(m.ref, m.start), orientFF
	}
	if r.reverse == m.reverse && (r.reverse != r.first) != left {
		k.tag = orientRR
	}
	if left {
		k.tag |= leftMost
	}
	return k
}

// mirrored tells whether the key of the mate's record says the same as k: then one signature does
// for both records. The mates must be on different strands.
func mirrored(k pairKey, m pairKey) bool { return (k.tag^m.tag)&leftMost != 0 }

func (k pairKey) hash() uint64 { return mix(k.own, k.mate+uint64(k.tag)<<56) }

// endHash is the hash of the 5' end of one read.
func endHash(five uint64, strand byte) uint64 { return mix(five, uint64(strand)+1) }

// mix hashes two words; all bits of the result are good.
func mix(a, b uint64) uint64 {
	const k0, k1, k2 = 0x9e3779b97f4a7c15, 0xe7037ed1a0b428db, 0xa0761d6478bd642f
	hi, lo := bits.Mul64(a^k0, b^k1)
	hi, lo = bits.Mul64(hi^k2, lo^a^k1)
	return hi ^ lo
}
