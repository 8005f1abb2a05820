package main

// family is a consensus and how its copies look.
type family struct {
	share     float64 // of the genome
	consensus []byte
	oldest    int     // divergence of its copies from the consensus, percent
	youngest  int     //
	full      float64 // share of copies that are whole; the others lack the 5' end
	mean      int     // bases of a copy, on average
	tail      bool    // ends in A
}

// families makes the consensus sequences. Younger subfamilies descend from older ones, as
// those of Alu and L1 do, so that copies of two subfamilies are also alike.
func (m *maker) families() []family {
	var all []family
	all = append(all, m.lineage(lineage{share: .10, subfamilies: 12, length: 300, step: 3, young: 5, old: 20, full: .85, tail: true})...)
	all = append(all, m.lineage(lineage{share: .17, subfamilies: 24, length: 6000, step: 2, young: 3, old: 25, full: .05, tail: true})...)
	const older = 70
	for range older {
		age := 10 + m.rng.below(18)
		all = append(all, m.lineage(lineage{share: .17 / older, subfamilies: 1, length: m.rng.spread(150, 7000), young: age, old: age + 5, full: .2})...)
	}
	return all
}

// lineage describes subfamilies that descend from each other.
type lineage struct {
	share       float64
	subfamilies int
	length      int // bases of the consensus
	step        int // percent between a subfamily and the next younger one
	young, old  int // divergence of the copies of the youngest, and of the oldest
	full        float64
	tail        bool
}

func (m *maker) lineage(l lineage) []family {
	seq := lower(m.unique(nil, l.length, .42))
	out := make([]family, l.subfamilies)
	for i := range out {
		age := l.old - (l.old-l.young)*i/max(l.subfamilies-1, 1)
		f := family{share: l.share / float64(l.subfamilies), consensus: seq, youngest: max(age-3, l.young), oldest: age, full: l.full, tail: l.tail}
		f.mean = int(f.full*float64(len(seq)) + (1-f.full)*meanCut*float64(len(seq)))
		out[i] = f
		seq = m.mut.copy(nil, seq, l.step)
	}
	return out
}

// meanCut is what is left of a consensus that is cut, on average: see cut.
const meanCut = .2

// cut is how many bases at the 3' end a copy has.
func (m *maker) cut(f *family) int {
	n := len(f.consensus)
	if m.rng.float() < f.full {
		return n
	}
	if n < 500 { // short elements lose less
		return n/5 + m.rng.below(n/2)
	}
	return min(60+m.rng.exp(meanCut*float64(n)), n)
}

// element appends a copy of f to dst.
func (m *maker) element(dst []byte, f *family) []byte {
	from := len(dst)
	percent := f.youngest + m.rng.below(f.oldest-f.youngest+1)
	body := f.consensus[len(f.consensus)-m.cut(f):]
	if len(body) > 400 && m.rng.below(5) == 0 { // a younger element has jumped into it
		at := 100 + m.rng.below(len(body)-200)
		dst = m.mut.copy(dst, body[:at], percent)
		dst = m.element(dst, &m.fams[m.rng.below(12)])
		dst = m.mut.copy(dst, body[at:], percent)
	} else {
		dst = m.mut.copy(dst, body, percent)
	}
	if f.tail {
		at := len(dst)
		for range 8 + m.rng.below(25) {
			dst = append(dst, 'a')
		}
		dst = m.mut.copy(dst[:at], append([]byte(nil), dst[at:]...), percent)
	}
	if m.rng.below(2) == 0 {
		flip(dst[from:])
	}
	return dst
}

// tandem appends n bases of a repeated unit.
func (m *maker) tandem(dst []byte, unit, n, percent int) []byte {
	word := lower(m.unique(nil, unit, .4))
	at := len(dst)
	for len(dst)-at < n {
		dst = append(dst, word...)
	}
	return m.mut.copy(dst[:at], append([]byte(nil), dst[at:]...), percent)
}

func lower(b []byte) []byte {
	for i := range b {
		b[i] |= 0x20
	}
	return b
}
