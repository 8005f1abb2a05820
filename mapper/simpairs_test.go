package mapper

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/biogo/hts/sam"

	"github.com/alignpipe/alignpipe/reader"
)

// pairShape says how simPairs cuts fragments into reads.
type pairShape struct {
	readLen   int
	mean, std float64 // of fragments
	o         Orientation
	rate      float64 // of substitutions
}

const adapter = "AGATCGGAAGAGCACACGTCTGAACTCCAGTCACATCACGATCTCGTATGCCGTCTTCTGCTTGAAAAAAAAAAGGGGGGGGGGGGGGGGGGGGGGGGGGGGG"

// home is where a read comes from, and how many of its bases do: the rest are adapter.
type home struct {
	truth
	n int
}

// simPairs makes pairs of both strands of contig one, away from its runs of N. Reads longer
// than their fragment go on with the adapter.
func simPairs(rng *rand.Rand, genome map[string][]byte, pairs int, s pairShape) (*reader.Batch, []home) {
	b := &reader.Batch{Paired: true}
	var where []home
	g := genome["one"]
	for len(where) < 2*pairs {
		size := int(s.mean + s.std*rng.NormFloat64())
		if size < 40 {
			continue
		}
		at := rng.IntN(len(g) - size)
		frag := g[at : at+size]
		if bytes.IndexByte(frag, 'N') >= 0 {
			continue
		}
		flip := rng.IntN(2) == 1
		if flip {
			frag = revComp(frag)
		}
		n := min(s.readLen, size)
		ends := [2][]byte{frag[:n], frag[size-n:]}
		rev := [2]bool{s.o == RF, s.o == FR}
		for k, end := range ends {
			if rev[k] {
				end = revComp(end)
			}
			seq := bytes.Clone(end)
			for i := range seq {
				if rng.Float64() < s.rate {
					seq[i] = "ACGT"[rng.IntN(4)]
				}
			}
			seq = append(seq, adapter[:min(s.readLen-n, len(adapter))]...)
			pos := at
			if (k == 1) != flip {
				pos = at + size - n
			}
			where = append(where, home{truth{"one", pos, rev[k] != flip}, n})
			b.Reads = append(b.Reads, readOf(fmt.Sprintf("p%d", (len(where)-1)/2), seq))
			b.Bases += len(seq)
		}
	}
	return b, where
}

// readOf makes a read of the best quality.
func readOf(name string, seq []byte) reader.Read {
	return reader.Read{Name: []byte(name), Seq: bytes.Clone(seq), Qual: bytes.Repeat([]byte("I"), len(seq))}
}

// singles makes a batch of single reads named by their place in it.
func singles(seqs ...[]byte) *reader.Batch {
	b := &reader.Batch{}
	for i, s := range seqs {
		b.Reads = append(b.Reads, readOf(fmt.Sprintf("s%d", i), s))
		b.Bases += len(s)
	}
	return b
}

// pairOf makes a batch of one pair.
func pairOf(first, last []byte) *reader.Batch {
	b := singles(first, last)
	b.Paired = true
	b.Reads[1].Name = b.Reads[0].Name
	return b
}

func withReadGroup(p Params) Params {
	p.ReadGroup = "s1" // which checkRecord asks for
	return p
}

// isHome says whether r is where its read comes from, give or take 3 bases for gaps near
// its start.
func isHome(r *sam.Record, at home) bool {
	off := r.Pos - at.pos
	if len(r.Cigar) > 0 && r.Cigar[0].Type() == sam.CigarSoftClipped && !(at.rev && at.n < r.Seq.Length) {
		off -= r.Cigar[0].Len() // but for an adapter, which is no part of the fragment
	}
	return r.Flags&sam.Unmapped == 0 && r.Ref.Name() == at.contig && off >= -3 && off <= 3 && (r.Flags&sam.Reverse != 0) == at.rev
}

func tagInt(t *testing.T, r *sam.Record, tag string) int {
	t.Helper()
	aux, ok := r.Tag([]byte(tag))
	if !ok {
		t.Fatalf("%s has no %s", r.Name, tag)
	}
	return toInt(aux.Value())
}

