package mapper

// hole is a run of bases other than ACGT, in packed coordinates, half-open.
type hole struct{ start, end int64 }

const (
	holeBlock = 10 // log2 of the bases that share a bit of the hole map: 380 KB for a human genome
	nearSpan  = 1<<holeBlock + 1
)

// noteHole adds bases [from, to), behind all that were noted before.
func (r *Reference) noteHole(from, to int64) {
	if n := len(r.holes); n > 0 && r.holes[n-1].end == from {
		r.holes[n-1].end = to
		return
	}
	r.holes = append(r.holes, hole{from, to})
}

// makeHoleMap sets bit b where the blocks b or b+1 touch a hole, so that one look is enough
// for a range of up to nearSpan bases. It says false where holes are not what noteHole
// would have made.
func (r *Reference) makeHoleMap() bool {
	r.holeMap = make([]uint64, r.total>>(holeBlock+6)+2)
	at := int64(0)
	for _, h := range r.holes {
		if h.start < at || h.end <= h.start || h.end > r.total {
			return false
		}
		at = h.end
		setBits(r.holeMap, uint64(max(h.start>>holeBlock-1, 0)), uint64((h.end-1)>>holeBlock))
	}
	return true
}

// setBits sets bits from to last.
func setBits(m []uint64, from, last uint64) {
	for w := from >> 6; w <= last>>6; w++ {
		mask := ^uint64(0)
		if w == from>>6 {
			mask <<= from & 63
		}
		if w == last>>6 {
			mask &= ^uint64(0) >> (63 - last&63)
		}
		m[w] |= mask
	}
}

// nearHole says whether genome range [pos, pos+n), which lies inside the genome, may touch a
// hole: never no where it does, and yes up to 2 kb beside one.
func (r *Reference) nearHole(pos, n int64) bool {
	b := uint64(pos) >> holeBlock
	return r.holeMap[b>>6]>>(b&63)&1 != 0 || n > nearSpan && r.farHole(pos, n)
}

// farHole is nearHole for long ranges.
func (r *Reference) farHole(pos, n int64) bool {
	for b := uint64(pos) >> holeBlock; b <= uint64(pos+n-1)>>holeBlock; b++ {
		if r.holeMap[b>>6]>>(b&63)&1 != 0 {
			return true
		}
	}
	return false
}
