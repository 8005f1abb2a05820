package mapper

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/biogo/hts/sam"
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

// TestEqualCopiesAreTakenEquallyOften counts which of the copies of a repeat reads and pairs go
// to, and how often to the same as the template before.
func TestEqualCopiesAreTakenEquallyOften(t *testing.T) {
	const copies, apart, size = 5, 9000, 1000
	rng := rand.New(rand.NewPCG(63, 1))
	one := randomBases(rng, (copies+1)*apart)
	for i := 1; i < copies; i++ {
		copy(one[1000+i*apart:], one[1000:1000+size])
		if i%2 == 1 {
			copy(one[1000+i*apart:], revComp(one[1000:1000+size]))
		}
	}
	ix := buildIndex(t, map[string][]byte{"one": one, "two": randomBases(rng, 1000)}, 1)
	p := withReadGroup(DefaultParams())
	p.Insert = InsertSize{Mean: 300, Std: 30, Low: 180, High: 420}
	const templates = 4000
	pairs, _ := simPairs(rng, map[string][]byte{"one": one[1010 : 990+size]}, templates, pairShape{50, 300, 30, FR, 0})
	alone := *pairs
	alone.Paired, alone.Reads = false, pairs.Reads[:templates]
	for name, recs := range map[string][]*sam.Record{"pairs": primaries(mapAll(t, ix, p, pairs)), "single": primaries(mapAll(t, ix, p, &alone))} {
		var taken [copies]int
		same, last, n := 0, -1, 0
		for i := 0; i < len(recs); i += len(recs) / templates {
			at := recs[i].Pos / apart
			taken[at]++
			if at == last {
				same++
			}
			last = at
			n++
		}
		for _, count := range append(taken[:], same) { // 5 standard deviations of n draws, one of 5 each
			if d := count - n/copies; d*d > 25*n*(copies-1)/copies/copies {
				t.Errorf("%s: of %d templates, copies have %v, as the one before %d", name, n, taken, same)
			}
		}
	}
}

// TestTheMateWithoutSeedsDecidesAmongManyCopies has one mate in a repeat, and the other beside one
// of the copies, with an edit in every seed it has: only its words tell.
func TestTheMateWithoutSeedsDecidesAmongManyCopies(t *testing.T) {
	const copies, apart = 40, 2000
	for trial := range 20 {
		rng := rand.New(rand.NewPCG(64, uint64(trial)))
		one := randomBases(rng, (copies+1)*apart)
		for i := 1; i < copies; i++ {
			copy(one[1000+i*apart:], one[1000:1200])
		}
		ix := buildIndex(t, map[string][]byte{"one": one, "two": randomBases(rng, 1000)}, 1)
		p := withReadGroup(DefaultParams())
		p.Insert = InsertSize{Mean: 300, Std: 30, Low: 180, High: 420}
		home := 1000 + rng.IntN(copies)*apart
		mate := other(one[home+270:home+320], 11, 27, 43)
		b := pairOf(one[home+20:home+70], revComp(mate))
		recs := primaries(mapAll(t, ix, p, b))
		for i, want := range []int{home + 20, home + 270} {
			if r := recs[i]; r.Pos != want || r.Flags&sam.ProperPair == 0 {
				t.Errorf("trial %d: mate %d at %d (%s), want %d", trial, i+1, r.Pos, r.Cigar, want)
			}
		}
	}
}

// TestAMateWithAnInsertionIsFoundByShortRuns has a mate of which no 19 bases in a row are the genome's.
func TestAMateWithAnInsertionIsFoundByShortRuns(t *testing.T) {
	for trial := range 20 {
		rng := rand.New(rand.NewPCG(65, uint64(trial)))
		one := randomBases(rng, 20_000)
		ix := buildIndex(t, map[string][]byte{"one": one, "two": randomBases(rng, 1000)}, 1)
		p := withReadGroup(DefaultParams())
		p.Insert = InsertSize{Mean: 300, Std: 30, Low: 180, High: 420}
		g := one[5250:5300]
		mate := fmt.Sprintf("%s%s%s%s", g[:17], other(g[17:19], 0, 1), g[17:34], other(g[34:48], 0, 1, 2, 3, 4, 6, 8, 9, 11, 12, 13))
		recs := primaries(mapAll(t, ix, p, pairOf(one[5000:5050], revComp([]byte(mate)))))
		if r := recs[1]; r.Flags&sam.ProperPair == 0 || r.Pos < 5245 || r.Pos > 5275 {
			t.Errorf("trial %d: the mate is at %d, CIGAR %s, flags %v", trial, r.Pos, r.Cigar, r.Flags)
		}
	}
}
