package mapper

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// scatteredIndex is an index of 4 entries a bucket that is larger than any second-level cache,
// without a genome behind it, and the hashes of some of its seeds.
func scatteredIndex(rng *rand.Rand) (ix *Index, hashes []uint64) {
	const bucketBits, load = 20, 4
	const shift = seedBits - bucketBits
	ix = &Index{bucketBits: bucketBits, starts: make([]uint32, 1<<bucketBits+1), entries: make([]uint64, load<<bucketBits)}
	for b := range 1 << bucketBits {
		e := ix.entries[load*b : load*b+load]
		for i := range e {
			e[i] = rng.Uint64N(1<<shift)<<tagShift | rng.Uint64N(1<<tagShift)
		}
		slices.Sort(e)
		ix.starts[b+1] = uint32(load * (b + 1))
	}
	for range 1 << 15 {
		at := rng.IntN(len(ix.entries))
		hashes = append(hashes, uint64(at/load)<<shift|ix.entries[at]>>tagShift)
	}
	return ix, hashes
}

func TestLookUpsTogetherAreThoseOneByOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(48, 1))
	ix, hashes := scatteredIndex(rng)
	for _, n := range []int{0, 1, lookUpChunk - 1, lookUpChunk, lookUpChunk + 1, 3*lookUpChunk + 5} {
		var l lookUps
		seeds := make([]seedHits, n)
		for i := range seeds {
			seeds[i].hash = hashes[rng.IntN(len(hashes))]
			if i%5 == 0 {
				seeds[i].hash = rng.Uint64N(1 << seedBits) // most likely nowhere
			}
			l.add(&seeds[i])
		}
		l.run(ix)
		for i, s := range seeds {
			shift := seedBits - ix.bucketBits
			var want []uint64
			for _, e := range ix.entries[ix.starts[s.hash>>shift]:ix.starts[s.hash>>shift+1]] {
				if e>>tagShift == s.hash&(1<<shift-1) {
					want = append(want, e)
				}
			}
			if !s.looked || !slices.Equal(ix.entries[s.lo:s.hi], want) {
				t.Errorf("n=%d: seed %d has entries %x, want %x", n, i, ix.entries[s.lo:s.hi], want)
			}
		}
		if l.add(&seedHits{looked: true}); len(l.seeds) != 0 {
			t.Errorf("n=%d: %d seeds are left", n, len(l.seeds))
		}
	}
}

// BenchmarkLookUps reports the time of one look-up: those of a group of reads together, and
// each by itself, which waits for memory twice.
func BenchmarkLookUps(b *testing.B) {
	ix, hashes := scatteredIndex(rand.New(rand.NewPCG(48, 2)))
	seeds := make([]seedHits, len(hashes))
	for name, size := range map[string]int{"together=512": 512, "together=1": 1} {
		b.Run(name, func(b *testing.B) {
			var l lookUps
			for b.Loop() {
				for i, h := range hashes {
					seeds[i] = seedHits{seed: seed{hash: h}}
					if l.add(&seeds[i]); len(l.seeds) == size {
						l.run(ix)
					}
				}
				l.run(ix)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(hashes)), "ns/seed")
		})
	}
}
