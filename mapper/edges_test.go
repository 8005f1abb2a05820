package mapper

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/biogo/hts/sam"

	"github.com/alignpipe/alignpipe/reader"
)

// checkInside fails where an alignment leaves its contig, or contradicts the genome.
func checkInside(t *testing.T, genome map[string][]byte, r *sam.Record) {
	t.Helper()
	checkRecord(t, genome, r)
	if r.Flags&sam.Unmapped != 0 {
		return
	}
	if r.Pos < 0 || r.End() > len(genome[r.Ref.Name()]) {
		t.Errorf("%s: %v:%d-%d, the contig has %d bases", r.Name, r.Ref.Name(), r.Pos, r.End(), len(genome[r.Ref.Name()]))
	}
}

// holeyGenome has runs of N of many lengths, some of them at the ends of contigs.
func holeyGenome(rng *rand.Rand) map[string][]byte {
	one, two := randomBases(rng, 40_000), randomBases(rng, 20_000)
	for _, g := range [][]byte{one, two} {
		for at := 500; at < len(g)-600; at += 400 + rng.IntN(1500) {
			copy(g[at:], bytes.Repeat([]byte("N"), []int{1, 2, 5, 20, 60, 150}[rng.IntN(6)]))
		}
	}
	copy(one, "NNNNN")
	copy(two[len(two)-7:], "NNNNNNN")
	return map[string][]byte{"one": one, "two": two}
}

func TestReadsBesideRunsOfNAreWithinBounds(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 1))
	genome := holeyGenome(rng)
	ix := buildIndex(t, genome, 1)
	for _, n := range []int{60, 100, 151, 300, 600} {
		var seqs [][]byte
		var where []home
		for range 400 {
			name := []string{"one", "two"}[rng.IntN(2)]
			at := rng.IntN(len(genome[name]) - n)
			seq := bytes.Clone(genome[name][at : at+n])
			for i, c := range seq {
				if c == 'N' && rng.IntN(2) == 0 { // the sequencer knows what stands there, or doesn't
					seq[i] = "ACGT"[rng.IntN(4)]
				}
			}
			where = append(where, home{truth{name, at, false}, n})
			seqs = append(seqs, seq)
		}
		lost := 0
		for i, r := range primaries(mapAll(t, ix, withReadGroup(DefaultParams()), singles(seqs...))) {
			checkInside(t, genome, r)
			at := where[i]
			if longestRun(genome[at.contig][at.pos:at.pos+n]) >= 60 && !isHome(r, at) {
				lost++
			}
		}
		if lost > 4 {
			t.Errorf("n=%d: of 400 reads %d with 60 bases that fit are not home", n, lost)
		}
	}
}

// longestRun is the longest part of s without N.
func longestRun(s []byte) (most int) {
	for _, part := range bytes.Split(s, []byte("N")) {
		most = max(most, len(part))
	}
	return most
}

func TestReadsWithOtherLettersComeHome(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 2))
	genome := testGenome(rng)
	ix := buildIndex(t, genome, 1)
	for _, letters := range []string{"N", "RYKMSWBDHVN="} {
		batch, where := simPairs(rng, genome, 300, pairShape{150, 320, 30, FR, .003})
		for i := range batch.Reads {
			seq := batch.Reads[i].Seq
			for range rng.IntN(5) { // anywhere
				seq[rng.IntN(len(seq))] = letters[rng.IntN(len(letters))]
			}
			if i%7 == 0 { // a dark stretch
				for k := range 60 {
					seq[90*(i%2)+k] = letters[rng.IntN(len(letters))]
				}
			}
		}
		for _, b := range []*reader.Batch{batch, {Reads: batch.Reads}} {
			recs := primaries(mapAll(t, ix, withReadGroup(DefaultParams()), b))
			away := 0
			for i, r := range recs {
				checkInside(t, genome, r)
				if string(r.Seq.Expand()) != string(oriented(b.Reads[i].Seq, r.Flags&sam.Reverse != 0)) {
					t.Errorf("%s: letters changed", r.Name)
				}
				if !isHome(r, where[i]) && r.MapQ > 3 {
					away++
				}
			}
			if away > 6 {
				t.Errorf("%s, paired=%v: %d of %d reads are not home", letters, b.Paired, away, len(recs))
			}
		}
	}
}

