package mapper

// Seeds are open syncmers (Edgar 2021): a k-mer is a seed when the smallest of its
// k-s+1 s-mers is the middle one. With k=20 and s=16 one k-mer in five is a seed, the
// choice depends on the k-mer alone, and a k-mer and its reverse complement are chosen
// together, since s-mers are compared in canonical form.
const (
	seedK    = 20
	seedS    = 16
	seedMid  = (seedK - seedS) / 2
	seedBits = 2 * seedK // bits of a seed's hash: the hash is a bijection
	kMask    = 1<<seedBits - 1
	sMask    = 1<<(2*seedS) - 1
)

// seed is one syncmer of a sequence.
type seed struct {
	hash uint64 // of the canonical k-mer, seedBits wide
	pos  int32  // of its first base
	rev  bool   // the canonical k-mer is the reverse complement of what stands here
}

// mixK is an invertible hash of seedBits bits (Thomas Wang's, as in minimap2).
func mixK(x uint64) uint64 {
	x = (^x + x<<21) & kMask
	x ^= x >> 24
	x = (x + x<<3 + x<<8) & kMask
	x ^= x >> 14
	x = (x + x<<2 + x<<4) & kMask
	x ^= x >> 28
	x = (x + x<<31) & kMask
	return x
}

// mixS orders s-mers.
func mixS(x uint64) uint64 {
	x *= 0x9e3779b97f4a7c15
	return x ^ x>>32
}

// syncmers calls add for each seed of bases, given as codes (4 ends a run), in
// ascending order of position.
func syncmers(bases []byte, add func(seed)) {
	const w = seedK - seedS + 1
	var fwd, rev uint64 // the last k bases
	var win [w]uint64   // hashes of the last w s-mers, a ring
	n, slot := 0, 0
	for i, c := range bases {
		if c > 3 {
			n, fwd, rev = 0, 0, 0
			continue
		}
		n++
		fwd = (fwd<<2 | uint64(c)) & kMask
		rev = rev>>2 | uint64(3-c)<<(2*(seedK-1))
		if n < seedS {
			continue
		}
		sf := fwd & sMask
		sr := rev >> (2 * (seedK - seedS))
		win[slot] = mixS(min(sf, sr))
		slot++
		if slot == w {
			slot = 0
		}
		if n < seedK || fwd == rev {
			continue
		}
		mid := win[(slot+seedMid)%w] // slot is the oldest s-mer
		if mid <= win[0] && mid <= win[1] && mid <= win[2] && mid <= win[3] && mid <= win[4] {
			add(seed{hash: mixK(min(fwd, rev)), pos: int32(i - seedK + 1), rev: rev < fwd})
		}
	}
}
