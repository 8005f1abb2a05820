package bench

import "math"

// rng is splitmix64: small, quick, and the same everywhere.
type rng struct{ state uint64 }

func (r *rng) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	x := r.state
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below returns a number in [0, n).
func (r *rng) below(n int) int { return int((r.next() >> 32) * uint64(n) >> 32) }

// float returns a number in [0, 1).
func (r *rng) float() float64 { return float64(r.next()>>11) / (1 << 53) }

// exp returns a whole number of the given mean, exponentially distributed.
func (r *rng) exp(mean float64) int { return int(-mean * math.Log(1-r.float())) }

// normal returns a number near the mean: the sum of twelve uniform ones is close enough.
func (r *rng) normal(mean, deviation float64) int {
	sum := -6.0
	for range 12 {
		sum += r.float()
	}
	return int(math.Round(mean + deviation*sum))
}

// fill makes all bytes random.
func (r *rng) fill(b []byte) {
	for i := range b {
		b[i] = byte(r.next())
	}
}

const (
	repeatShare  = 0.2 // of the genome
	families     = 12
	familyBases  = 300
	divergence   = 0.12 // of a copy from its consensus
	genomeSeed   = 7
	genomeName   = "made_up"
	fastaLine    = 60
	complementOf = "TGCA" // of bases in the order ACGT
)

// makeGenome returns bases of a genome without memory, into which copies of a few families of
// repeats have jumped: enough for a mapper to have choices. The same size gives the same bases.
func makeGenome(bases int) []byte {
	r := &rng{genomeSeed}
	consensus := make([][]byte, families)
	for i := range consensus {
		consensus[i] = r.bases(nil, familyBases)
	}
	gap := familyBases * (1 - repeatShare) / repeatShare
	genome := make([]byte, 0, bases+2*familyBases)
	for len(genome) < bases {
		genome = r.bases(genome, r.exp(gap))
		genome = r.diverged(genome, consensus[r.below(families)])
	}
	return genome[:bases]
}

// bases appends n random ones.
func (r *rng) bases(dst []byte, n int) []byte {
	for n > 0 {
		x := r.next()
		for range min(n, 32) {
			dst = append(dst, "ACGT"[x&3])
			x >>= 2
		}
		n -= min(n, 32)
	}
	return dst
}

// diverged appends a copy of src with substitutions, of either strand.
func (r *rng) diverged(dst, src []byte) []byte {
	at := len(dst)
	dst = append(dst, src...)
	for i := at + r.exp(1/divergence); i < len(dst); i += 1 + r.exp(1/divergence) {
		dst[i] = r.other(dst[i])
	}
	if r.below(2) == 0 {
		flip(dst[at:])
	}
	return dst
}

// other returns another base.
func (r *rng) other(base byte) byte {
	for {
		if b := "ACGT"[r.below(4)]; b != base {
			return b
		}
	}
}

// flip turns bases into their reverse complement.
func flip(b []byte) {
	for i, j := 0, len(b)-1; i <= j; i, j = i+1, j-1 {
		b[i], b[j] = complement(b[j]), complement(b[i])
	}
}

func complement(base byte) byte {
	switch base {
	case 'A':
		return complementOf[0]
	case 'C':
		return complementOf[1]
	case 'G':
		return complementOf[2]
	default:
		return complementOf[3]
	}
}

// fasta is the genome as a file.
func fasta(genome []byte) []byte {
	out := append([]byte(">"+genomeName), '\n')
	for len(genome) > 0 {
		n := min(fastaLine, len(genome))
		out = append(append(out, genome[:n]...), '\n')
		genome = genome[n:]
	}
	return out
}
