package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"sort"
)

// chromosomes are those of human (GRCh38), in kilobases. Acrocentric ones have no sequence
// in the short arm, and Y has none in half of its long arm.
var chromosomes = []struct {
	name  string
	kb    int64
	short float64 // N at the start, share of the length
	long  float64 // N at the end
}{
	{"chr1", 248956, 0, 0}, {"chr2", 242194, 0, 0}, {"chr3", 198296, 0, 0}, {"chr4", 190215, 0, 0}, {"chr5", 181538, 0, 0}, {"chr6", 170806, 0, 0},
	{"chr7", 159346, 0, 0}, {"chr8", 145139, 0, 0}, {"chr9", 138395, 0, 0}, {"chr10", 133797, 0, 0}, {"chr11", 135087, 0, 0}, {"chr12", 133275, 0, 0},
	{"chr13", 114364, .15, 0}, {"chr14", 107044, .15, 0}, {"chr15", 101991, .15, 0}, {"chr16", 90338, 0, 0}, {"chr17", 83257, 0, 0}, {"chr18", 80373, 0, 0},
	{"chr19", 58618, 0, 0}, {"chr20", 64444, 0, 0}, {"chr21", 46710, .1, 0}, {"chr22", 50818, .2, 0}, {"chrX", 156041, 0, 0}, {"chrY", 57227, 0, .5},
}

const (
	minSize        = 200_000 // bases; chromosomes would be too short for their parts
	lineBases      = 60
	savedWindows   = 64 // from which segmental duplications come: 13 MB in all
	duplicated     = .03
	microSatellite = .01
	miniSatellite  = .005
	satellite      = .023 // of a chromosome
	centromereGap  = .006
	monomer        = 171 // bases
)

// maker writes a genome from left to right. What it keeps of what it wrote is savedWindows.
type maker struct {
	rng    rng
	mut    *mutator
	out    *bufio.Writer
	err    error
	column int
	size   int64

	fams   []family
	picks  []float64 // cumulative share of elements by number: families, then the other kinds
	gap    float64   // unique bases between elements, on average
	gc     float64   // of the isochore
	gcLeft int       // bases until the next isochore

	alpha   []byte // the monomer all satellites descend from
	window  int    // bases of a saved window
	saved   [][]byte
	saving  []byte
	pause   int64 // bases until the next window is saved
	scratch []byte
}

func newMaker(w io.Writer, size int64, seed uint64) *maker {
	m := &maker{rng: rng{seed * 0x2545f4914f6cdd1d}, out: bufio.NewWriterSize(w, 1<<20), size: size}
	m.mut = newMutator(&m.rng)
	m.window = int(min(200_000, size/100))
	m.fams = m.families()
	m.alpha = lower(m.unique(nil, monomer, .38))
	m.plan()
	return m
}

// The kinds of elements behind the families, in the order of maker.picks.
const (
	pickDuplicate = iota
	pickMicro
	pickMini
	otherKinds
)

// plan turns shares of the genome into shares of the number of elements.
func (m *maker) plan() {
	sum, covered := 0.0, 0.0
	add := func(share float64, mean int) {
		covered += share
		sum += share / float64(mean)
		m.picks = append(m.picks, sum)
	}
	for _, f := range m.fams {
		add(f.share, f.mean)
	}
	add(duplicated, int(float64(m.window)*.317)) // the mean of spread over a factor of 20
	add(microSatellite, 60)
	add(miniSatellite, 400)
	m.gap = (1 - covered) / sum
}

func (m *maker) genome() error {
	total, done, kb := int64(0), int64(0), int64(0)
	for _, c := range chromosomes {
		total += c.kb
	}
	for _, c := range chromosomes {
		kb += c.kb
		end := int64(float64(m.size) * (float64(kb) / float64(total)))
		if kb == total {
			end = m.size
		}
		m.chromosome(c.name, end-done, c.short, c.long)
		done = end
	}
	if err := m.out.Flush(); m.err == nil {
		m.err = err
	}
	return m.err
}

// chromosome writes telomere, arm, centromere, arm, telomere.
func (m *maker) chromosome(name string, n int64, short, long float64) {
	m.print(fmt.Sprintf(">%s made-up\n", name))
	part := func(share float64) int64 { return int64(share * float64(n)) }
	telomere := min(10_000, n/1000)
	parts := [...]int64{telomere, part(short), 0, part(centromereGap), part(satellite), 0, part(long), telomere}
	arms := n
	for _, p := range parts {
		arms -= p
	}
	parts[2] = int64(float64(arms) * max(.4-2*short, 0))
	parts[5] = arms - parts[2]
	m.unknown(parts[0] + parts[1])
	m.arm(parts[2])
	m.unknown(parts[3])
	m.centromere(parts[4])
	m.arm(parts[5])
	m.unknown(parts[6] + parts[7])
	m.print("\n")
	m.column = 0
}

