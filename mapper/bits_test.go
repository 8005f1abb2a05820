package mapper

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alignpipe/alignpipe/internal/bases"
)

// packedOf packs letters into memory that has bits of an earlier read.
func packedOf(seq []byte) (fwd [maxWords]uint64) {
	for i := range fwd {
		fwd[i] = ^uint64(0)
	}
	bases.Pack(fwd[:], seq)
	return fwd
}

// ungapped finds the best stretch of the diagonal d (window position of the read's first
// base) base by base, each clipped end charged.
func ungapped(read, window []byte, d int) alignment {
	from, to := max(0, -d), min(len(read), len(window)-d)
	best := alignment{score: -1}
	bestTotal := -1 << 30
	run, start := -1<<30, from
	for i := from; i < to; i++ {
		fresh := -clipCost
		if i == 0 {
			fresh = 0
		}
		if fresh >= run {
			run, start = fresh, i
		}
		run += pairScore(read[i], window[i+d])
		total := run
		if i+1 < len(read) {
			total -= clipCost
		}
		if total > bestTotal {
			bestTotal = total
			best = alignment{pos: int64(start + d), end: int64(i + 1 + d), qb: start, qe: i + 1, score: run}
			if start > 0 {
				best.score += clipCost
			}
		}
	}
	return best
}

func TestDiffsAgreeWithBases(t *testing.T) {
	rng := rand.New(rand.NewPCG(20, 3))
	ref := &Reference{}
	genome := randomBases(rng, 3001)
	ref.pack(genome)
	codes := codesOf(genome)
	for trial := range 20000 {
		n := 1 + rng.IntN(300)
		at := rng.IntN(len(genome) - n + 1)
		if trial%10 == 0 {
			at = len(genome) - n
		}
		seq := slices.Clone(genome[at : at+n])
		for range rng.IntN(1 + trial%30) {
			i := rng.IntN(n)
			if trial%3 == 0 { // crowd them at the ends
				i = min(rng.IntN(12), n-1)
			}
			seq[i] = "ACGT"[rng.IntN(4)]
		}
		fwd := packedOf(seq)
		var d diffs
		d.compare(ref, &fwd, n, int64(at))
		read := codesOf(seq)
		differs := func(from, to int) (k int) {
			for i := from; i < to; i++ {
				if read[i] != codes[at+i] {
					k++
				}
			}
			return k
		}
		from := rng.IntN(n + 1)
		to := from + rng.IntN(n-from+1)
		if d.num != differs(0, n) || d.count(from, to) != differs(from, to) {
			t.Fatalf("n=%d at=%d: %d differ, %d in [%d,%d); want %d, %d", n, at, d.num, d.count(from, to), from, to, differs(0, n), differs(from, to))
		}
		qb, qe, score := d.stretch()
		if want := ungapped(read, codes, at); want.score > 0 && (qb != want.qb || qe != want.qe || score != want.score) {
			t.Fatalf("n=%d: stretch [%d,%d) scores %d, want [%d,%d) and %d", n, qb, qe, score, want.qb, want.qe, want.score)
		}
	}
}

func TestPackedSeedsAreTheSyncmers(t *testing.T) {
	rng := rand.New(rand.NewPCG(20, 4))
	var scratch seedScratch
	for n := seedK; n <= maxPacked; n++ {
		seq := randomBases(rng, n)
		if n%3 == 0 {
			seq[rng.IntN(n)] = 'N'
		}
		var want []seed
		syncmers(codesOf(seq), func(s seed) { want = append(want, s) })
		var q query
		q.load(seq, nil, &placing{})
		q.findSeeds(&scratch)
		var got []seed
		for _, s := range q.seeds {
			got = append(got, s.seed)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("n=%d: seeds %v, want %v", n, got, want)
		}
	}
}

func BenchmarkFindSeeds(b *testing.B) {
	rng := rand.New(rand.NewPCG(20, 5))
	seq := randomBases(rng, 150)
	var q query
	var scratch seedScratch
	b.ReportAllocs()
	for b.Loop() {
		q.load(seq, nil, &placing{})
		q.findSeeds(&scratch)
	}
}

func BenchmarkCompare(b *testing.B) {
	rng := rand.New(rand.NewPCG(20, 6))
	ref := &Reference{}
	genome := randomBases(rng, 3001)
	ref.pack(genome)
	fwd := packedOf(genome[1001:1151])
	var d diffs
	for b.Loop() {
		d.compare(ref, &fwd, 150, 1001)
	}
}
