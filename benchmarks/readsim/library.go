package main

import "strconv"

// library is what happens to fragments before they are sequenced, and where they lie on the flow
// cell. All of it is off by default; then names are s1, s2 and so on.
type library struct {
	duplicates float64 // share of the pairs that repeat an earlier fragment
	optical    float64 // share of those that lie beside it on the flow cell
	chimeras   float64 // share of the fragments that are two, joined
	junk       float64 // share of the fragments of which one end is of no genome
	overhangs  float64 // share of the reads that begin with a few bases of no genome
	adapters   bool    // fragments may be shorter than reads, which then end in adapter
}

func (l *library) valid() bool {
	for _, share := range []float64{l.duplicates, l.optical, l.chimeras, l.junk, l.overhangs} {
		if share < 0 || share > 1 {
			return false
		}
	}
	return true
}

// molecule is a fragment in the library: what its ends read, and where that is from.
type molecule struct {
	bases  [2][]uint8 // by mate, codes in read orientation, a read's length at most
	first  int        // the mate that is sequenced first
	contig *contig
	ends   [2][2]int64 // in genome coordinates
	mixed  bool        // one end has no true place, or another contig
	spot   spot
}

// spot is a place on the flow cell.
type spot struct{ lane, tile, x, y int }

const (
	recent       = 4096 // molecules that may be repeated: a duplicate comes at most about this late
	shortest     = 40   // bases of a fragment, with adapters
	tileSide     = 30_000
	opticalReach = 100 // on each axis
	overhangMost = 12
)

var adapters = [2]string{"AGATCGGAAGAGCACACGTCTGAACTCCAGTCAC", "AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGTA"}

// draw takes the next molecule: a new one, or with duplicates a recent one again.
func (s *simulator) draw(pair int) *molecule {
	l := &s.m.library
	if l.duplicates == 0 {
		m := &s.pool[0]
		s.build(m)
		return m
	}
	have := min(s.drawn, recent)
	if have > 0 && s.rng.Float64() < l.duplicates {
		m := &s.pool[s.rng.IntN(have)]
		s.again = *m
		s.again.spot = s.land(pair)
		if s.rng.Float64() < l.optical {
			s.again.spot = m.spot
			s.again.spot.x += s.rng.IntN(2*opticalReach+1) - opticalReach
			s.again.spot.y += s.rng.IntN(2*opticalReach+1) - opticalReach
		}
		return &s.again
	}
	m := &s.pool[s.drawn%recent]
	s.drawn++
	s.build(m)
	m.spot = s.land(pair)
	return m
}

// land gives a pair its place on the flow cell, which is filled tile by tile.
func (s *simulator) land(pair int) spot {
	tile := pair / 20_000
	return spot{1 + tile/96%4, 1101 + tile%96, 1000 + s.rng.IntN(tileSide), 1000 + s.rng.IntN(tileSide)}
}

// build makes a new molecule.
func (s *simulator) build(m *molecule) {
	l := &s.m.library
	s.whole(m)
	m.mixed = false
	if l.chimeras > 0 && s.rng.Float64() < l.chimeras {
		mate := s.rng.IntN(2)
		keep, ends := append([]uint8(nil), m.bases[mate]...), m.ends[mate]
		s.whole(m)
		m.bases[mate], m.ends[mate], m.mixed = keep, ends, true
	}
	if l.junk > 0 && s.rng.Float64() < l.junk {
		mate := s.rng.IntN(2)
		m.mixed = true
		for i := range m.bases[mate] {
			m.bases[mate][i] = uint8(s.rng.IntN(4))
		}
	}
}

// whole makes m one fragment of the genome.
func (s *simulator) whole(m *molecule) {
	m.contig = s.fragment()
	n, last := min(s.m.length, len(s.frag)), len(s.frag)
	m.first = s.rng.IntN(2) // the mate that reads the forward strand
	forward, back := m.bases[m.first][:0], m.bases[1-m.first][:0]
	forward = append(forward, s.frag[:n]...)
	for i := last - 1; i >= last-n; i-- {
		back = append(back, 3-s.frag[i])
	}
	m.bases[m.first], m.bases[1-m.first] = forward, back
	m.ends[m.first] = [2]int64{s.at[0], s.at[n-1] + 1}
	m.ends[1-m.first] = [2]int64{s.at[last-n], s.at[last-1] + 1}
}

// sequenced is what the sequencer meets of one mate: its bases, then adapter, then nothing.
func (s *simulator) sequenced(m *molecule, mate int) []uint8 {
	s.strand = append(s.strand[:0], m.bases[mate]...)
	for i := 0; len(s.strand) < s.m.length; i++ {
		c := uint8(2) // G: two-colour chemistry reads nothing as that
		if i < len(adapters[mate]) {
			c = codes[adapters[mate][i]]
		}
		s.strand = append(s.strand, c)
	}
	if o := s.m.library.overhangs; o > 0 && s.rng.Float64() < o {
		for i := range 1 + s.rng.IntN(overhangMost) {
			s.strand[i] = uint8(s.rng.IntN(4))
		}
	}
	return s.strand
}

// appendName names a pair. With duplicates it is Illumina's, with a barcode that no other has.
func (s *simulator) appendName(dst []byte, pair int, at spot) []byte {
	if s.m.library.duplicates == 0 {
		return strconv.AppendInt(append(dst, 's'), int64(pair+1), 10)
	}
	dst = append(dst, "SIM:1:FC"...)
	for _, n := range []int{at.lane, at.tile, at.x, at.y} {
		dst = strconv.AppendInt(append(dst, ':'), int64(n), 10)
	}
	dst = append(dst, ':')
	for n, i := pair, 0; i < 12 || n > 0; i++ {
		dst = append(dst, "ACGT"[n&3])
		n >>= 2
	}
	return dst
}