// arm writes n bases of elements and what lies between them.
func (m *maker) arm(n int64) {
	const gapEvery = 8_000_000 // bases from one gap of the assembly to the next
	for toGap := int64(m.rng.exp(gapEvery)); n > 0; {
		b := m.unique(m.scratch[:0], m.rng.exp(m.gap), m.isochore())
		b = m.pick(b)
		m.scratch = b[:0]
		b = b[:min(int64(len(b)), n)]
		m.gcLeft -= len(b)
		m.write(b)
		m.save(b)
		n -= int64(len(b))
		if toGap -= int64(len(b)); toGap < 0 && n > 100_000 {
			gap := int64(m.rng.spread(50, 50_000))
			m.unknown(gap)
			n -= gap
			toGap = int64(m.rng.exp(gapEvery))
		}
	}
}

// isochore is the share of G and C here.
func (m *maker) isochore() float64 {
	if m.gcLeft <= 0 {
		m.gcLeft = m.rng.spread(100_000, 1_000_000)
		m.gc = [...]float64{.36, .375, .39, .41, .44, .48, .53}[m.rng.below(7)]
	}
	return m.gc
}

// pick appends one element.
func (m *maker) pick(dst []byte) []byte {
	x := m.rng.float() * m.picks[len(m.picks)-1]
	i := sort.SearchFloat64s(m.picks, x)
	if i < len(m.fams) {
		return m.element(dst, &m.fams[i])
	}
	switch i - len(m.fams) {
	case pickDuplicate:
		return m.duplicate(dst)
	case pickMicro:
		return m.tandem(dst, 1+m.rng.below(6), m.rng.spread(15, 180), m.rng.below(12))
	default:
		return m.tandem(dst, 10+m.rng.below(50), m.rng.spread(100, 1200), m.rng.below(15))
	}
}

// duplicate appends a copy of something written before.
func (m *maker) duplicate(dst []byte) []byte {
	if len(m.saved) == 0 {
		return dst
	}
	from := m.saved[m.rng.below(len(m.saved))]
	n := m.rng.spread(max(m.window/20, 1), m.window)
	at := m.rng.below(len(from) - n + 1)
	start := len(dst)
	dst = m.mut.copy(dst, from[at:at+n], 1+m.rng.below(5))
	if m.rng.below(2) == 0 {
		flip(dst[start:])
	}
	return dst
}

// save keeps windows of what is written, for duplicate.
func (m *maker) save(b []byte) {
	if m.pause -= int64(len(b)); m.pause > 0 {
		return
	}
	m.saving = append(m.saving, b...)
	if len(m.saving) < m.window {
		return
	}
	whole := m.saving[:m.window:m.window]
	if len(m.saved) < savedWindows {
		m.saved = append(m.saved, whole)
		m.saving = nil
	} else {
		i := m.rng.below(savedWindows)
		m.saving, m.saved[i] = m.saved[i][:0], whole
	}
	m.pause = m.size / 1500
}

// centromere writes n bases of higher-order repeats: some monomers that differ by a third,
// over and over, the rows nearly equal.
func (m *maker) centromere(n int64) {
	var row []byte
	for range 4 + m.rng.below(12) {
		row = m.mut.copy(row, m.alpha, 20+m.rng.below(15))
	}
	for n > 0 {
		if m.rng.below(50) == 0 { // the array's rows drift
			row = m.mut.copy(nil, row, 1)
		}
		b := m.mut.copy(m.scratch[:0], row, m.rng.below(3))
		m.scratch = b[:0]
		b = b[:min(int64(len(b)), n)]
		m.write(b)
		n -= int64(len(b))
	}
}

// unique appends n bases that depend on nothing.
func (m *maker) unique(dst []byte, n int, gc float64) []byte {
	var table [256]byte
	at := int(math.Round(256 * (1 - gc) / 2)) // of A, and of T
	for i := range table {
		table[i] = "ACGT"[min(i/at, 1)+btoi(i >= 128)+btoi(i >= 256-at)]
	}
	for n > 0 {
		x := m.rng.next()
		for range min(n, 8) {
			dst = append(dst, table[byte(x)])
			x >>= 8
		}
		n -= min(n, 8)
	}
	return dst
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// unknown writes n times N.
func (m *maker) unknown(n int64) {
	var b [4096]byte
	for i := range b {
		b[i] = 'N'
	}
	for ; n > 0; n -= min(n, int64(len(b))) {
		m.write(b[:min(n, int64(len(b)))])
	}
}

// write puts bases into lines.
func (m *maker) write(b []byte) {
	for len(b) > 0 && m.err == nil {
		n := min(lineBases-m.column, len(b))
		_, m.err = m.out.Write(b[:n])
		b = b[n:]
		if m.column += n; m.column == lineBases && m.err == nil {
			m.err = m.out.WriteByte('\n')
			m.column = 0
		}
	}
}

func (m *maker) print(s string) {
	if m.err == nil && !(s == "\n" && m.column == 0) {
		_, m.err = m.out.WriteString(s)
	}
}