func TestPairsOfEveryShapeComeHomeProper(t *testing.T) {
	rng := rand.New(rand.NewPCG(40, 1))
	genome := map[string][]byte{"one": randomBases(rng, 200_000), "two": randomBases(rng, 10_000)}
	ix := buildIndex(t, genome, 1)
	for _, c := range []struct {
		name  string
		shape pairShape
	}{
		{"towards each other", pairShape{100, 300, 30, FR, .01}},
		{"away from each other, mate pairs of 2500", pairShape{100, 2500, 250, RF, .01}},
		{"the same way", pairShape{100, 400, 40, FF, .01}},
		{"the same way, fragments of 2000", pairShape{75, 2000, 100, FF, .01}},
		{"reads longer than fragments of 120", pairShape{150, 120, 12, FR, .005}},
		{"reads that overlap fully", pairShape{150, 150, 2, FR, .01}},
		{"fragments of 3000", pairShape{100, 3000, 300, FR, .01}},
		{"long reads, beyond what is packed", pairShape{700, 1500, 100, FR, .01}},
	} {
		t.Run(c.name, func(t *testing.T) {
			batch, where := simPairs(rng, genome, 400, c.shape)
			p := withReadGroup(DefaultParams())
			p.Orientation = c.shape.o
			p.Insert = EstimateInsert(ix, p, []*reader.Batch{batch})
			if d := p.Insert.Mean - c.shape.mean; d*d > 25+c.shape.std*c.shape.std/25 || p.Insert.Pairs < 300 {
				t.Errorf("estimated %+v, fragments are %v long", p.Insert, c.shape.mean)
			}
			if s := p.Insert.Std; s > 1.3*c.shape.std+1 || s < .7*c.shape.std-1 {
				t.Errorf("estimated a deviation of %.1f, it is %.1f", s, c.shape.std)
			}
			away, improper, unsure := 0, 0, 0
			for i, r := range primaries(mapAll(t, ix, p, batch)) {
				checkRecord(t, genome, r)
				if !isHome(r, where[i]) {
					away++
				}
				if r.Flags&sam.ProperPair == 0 {
					improper++
				}
				if r.MapQ < 60 {
					unsure++
				}
			}
			if away > 2 || improper > 8 || unsure > 8 {
				t.Errorf("of 800 reads %d are not home, %d not proper, %d below MAPQ 60", away, improper, unsure)
			}
		})
	}
}

func TestDefaultsPlacePairsOfOtherOrientationsImproperly(t *testing.T) {
	rng := rand.New(rand.NewPCG(40, 2))
	genome := map[string][]byte{"one": randomBases(rng, 100_000), "two": randomBases(rng, 1000)}
	ix := buildIndex(t, genome, 1)
	for name, o := range map[string]Orientation{"RF": RF, "FF": FF} {
		batch, where := simPairs(rng, genome, 100, pairShape{100, 400, 40, o, .005})
		for i, r := range primaries(mapAll(t, ix, DefaultParams(), batch)) {
			if !isHome(r, where[i]) || r.Flags&sam.ProperPair != 0 {
				t.Errorf("%s: %v at %d, flags %v; want %+v, not proper", name, r.Name, r.Pos, r.Flags, where[i])
			}
		}
	}
}

// TestAdaptersAreClippedAtTheEndOfTheFragment allows for the bases of an adapter that happen
// to match what follows the fragment: the scalar code says which those are.
func TestAdaptersAreClippedAtTheEndOfTheFragment(t *testing.T) {
	rng := rand.New(rand.NewPCG(40, 3))
	genome := map[string][]byte{"one": randomBases(rng, 100_000), "two": randomBases(rng, 1000)}
	ix := buildIndex(t, genome, 1)
	codes := codesOf(genome["one"])
	p := withReadGroup(DefaultParams())
	p.Insert = InsertSize{Mean: 90, Std: 20, Low: 20, High: 200}
	batch, where := simPairs(rng, genome, 300, pairShape{151, 90, 15, FR, 0})
	exact := 0
	for i, r := range primaries(mapAll(t, ix, p, batch)) {
		checkRecord(t, genome, r)
		seq, diag := batch.Reads[i].Seq, where[i].pos
		if where[i].rev {
			seq, diag = revComp(seq), diag-(len(seq)-where[i].n)
		}
		want := ungapped(codesOf(seq), codes, diag)
		from, to := 0, len(seq)
		if c := r.Cigar[0]; c.Type() == sam.CigarSoftClipped {
			from = c.Len()
		}
		if c := r.Cigar[len(r.Cigar)-1]; c.Type() == sam.CigarSoftClipped {
			to -= c.Len()
		}
		if from != want.qb || to != want.qe || r.Pos != int(want.pos) || r.MapQ != 60 || r.Flags&sam.ProperPair == 0 {
			t.Errorf("%s: %d:%v, MAPQ %d, flags %v; want bases [%d,%d) of %d at %d", r.Name, r.Pos, r.Cigar, r.MapQ, r.Flags, want.qb, want.qe, len(seq), want.pos)
		}
		if to-from == where[i].n {
			exact++
		}
	}
	if exact < 400 { // three of four: the adapter's first base is the next one's by chance else
		t.Errorf("%d of 600 reads are clipped where the adapter begins", exact)
	}
}