// oriented returns the sequence as a record of that strand has it.
func oriented(seq []byte, reverse bool) []byte {
	if !reverse {
		return seq
	}
	const from, to = "ACGTMRWSYKVHDBN=", "TGCAKYWSRMBDHVN="
	out := make([]byte, len(seq))
	for i, c := range seq {
		out[len(seq)-1-i] = to[bytes.IndexByte([]byte(from), c)]
	}
	return out
}

// TestReadsAcrossContigBordersStayOnOneSide takes what a circular or a joined molecule would
// give: the end of one contig and the start of the next, which are neighbours when packed.
func TestReadsAcrossContigBordersStayOnOneSide(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 3))
	genome := map[string][]byte{"one": randomBases(rng, 5001), "two": randomBases(rng, 5003)}
	ix := buildIndex(t, genome, 1)
	joined := append(bytes.Clone(genome["one"]), genome["two"]...)
	border := len(genome["one"])
	const n = 150
	var seqs [][]byte
	for left := 0; left <= n; left++ { // bases on contig one
		for range 2 {
			seq := bytes.Clone(joined[border-left : border-left+n])
			for range rng.IntN(3) {
				seq[rng.IntN(n)] = "ACGT"[rng.IntN(4)]
			}
			if rng.IntN(2) == 0 {
				seq = revComp(seq)
			}
			seqs = append(seqs, seq)
		}
	}
	recs := mapAll(t, ix, withReadGroup(DefaultParams()), singles(seqs...))
	for _, r := range recs {
		checkInside(t, genome, r)
	}
	for i, r := range primaries(recs) {
		left := i / 2
		want := "one"
		if left < n-left {
			want = "two"
		}
		if max(left, n-left) >= 85 && (r.Flags&sam.Unmapped != 0 || r.Ref.Name() != want) {
			t.Errorf("%d bases of one and %d of two: %v", left, n-left, r)
		}
	}
	b := &reader.Batch{Paired: true}
	for i := range seqs { // and as mates of each other
		b.Reads = append(b.Reads, readOf("p", seqs[i]), readOf("p", seqs[(i*37+1)%len(seqs)]))
	}
	for _, r := range mapAll(t, ix, withReadGroup(DefaultParams()), b) {
		checkInside(t, genome, r)
	}
}

func TestReadsThatHangOverTheEndOfAContigAreClipped(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 4))
	genome := map[string][]byte{"one": randomBases(rng, 3000), "two": randomBases(rng, 2001)}
	ix := buildIndex(t, genome, 1)
	for _, name := range []string{"one", "two"} {
		g := genome[name]
		var seqs [][]byte
		var want []int // position
		for over := range 91 {
			foreign := randomBases(rng, over)
			start := append(bytes.Clone(foreign), g[:150-over]...)
			end := append(bytes.Clone(g[len(g)-150+over:]), foreign...)
			seqs = append(seqs, start, revComp(start), end, revComp(end))
			want = append(want, 0, 0, len(g)-150+over, len(g)-150+over)
		}
		for i, r := range primaries(mapAll(t, ix, withReadGroup(DefaultParams()), singles(seqs...))) {
			checkInside(t, genome, r)
			if r.Flags&sam.Unmapped != 0 || r.Ref.Name() != name || r.Pos != want[i] || r.MapQ < 30 {
				t.Errorf("%d foreign bases at an end of %s: %v at %d, MAPQ %d, want %d", i/4, name, r.Cigar, r.Pos, r.MapQ, want[i])
			}
		}
	}
}

func TestPairsAtTheEndsOfAContigAreProper(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 5))
	genome := map[string][]byte{"one": randomBases(rng, 700), "two": randomBases(rng, 351)}
	ix := buildIndex(t, genome, 1)
	for _, name := range []string{"one", "two"} {
		g := genome[name]
		b := &reader.Batch{Paired: true}
		for size := 150; size <= 350; size++ {
			b.Reads = append(b.Reads, readOf("start", g[:100]), readOf("start", revComp(g[size-100:size])))
			b.Reads = append(b.Reads, readOf("end", revComp(g[len(g)-100:])), readOf("end", g[len(g)-size:len(g)-size+100]))
		}
		for _, r := range mapAll(t, ix, withReadGroup(DefaultParams()), b) {
			checkInside(t, genome, r)
			if r.Flags&sam.ProperPair == 0 || r.MapQ < 60 || r.Cigar.String() != "100M" {
				t.Errorf("%s of %s: %v", r.Name, name, r)
			}
		}
	}
}
