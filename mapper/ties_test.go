package mapper

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// other replaces the bases of s at the given places.
func other(s []byte, at ...int) []byte {
	s = bytes.Clone(s)
	for _, i := range at {
		s[i] = map[byte]byte{'A': 'C', 'C': 'G', 'G': 'T', 'T': 'A'}[s[i]]
	}
	return s
}

// TestTwoMismatchesAtAnEndAreWorseThanOneAnywhere has copies of which one differs from the read
// in two of its last bases, which are clipped there and cost two or four matches, and one in a
// base that is aligned, which costs five. The clip counts when the two are compared.
func TestTwoMismatchesAtAnEndAreWorseThanOneAnywhere(t *testing.T) {
	for _, n := range []int{50, 100, 150} {
		for _, first := range []bool{false, true} {
			rng := rand.New(rand.NewPCG(61, uint64(n)))
			one := randomBases(rng, 20_000)
			read := bytes.Clone(one[5000 : 5000+n])
			worse := other(read, n-1, n-3)
			if first {
				worse = other(read, 0, 2)
			}
			copy(one[5000:], other(read, n/2-7))
			copy(one[12_000:], worse)
			ix := buildIndex(t, map[string][]byte{"one": one, "two": randomBases(rng, 1000)}, 1)
			for _, r := range primaries(mapAll(t, ix, DefaultParams(), singles(read, revComp(read)))) {
				as, xs := tagInt(t, r, "AS"), tagInt(t, r, "XS")
				if r.Pos != 5000 || r.MapQ == 0 || as != n-5 || xs != n-3-5 {
					t.Errorf("n=%d, clip first %v: at %d, MAPQ %d, AS %d, XS %d", n, first, r.Pos, r.MapQ, as, xs)
				}
			}
		}
	}
}

// TestAClippedReadOfTwoCopiesHasEqualScores is XS on the scale of AS: the clips of both places
// are charged where they are compared, and in neither tag.
func TestAClippedReadOfTwoCopiesHasEqualScores(t *testing.T) {
	rng := rand.New(rand.NewPCG(62, 1))
	one := randomBases(rng, 20_000)
	copy(one[12_000:12_200], one[5000:5200])
	ix := buildIndex(t, map[string][]byte{"one": one, "two": randomBases(rng, 1000)}, 1)
	read := append(bytes.Clone(one[5050:5130]), randomBases(rng, 40)...)
	for _, r := range primaries(mapAll(t, ix, DefaultParams(), singles(read, revComp(read)))) {
		if as, xs := tagInt(t, r, "AS"), tagInt(t, r, "XS"); as < 78 || xs != as || r.MapQ != 0 {
			t.Errorf("at %d, CIGAR %s, MAPQ %d, AS %d, XS %d", r.Pos, r.Cigar, r.MapQ, as, xs)
		}
	}
}
