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

// scalarCompare is compare, base by base.
func scalarCompare(read, genome []byte) (d diffs) {
	d.n = len(read)
	for i, c := range read {
		if c != genome[i] {
			d.word[i/32] |= 1 << (2 * (i % 32))
			d.num++
		}
	}
	return d
}

// packedGenome is a genome of one sequence, on the Go heap.
func packedGenome(seq []byte) *Reference {
	n := (len(seq) + 3) / 4
	r := &Reference{packed: make([]byte, n, n+packedSlack)}
	r.packEach(seq, 0, len(seq))
	return r
}

// words are those that compare sets.
func (d *diffs) words() []uint64 { return d.word[:(d.n+31)/32] }

func TestCompareAgreesWithScalarCode(t *testing.T) {
	rng := rand.New(rand.NewPCG(20, 7))
	genome := randomBases(rng, 4099)
	ref, codes := packedGenome(genome), codesOf(genome)
	var d diffs
	var packed [maxWords]uint64
	read := make([]byte, maxPacked)
	for trial := range scaled(1_000_000) {
		n := 1 + rng.IntN(64)
		if trial%16 == 0 {
			n = 1 + rng.IntN(maxPacked)
		}
		at := rng.IntN(len(genome) - n + 1)
		if trial%32 == 0 { // the last bytes of the genome
			at = len(genome) - n
		}
		for w := 0; w*32 < n; w++ {
			x := rng.Uint64()
			packed[w] = x
			for i := w * 32; i < min(n, w*32+32); i, x = i+1, x>>2 {
				read[i] = byte(x & 3)
			}
		}
		d.compare(ref, &packed, n, int64(at))
		if want := scalarCompare(read[:n], codes[at:]); d.num != want.num || d.n != n || !slices.Equal(d.words(), want.words()) {
			t.Fatalf("n=%d at=%d: %x, want %x", n, at, d.words(), want.words())
		}
	}
}

// FuzzDiffs holds compare, count, next and stretch to code that looks at one base at a time. The
// read is what stands in the genome but where changes has something.
func FuzzDiffs(f *testing.F) {
	f.Add([]byte("ACGTTGCATTTGACA"), []byte{0, 0, 0, 0, 1, 0, 0, 2}, uint16(3))
	f.Add(randomBases(rand.New(rand.NewPCG(20, 8)), 700), make([]byte, maxPacked), uint16(188))
	f.Add(randomBases(rand.New(rand.NewPCG(20, 9)), 300), append(make([]byte, 100), 1, 0, 0, 0, 3, 0), uint16(1))
	f.Fuzz(func(t *testing.T, text, changes []byte, at uint16) {
		if len(text) == 0 || len(changes) == 0 {
			return
		}
		codes := make([]byte, len(text))
		for i, c := range text {
			codes[i] = c & 3
		}
		from := int(at) % len(codes)
		n := min(len(changes), maxPacked, len(codes)-from)
		read := make([]byte, n)
		for i := range read {
			read[i] = codes[from+i] ^ changes[i]&3
		}
		var d diffs
		fwd := packedOf(lettersOf(read))
		d.compare(packedGenome(lettersOf(codes)), &fwd, n, int64(from))
		want := scalarCompare(read, codes[from:])
		if d.num != want.num || !slices.Equal(d.words(), want.words()) {
			t.Fatalf("compare: %x, want %x", d.words(), want.words())
		}
		places := 0
		for i := d.next(0); i < n; i = d.next(i + 1) {
			if places++; read[i] == codes[from+i] {
				t.Fatalf("next: base %d does not differ", i)
			}
		}
		if mid := n / 3; places != d.num || d.count(0, mid)+d.count(mid, n) != d.num {
			t.Fatalf("next finds %d places, count %d and %d; %d differ", places, d.count(0, mid), d.count(mid, n), d.num)
		}
		qb, qe, score := d.stretch()
		if best := ungapped(read, codes, from); best.score > 0 && (qb != best.qb || qe != best.qe || score != best.score) {
			t.Fatalf("stretch [%d,%d) scores %d, want [%d,%d) and %d", qb, qe, score, best.qb, best.qe, best.score)
		}
	})
}

func BenchmarkCompare(b *testing.B) {
	rng := rand.New(rand.NewPCG(20, 6))
	genome := randomBases(rng, 3001)
	ref, codes := packedGenome(genome), codesOf(genome)
	fwd, read := packedOf(genome[1001:1151]), codesOf(genome[1001:1151])
	b.Run("code=packed", func(b *testing.B) {
		var d diffs
		for b.Loop() {
			d.compare(ref, &fwd, 150, 1001)
		}
	})
	b.Run("code=scalar", func(b *testing.B) {
		for b.Loop() {
			scalarCompare(read, codes[1001:])
		}
	})
}
