package mapper

import (
	"math/rand/v2"
	"testing"
)

func TestMateScoreSumsQualitiesOfFifteenAndMore(t *testing.T) {
	rng := rand.New(rand.NewPCG(30, 1))
	for n := range 600 {
		qual := make([]byte, n)
		want := int64(0)
		for i := range qual {
			qual[i] = byte(33 + rng.IntN(94))
			if n%3 == 0 {
				qual[i] = byte(46 + rng.IntN(4))
			}
			if q := int64(qual[i]) - 33; q >= 15 {
				want += q
			}
		}
		if got := mateScore(qual); got != want {
			t.Fatalf("%q: %d, want %d", qual, got, want)
		}
	}
}
