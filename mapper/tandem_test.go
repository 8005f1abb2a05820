package mapper

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/biogo/hts/sam"

	"github.com/alignpipe/alignpipe/reader"
)

// TestReadsInsideTandemRepeatsAreUnsure takes arrays of identical copies that are longer than
// any read or fragment. A read inside one fits at every copy: MAPQ 60 once came of copies
// within 48 bases counting as one place.
func TestReadsInsideTandemRepeatsAreUnsure(t *testing.T) {
	for _, period := range []int{7, 20, 26, 33, 48, 60, 121, 171, 340} {
		rng := rand.New(rand.NewPCG(43, uint64(period)))
		one := randomBases(rng, 60_000)
		unit := randomBases(rng, period)
		const from, size = 20_000, 6000 // the array
		for i := from; i < from+size; i++ {
			one[i] = unit[(i-from)%period]
		}
		genome := map[string][]byte{"one": one, "two": randomBases(rng, 1000)}
		ix := buildIndex(t, genome, 1)
		array := map[string][]byte{"one": one[from+5 : from+size-5]}
		for _, n := range []int{75, 150} {
			for _, rate := range []float64{0, .01} {
				batch, _ := simPairs(rng, array, scaled(25), pairShape{n, 380, 40, FR, rate})
				for _, b := range []*reader.Batch{batch, {Reads: batch.Reads}} {
					name := fmt.Sprintf("period=%d,len=%d,rate=%v,paired=%v", period, n, rate, b.Paired)
					sure, away, mapped := 0, 0, 0
					for _, r := range primaries(mapAll(t, ix, withReadGroup(DefaultParams()), b)) {
						checkInside(t, genome, r)
						if r.Flags&sam.Unmapped != 0 {
							continue
						}
						mapped++
						if inside := r.Pos >= from && r.End() <= from+size; inside && r.MapQ > 3 || r.MapQ > 10 { // an error may look like the edge
							sure++
						}
						if r.Pos < from-n || r.End() > from+size+n {
							away++
						}
					}
					if sure > 0 || away > 0 {
						t.Errorf("%s: of %d mapped reads %d have MAPQ above 3, %d are outside", name, mapped, sure, away)
					}
					if period > 20 && mapped < len(b.Reads)*9/10 {
						t.Errorf("%s: %d of %d reads are mapped", name, mapped, len(b.Reads))
					}
				}
			}
		}
	}
}

// TestReadsThatLeaveATandemRepeatAreSure has half of each read in unique sequence.
func TestReadsThatLeaveATandemRepeatAreSure(t *testing.T) {
	for _, period := range []int{26, 60, 171} {
		rng := rand.New(rand.NewPCG(44, uint64(period)))
		one := randomBases(rng, 40_000)
		unit := randomBases(rng, period)
		for i := 20_000; i < 23_000; i++ {
			one[i] = unit[(i-20_000)%period]
		}
		genome := map[string][]byte{"one": one, "two": randomBases(rng, 1000)}
		ix := buildIndex(t, genome, 1)
		var seqs [][]byte
		var where []home
		for at := 19_920; at < 19_935; at++ {
			seqs = append(seqs, one[at:at+150])
			where = append(where, home{truth{"one", at, false}, 150})
		}
		for i, r := range primaries(mapAll(t, ix, withReadGroup(DefaultParams()), singles(seqs...))) {
			checkInside(t, genome, r)
			if !isHome(r, where[i]) || r.MapQ < 50 {
				t.Errorf("period=%d: a read of %d stands at %d, MAPQ %d", period, where[i].pos, r.Pos, r.MapQ)
			}
		}
	}
}
