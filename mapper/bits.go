package mapper

import (
	"encoding/binary"
	"math/bits"
)

// A packed read has 32 bases a word, the first in the low bits, as the packed genome. Two
// sequences are compared by XOR; a base that differs leaves one bit, the lower of its two.

const (
	maxPacked = 512                // bases; longer reads are compared base by base
	maxWords  = maxPacked/32 + 1   // one more, so that any 64 bits can be cut out, and syncmer.Find can read beyond the end
	lowBits   = 0x5555555555555555 // the lower bit of each base
)

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
// end charged, and its score without that charge. Of equal ones it takes what ends first, and of
// these the shortest.
func (d *diffs) stretch() (qb, qe, score int) {
	if d.num == 0 {
		return 0, d.n, d.n * matchScore
	}
	best := -1 << 30
	run, start, prev := 0, 0, 0
	for {
		p := d.next(prev)
		if fresh := -clipCost; p > prev && prev > 0 && fresh >= run {
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
