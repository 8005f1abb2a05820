package mapper

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func codesOf(s []byte) []byte {
	out := make([]byte, len(s))
	for i, c := range s {
		out[i] = code[c]
	}
	return out
}

func TestSyncmersAreTheSameOnBothStrands(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		s := randomBases(rng, 20+rng.IntN(400))
		if rng.IntN(3) == 0 {
			s[rng.IntN(len(s))] = 'N'
		}
		var fwd, rev []seed
		syncmers(codesOf(s), func(x seed) { fwd = append(fwd, x) })
		syncmers(codesOf(revComp(s)), func(x seed) {
			x.pos = int32(len(s)) - seedK - x.pos
			x.rev = !x.rev
			rev = append(rev, x)
		})
		slices.Reverse(rev)
		if !slices.Equal(fwd, rev) {
			t.Fatalf("%s: seeds differ: %v and %v", s, fwd, rev)
		}
	}
}

func TestSyncmersAreOneInFive(t *testing.T) {
	n := 0
	syncmers(codesOf(randomBases(rand.New(rand.NewPCG(2, 2)), 200_000)), func(seed) { n++ })
	if n < 38_000 || n > 42_000 {
		t.Errorf("%d seeds in 200,000 random bases, want about 40,000", n)
	}
}

func TestMixKIsABijection(t *testing.T) {
	seen := map[uint64]bool{}
	rng := rand.New(rand.NewPCG(3, 3))
	for x := range uint64(1 << 16) {
		seen[mixK(x)] = true
	}
	for range 1 << 16 {
		if h := mixK(rng.Uint64() & kMask); h > kMask {
			t.Fatalf("hash %x is wider than %d bits", h, seedBits)
		}
	}
	if len(seen) != 1<<16 {
		t.Errorf("%d hashes of %d k-mers", len(seen), 1<<16)
	}
}

func TestUnpackGivesBackWhatWasPacked(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	var r Reference
	all := randomBases(rng, 1000)
	for i := 300; i < 340; i++ {
		all[i] = 'N'
	}
	all[999], all[0] = 'R', 'N'
	r.pack(slices.Clone(all[:401]))
	r.pack(slices.Clone(all[401:]))
	want := codesOf(all)
	var buf []byte
	for range 2000 {
		from := rng.IntN(1001)
		to := from + rng.IntN(1001-from)
		if to == from {
			continue
		}
		buf = unpack(buf, r.packed, r.holes, int64(from), int64(to))
		if !slices.Equal(buf, want[from:to]) {
			t.Fatalf("[%d,%d): got %v, want %v", from, to, buf, want[from:to])
		}
	}
}
