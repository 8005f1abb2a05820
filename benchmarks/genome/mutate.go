package main

import "math"

// mutator copies sequence with changes. How far to the next change comes from a table, one
// for each divergence, so that a copy is mostly a copy of memory.
type mutator struct {
	rng  *rng
	gaps [maxPercent + 1][gapTable]uint16 // bases before the next change
}

const (
	gapTable   = 4096
	maxPercent = 40 // divergence
	indelShare = 12 // of 100 changes
	maxIndel   = 8  // bases
)

func newMutator(r *rng) *mutator {
	m := &mutator{rng: r}
	for percent := 1; percent <= maxPercent; percent++ {
		for i := range m.gaps[percent] {
			u := (float64(i) + .5) / gapTable
			m.gaps[percent][i] = uint16(math.Log(1-u) / math.Log(1-float64(percent)/100))
		}
	}
	return m
}

// others lists what a base may change to, its transition first.
var others = func() (t [256][3]byte) {
	for base, o := range map[byte]string{'A': "GCT", 'G': "ACT", 'C': "TAG", 'T': "CAG", 'a': "gct", 'g': "act", 'c': "tag", 't': "cag", 'N': "NNN"} {
		copy(t[base][:], o)
	}
	return t
}()

// copy appends src to dst, with that many changes per 100 bases: substitutions, two of three
// of them transitions, and short indels.
func (m *mutator) copy(dst, src []byte, percent int) []byte {
	if percent <= 0 {
		return append(dst, src...)
	}
	gaps := &m.gaps[min(percent, maxPercent)]
	for {
		x := m.rng.next()
		gap := int(gaps[x%gapTable])
		x >>= 12
		if gap >= len(src) {
			return append(dst, src...)
		}
		dst = append(dst, src[:gap]...)
		c := src[gap]
		src = src[gap+1:]
		switch kind := x & 0xffff % 100; {
		case kind < indelShare/2:
			src = src[min(int(x>>16)%maxIndel, len(src)):]
		case kind < indelShare:
			dst = append(dst, c)
			for n := x >> 16 & (maxIndel - 1); ; n-- {
				dst = append(dst, others[c|0x20][n%3])
				if n == 0 {
					break
				}
			}
		default:
			dst = append(dst, others[c]["\x00\x00\x00\x00\x01\x02"[x>>16%6]])
		}
	}
}

var complement = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
	}
	for i, c := range []byte("ACGTacgt") {
		t[c] = "TGCAtgca"[i]
	}
	return t
}()

// flip turns b into its reverse complement.
func flip(b []byte) {
	for i, j := 0, len(b)-1; i <= j; i, j = i+1, j-1 {
		b[i], b[j] = complement[b[j]], complement[b[i]]
	}
}
