package bench

import "strconv"

const (
	readBases     = 150
	fragmentMean  = 400.0
	fragmentSD    = 60.0
	snpRate       = 0.001
	errorRate     = 0.003
	badQuality    = 0.06 // share of bases whose quality falls below the best
	readsSeed     = 11
	qualityLevels = "F:,#" // of four bins, best first
)

// readMaker makes pairs of reads from a genome. The same genome gives the same pairs, one after
// the other.
type readMaker struct {
	rng    rng
	genome []byte
	pairs  int
	mate   [2][]byte
}

func newReadMaker(genome []byte) *readMaker {
	return &readMaker{rng: rng{readsSeed}, genome: genome}
}

// pair appends the next pair's records to both texts.
func (m *readMaker) pair(one, two []byte) ([]byte, []byte) {
	n := max(m.rng.normal(fragmentMean, fragmentSD), readBases+20)
	at := m.rng.below(len(m.genome) - n)
	fragment := m.genome[at : at+n]
	m.mate[0] = append(m.mate[0][:0], fragment[:readBases]...)
	m.mate[1] = append(m.mate[1][:0], fragment[n-readBases:]...)
	flip(m.mate[1])
	first := m.rng.below(2) // the strand that is read first
	m.pairs++
	one = m.record(one, m.mate[first])
	two = m.record(two, m.mate[1-first])
	return one, two
}

// record appends one read in FASTQ, with errors.
func (m *readMaker) record(dst, bases []byte) []byte {
	const every = 1 / (errorRate + snpRate)
	for i := m.rng.exp(every); i < len(bases); i += 1 + m.rng.exp(every) {
		bases[i] = m.rng.other(bases[i])
	}
	dst = append(dst, "@made_up."...)
	dst = strconv.AppendInt(dst, int64(m.pairs), 10)
	dst = append(append(append(dst, '\n'), bases...), "\n+\n"...)
	return append(m.qualities(dst, len(bases)), '\n')
}

// qualities appends n of them: mostly the best, the others in short stretches.
func (m *readMaker) qualities(dst []byte, n int) []byte {
	const stretch = 2.0
	for n > 0 {
		good := min(m.rng.exp(stretch/badQuality), n)
		for range good {
			dst = append(dst, qualityLevels[0])
		}
		n -= good
		bad := min(1+m.rng.exp(stretch), n)
		level := qualityLevels[1+m.rng.below(len(qualityLevels)-1)]
		for range bad {
			dst = append(dst, level)
		}
		n -= bad
	}
	return dst
}
