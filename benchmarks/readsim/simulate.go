package main

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// simulator makes one pair after the other.
type simulator struct {
	g     *genome
	m     model
	rng   *rand.Rand
	cycle [2][]qualities // by mate and base of the read
	frag  []uint8        // codes of the fragment, with variants
	at    []int64        // where each of them stands in the genome
	reads [2][]byte
	quals [2][]byte

	pool   [recent]molecule
	drawn  int      // new molecules so far
	again  molecule // a duplicate
	strand []uint8
}

func newSimulator(g *genome, m model) *simulator {
	s := &simulator{g: g, m: m, rng: rand.New(rand.NewPCG(m.seed, 0x5eed))}
	for mate, factor := range []float64{.8, 1.2} {
		s.reads[mate], s.quals[mate] = make([]byte, m.length), make([]byte, m.length)
		for i := range m.length {
			x := float64(i) / float64(m.length-1)
			s.cycle[mate] = append(s.cycle[mate], qualitiesFor(m.err*factor*(.43+1.71*x*x))) // the mean of x*x is 1/3
		}
	}
	return s
}

// bins are the qualities of the reads, best first.
var bins = [...]int{37, 25, 11, 2}

// qualities says how often each bin is used where errors have a certain rate, and how often
// a base of the bin is wrong, both of 2^32. The bins then have that rate together.
type qualities struct {
	upTo  [len(bins)]uint32 // cumulative
	wrong [len(bins)]uint32
}

func chance(q int) float64 { return math.Pow(10, -float64(q)/10) }

// qualitiesFor starts from the best bin and gives shares of the errors beyond it to the
// others. Where even the best bin means more errors than the rate, it means too many.
func qualitiesFor(rate float64) (q qualities) {
	share := [len(bins)]float64{1}
	best := chance(bins[0])
	extra := max(rate-best, 0)
	give := func(bin int, part, most float64) {
		n := min(part/(chance(bins[bin])-best), most)
		share[bin], share[0], extra = n, share[0]-n, extra-n*(chance(bins[bin])-best)
	}
	whole := extra
	give(3, .2*whole, 1)
	give(1, .1*whole, .2)
	give(2, extra, 1)
	sum := 0.0
	for i := range bins {
		sum += share[i]
		q.upTo[i] = uint32(min(sum*(1<<32), 1<<32-1))
		q.wrong[i] = uint32(chance(bins[i]) * min(rate/best, 1) * (1 << 32))
	}
	return q
}

func (s *simulator) run(out *outputs) error {
	longest := int64(0)
	for _, c := range s.g.contigs {
		longest = max(longest, c.len)
	}
	if longest < 2*int64(s.m.mean+4*s.m.sd) {
		return errors.New("no contig is twice as long as the longest fragments")
	}
	var line, name []byte
	for i := range s.m.pairs {
		m := s.draw(i)
		s.read(m.first, s.sequenced(m, m.first))
		s.read(1-m.first, s.sequenced(m, 1-m.first))
		name = s.appendName(name[:0], i, m.spot)
		for mate := range s.reads {
			line = append(append(append(line[:0], '@'), name...), '\n')
			line = append(append(append(line, s.reads[mate]...), "\n+\n"...), s.quals[mate]...)
			out.reads[mate].write(append(line, '\n'))
		}
		if !m.mixed {
			off := m.contig.off
			line = fmt.Appendf(line[:0], "%s\t%s\t%d\t%d\t%d\t%d\n", name, m.contig.name,
				m.ends[0][0]-off, m.ends[0][1]-off, m.ends[1][0]-off, m.ends[1][1]-off)
			out.truth.write(line)
		}
	}
	return nil
}

// fragment draws one and applies the variants that lie in it.
func (s *simulator) fragment() *contig {
	least := s.m.length
	if s.m.library.adapters {
		least = shortest
	}
	for {
		n := max(int(math.Round(s.m.mean+s.m.sd*s.rng.NormFloat64())), least)
		p := s.rng.Int64N(s.g.total)
		c := s.g.contigAt(p)
		end := min(p+int64(n)+int64(n)/4+100, c.off+c.len) // deletions need more
		if end-p < int64(n) || !s.g.clear(p, end) {
			continue
		}
		s.frag, s.at = s.frag[:0], s.at[:0]
		for ; p < end && len(s.frag) < n; p++ {
			p = s.variant(p)
		}
		if len(s.frag) >= n {
			s.frag, s.at = s.frag[:n], s.at[:n]
			return c
		}
	}
}

// variant appends what stands at p in the simulated genome, and returns the last place of
// the reference that is dealt with.
func (s *simulator) variant(p int64) int64 {
	base := s.g.base(p)
	h := mix(uint64(p)*0x9e3779b97f4a7c15 ^ s.m.seed<<48 ^ s.m.seed)
	x := float64(h>>11) / (1 << 53)
	h = mix(h)
	size := int64(min(1+int(-math.Log2(1-float64(h>>40)/(1<<24))), 12))
	switch {
	case x < s.m.snp:
		base = (base + 1 + uint8(h%3)) & 3
	case x < s.m.snp+s.m.indel/2: // p and what follows is deleted
		return p + size - 1
	case x < s.m.snp+s.m.indel:
		for range size {
			s.frag, s.at = append(s.frag, uint8(h)&3), append(s.at, p)
			h >>= 2
		}
	}
	s.frag, s.at = append(s.frag, base), append(s.at, p)
	return p
}

func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// read sequences bases, with errors.
func (s *simulator) read(mate int, bases []uint8) {
	read, qual := s.reads[mate], s.quals[mate]
	for i, b := range bases {
		x := s.rng.Uint64()
		at, bin := &s.cycle[mate][i], 0
		for bin < len(bins)-1 && uint32(x) >= at.upTo[bin] {
			bin++
		}
		if hi := uint32(x >> 32); hi < at.wrong[bin] {
			b = (b + 1 + uint8(hi%3)) & 3
		}
		read[i], qual[i] = "ACGT"[b], byte(33+bins[bin])
	}
}
