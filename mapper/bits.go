package mapper

import (
	"encoding/binary"
	"math/bits"
)

// A packed read has 32 bases a word, the first in the low bits, as the packed genome. Two
// sequences are compared by XOR; a base that differs leaves one bit, the lower of its two.

const (
	maxPacked = 512                   // bases; longer reads are compared base by base
	maxWords  = maxPacked/32 + 1      // one more, so that any 64 bits can be cut out
	lowBits   = 0x5555555555555555    // the lower bit of each base
	ascii01   = 0x0101010101010101    // one in each byte
	caseBits  = 0x2020202020202020    // what tells upper from lower case
	asciiA    = 'A' * uint64(ascii01) // the letter of code 0
)

// packRead packs ASCII bases; what is no ACGT becomes A. It returns whether all were.
func packRead(dst *[maxWords]uint64, seq []byte) (clean bool) {
	bad := uint64(0)
	i, word, fill := 0, uint64(0), uint(0)
	k := 0
	for ; i+8 <= len(seq); i += 8 {
		v, b := pack8(binary.LittleEndian.Uint64(seq[i:]))
		bad |= b
		word |= v << (2 * fill)
		if fill += 8; fill == 32 {
			dst[k] = word
			k, word, fill = k+1, 0, 0
		}
	}
	if i < len(seq) {
		var tail [8]byte
		copy(tail[:], "AAAAAAAA")
		copy(tail[:], seq[i:])
		v, b := pack8(binary.LittleEndian.Uint64(tail[:]))
		bad |= b
		word |= v << (2 * fill)
		fill += 8
	}
	if fill > 0 {
		dst[k] = word
		k++
	}
	for ; k < maxWords && k <= (len(seq)+31)/32; k++ {
		dst[k] = 0
	}
	return bad == 0
}

// pack8 turns eight letters into sixteen bits; bad is not zero if one is no ACGT.
func pack8(x uint64) (v, bad uint64) {
	x &^= caseBits
	v = x >> 1 & (3 * ascii01) // A 0, C 1, T 2, G 3
	v ^= v >> 1 & ascii01      // A 0, C 1, G 2, T 3
	// The letter that stands for the code: A, and 2 more for C, 6 for G, 19 for T.
	b0, b1 := v&ascii01, v>>1&ascii01
	bad = x ^ (asciiA + 2*b0 + 6*b1 + 11*(b0&b1))
	if bad != 0 {
		v &^= 3 * notZero(bad)
	}
	v = (v | v>>6) & 0x000f000f000f000f
	v = (v | v>>12) & 0x000000ff000000ff
	return (v | v>>24) & 0xffff, bad
}

// notZero has a one in each byte where x is not zero.
func notZero(x uint64) uint64 {
	x |= x >> 4
	x |= x >> 2
	x |= x >> 1
	return x & ascii01
}

// reverseComplement of n packed bases.
func reverseComplement(dst, src *[maxWords]uint64, n int) {
	words := (n + 31) / 32
	if words == 0 {
		dst[0] = 0
		return
	}
	shift := uint(64*words - 2*n) // what the last word leaves free
	last := flip(src[words-1])
	for i := range words {
		next := uint64(0)
		if i+1 < words {
			next = flip(src[words-2-i])
		}
		dst[i] = last>>(shift&63) | next<<(-shift&63)&^(uint64(1)<<(-shift&63)-1)
		if shift == 0 {
			dst[i] = last
		}
		last = next
	}
	if r := uint(2*n) & 63; r != 0 {
		dst[words-1] &= 1<<r - 1
	}
	dst[words] = 0
}

// flip reverses the bases of a word and complements each.
func flip(x uint64) uint64 {
	x = bits.Reverse64(x)
	return ^(x>>1&lowBits | x&lowBits<<1)
}

// cut returns the 32 bases from base at on.
func cut(p *[maxWords]uint64, at int) uint64 {
	w, b := at>>5, uint(2*at)&63
	if b == 0 {
		return p[w]
	}
	return p[w]>>b | p[w+1]<<(64-b)
}

// diffs are the places where a read differs from the genome: the lower bit of each base.
type diffs struct {
	word [maxWords]uint64
	n    int // bases compared
	num  int // places
}

// compare sets d to where the n packed bases of read differ from the genome from at on. The
// range must lie inside the genome; bases of the genome that are no ACGT count as A.
func (d *diffs) compare(r *Reference, read *[maxWords]uint64, n int, at int64) {
	d.n, d.num = n, 0
	words := (n + 31) / 32
	p := r.packed[at>>2:]
	if len(p) < 8*words+8 {
		var tail [8*maxWords + 8]byte
		copy(tail[:], p)
		p = tail[:]
	}
	shift := uint(at&3) * 2
	p = p[:8*words+8]
	low := binary.LittleEndian.Uint64(p)
	for i := range words {
		p = p[8:]
		high := binary.LittleEndian.Uint64(p)
		ref := low>>shift | high<<1<<(63-shift)
		x := read[i] ^ ref
		x = (x | x>>1) & lowBits
		if i == words-1 && n&31 != 0 {
			x &= 1<<(2*uint(n&31)) - 1
		}
		d.word[i] = x
		d.num += bits.OnesCount64(x)
		low = high
	}
}

// count returns the places in bases [from, to).
func (d *diffs) count(from, to int) int {
	if from >= to {
		return 0
	}
	fw, tw := from>>5, (to-1)>>5
	first := ^uint64(0) << (2 * uint(from&31))
	last := ^uint64(0) >> (62 - 2*uint((to-1)&31))
	if fw == tw {
		return bits.OnesCount64(d.word[fw] & first & last)
	}
	n := bits.OnesCount64(d.word[fw]&first) + bits.OnesCount64(d.word[tw]&last)
	for i := fw + 1; i < tw; i++ {
		n += bits.OnesCount64(d.word[i])
	}
	return n
}

// next returns the first place from i on, or n.
func (d *diffs) next(i int) int {
	for w := i >> 5; w*32 < d.n; w++ {
		x := d.word[w]
		if w == i>>5 {
			x &= ^uint64(0) << (2 * uint(i&31))
		}
		if x != 0 {
			return w*32 + bits.TrailingZeros64(x)/2
		}
	}
	return d.n
}

// stretch returns the part [qb, qe) of the read that scores most without gaps, each clipped
// end charged, and its score without that charge. Of equal ones it takes what ends first.
func (d *diffs) stretch() (qb, qe, score int) {
	if d.num == 0 {
		return 0, d.n, d.n * matchScore
	}
	best := -1 << 30
	run, start, prev := 0, 0, 0
	for {
		p := d.next(prev)
		if fresh := -clipCost; p > prev && prev > 0 && fresh > run {
			run, start = fresh, prev
		}
		run += (p - prev) * matchScore
		total := run
		if p < d.n {
			total -= clipCost
		}
		if total > best && (p > prev || p == d.n) {
			best, qb, qe, score = total, start, p, run
			if start > 0 {
				score += clipCost
			}
		}
		if p == d.n {
			return qb, qe, score
		}
		run -= mismatchCost
		prev = p + 1
	}
}
