package mapper

import (
	"encoding/binary"
	"math/bits"
)

// genomeSeeds finds the syncmers of packed bases: the same ones as syncmers does, some times
// faster, since it has no calls and no branches that depend on the bases.
type genomeSeeds struct {
	order [stretch + seedK]uint64 // mixS of the s-mers of one stretch
	at    [stretch + 1]uint32     // where the stretch's seeds begin, relative to its start
}

// stretch is how many k-mers are looked at in one go; order and at then fit the first-level
// cache. A multiple of four.
const stretch = 1 << 11

// find returns the offsets from from of the k-mers that begin in [from, to) and are seeds,
// but for palindromes. Bases [from, to+seedK-1) must be ACGT; packed must have packedSlack
// bytes of capacity behind them. to-from is at most stretch.
func (g *genomeSeeds) find(packed []byte, from, to int64) []uint32 {
	n := int(to - from)
	packed = packed[:cap(packed)]
	g.hashAll(packed, from, n+seedK-seedS)
	return g.at[:g.choose(n)]
}

// hashAll sets order[i] for the n s-mers that begin at from and after.
func (g *genomeSeeds) hashAll(packed []byte, from int64, n int) {
	// An s-mer is 32 bits. Its complement, reversed, is the packed word inverted, as the
	// first base of a packed word is the low one; forwards it is rolled.
	fwd := uint32(0)
	head := binary.LittleEndian.Uint64(packed[from>>2:]) >> (2 * uint(from&3))
	for i := range seedS - 1 {
		fwd = fwd<<2 | uint32(head>>(2*i))&3
	}
	at, phase := int(from>>2), 2*uint(from&3)
	order := g.order[:]
	for i := 0; i < n && i+4 <= len(order); i, at = i+4, at+1 {
		w := binary.LittleEndian.Uint64(packed[at:]) >> phase
		o := (*[4]uint64)(order[i:])
		fwd = fwd<<2 | uint32(w>>30)&3
		o[0] = mixS(uint64(min(fwd, ^uint32(w))))
		fwd = fwd<<2 | uint32(w>>32)&3
		o[1] = mixS(uint64(min(fwd, ^uint32(w>>2))))
		fwd = fwd<<2 | uint32(w>>34)&3
		o[2] = mixS(uint64(min(fwd, ^uint32(w>>4))))
		fwd = fwd<<2 | uint32(w>>36)&3
		o[3] = mixS(uint64(min(fwd, ^uint32(w>>6))))
	}
}

// choose lists which of the first n k-mers have their smallest s-mer in the middle.
func (g *genomeSeeds) choose(n int) int {
	found := 0
	o := g.order[: n+4 : n+4]
	ab, bc, cd := min(o[0], o[1]), min(o[1], o[2]), min(o[2], o[3])
	for i := range n {
		de := min(o[i+3], o[i+4])
		g.at[found] = uint32(i)
		is := 0
		if o[i+2] <= min(ab, de) {
			is = 1
		}
		found += is
		ab, bc, cd = bc, cd, de
	}
	return found
}

// seedAt returns the hash of the k-mer at p, and whether its canonical form is the reverse
// complement; ok is false for palindromes, which are no seeds.
func seedAt(packed []byte, p int64) (hash uint64, rev, ok bool) {
	x := binary.LittleEndian.Uint64(packed[p>>2:]) >> (2 * uint(p&3)) & kMask
	r := ^x & kMask
	f := bits.ReverseBytes64(x)
	f = f>>4&0x0f0f0f0f0f0f0f0f | f&0x0f0f0f0f0f0f0f0f<<4
	f = f>>2&0x3333333333333333 | f&0x3333333333333333<<2
	f >>= 64 - seedBits
	return mixK(min(f, r)), r < f, f != r
}
