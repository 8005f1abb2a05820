package mapper

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/biogo/hts/sam"

	"github.com/alignpipe/alignpipe/reader"
)

// mirrored is r as it stands on the other strand of its contig.
func mirrored(genome map[string][]byte, r *sam.Record) (pos int, reverse bool, cigar sam.Cigar) {
	cigar = slices.Clone(r.Cigar)
	slices.Reverse(cigar)
	return len(genome[r.Ref.Name()]) - r.End(), r.Flags&sam.Reverse == 0, cigar
}

// checkMirror compares the primary records of a run with those of its mirror image. Where two
// alignments are as good, the mirror image may take the other, and a gap stands left in both: only
// the sure ones are compared in place, and only those without gaps in CIGAR. It returns how many records differ in
// score, or in MAPQ by more than a little, and how many of the sure ones in place.
func checkMirror(t *testing.T, genome map[string][]byte, recs, images []*sam.Record) (score, mapq, place int) {
	t.Helper()
	for i, r := range recs {
		image := images[i]
		if r.Flags&sam.Unmapped != 0 || image.Flags&sam.Unmapped != 0 {
			if r.Flags&sam.Unmapped != image.Flags&sam.Unmapped {
				place++
			}
			continue
		}
		if tagInt(t, r, "AS") != tagInt(t, image, "AS") {
			score++
		}
		if abs(int(r.MapQ)-int(image.MapQ)) > 3 {
			mapq++
		}
		pos, reverse, cigar := mirrored(genome, r)
		if min(r.MapQ, image.MapQ) < 10 {
			continue
		}
		same := image.Ref.Name() == r.Ref.Name() && reverse == (image.Flags&sam.Reverse != 0) && abs(image.Pos-pos) <= 30
		if !same || len(cigar) <= 2 && len(image.Cigar) <= 2 && (pos != image.Pos || cigar.String() != image.Cigar.String()) {
			place++
		}
	}
	return score, mapq, place
}

func TestTheMirrorImageGivesMirroredAlignments(t *testing.T) {
	rng := rand.New(rand.NewPCG(46, 1))
	genome := agedGenome(rng, 150_000)
	image := map[string][]byte{}
	for name, g := range genome {
		image[name] = revComp(g)
	}
	ix, imageIx := buildIndex(t, genome, 1), buildIndex(t, image, 1)
	p := withReadGroup(DefaultParams())
	p.Insert = InsertSize{Mean: 350, Std: 40, Low: 190, High: 510}
	for _, rate := range []float64{.002, .02} {
		batch, _ := simPairs(rng, genome, scaled(1200), pairShape{150, 350, 40, FR, rate})
		unlike(rng, batch, .2)
		turned, swapped := &reader.Batch{}, &reader.Batch{Paired: true}
		for i, r := range batch.Reads {
			turned.Reads = append(turned.Reads, readOf(string(r.Name), revComp(r.Seq)))
			swapped.Reads = append(swapped.Reads, batch.Reads[i^1])
		}
		alone := &reader.Batch{Reads: batch.Reads}
		single, paired := primaries(mapAll(t, ix, p, alone)), primaries(mapAll(t, ix, p, batch))
		for _, c := range []struct {
			name string
			recs []*sam.Record
			ix   *Index
			b    *reader.Batch
			back func([]*sam.Record) // makes the run's records comparable
		}{
			{"genome turned, single", single, imageIx, alone, func([]*sam.Record) {}},
			{"genome turned, paired", paired, imageIx, batch, func([]*sam.Record) {}},
			{"reads turned, single", single, ix, turned, func(recs []*sam.Record) { turn(genome, recs) }},
			{"mates swapped", paired, ix, swapped, func(recs []*sam.Record) {
				for i := 0; i < len(recs); i += 2 {
					recs[i], recs[i+1] = recs[i+1], recs[i]
				}
				turnAll(genome, recs)
			}},
		} {
			images := primaries(mapAll(t, c.ix, p, c.b))
			c.back(images)
			score, mapq, place := checkMirror(t, genome, c.recs, images)
			// Pairs that score the same in sum may differ in each mate, and which of a repeat's
			// seeds are looked at depends on the strand.
			if most := len(c.recs)/100 + 4; score > most/4 || mapq > most || place > 0 {
				t.Errorf("%s, rate=%v: of %d reads %d differ in score, %d in MAPQ, %d in place", c.name, rate, len(c.recs), score, mapq, place)
			}
		}
	}
}

// turn mirrors the strand of records of reads that were turned: they stand where they stood.
func turn(genome map[string][]byte, recs []*sam.Record) {
	for _, r := range recs {
		r.Flags ^= sam.Reverse
	}
	turnAll(genome, recs)
}

// turnAll mirrors records, for a comparison with what checkMirror mirrors.
func turnAll(genome map[string][]byte, recs []*sam.Record) {
	for _, r := range recs {
		if r.Flags&sam.Unmapped != 0 {
			continue
		}
		pos, reverse, cigar := mirrored(genome, r)
		r.Pos, r.Cigar = pos, cigar
		r.Flags &^= sam.Reverse
		if reverse {
			r.Flags |= sam.Reverse
		}
	}
}

// TestClipsAreTakenAlikeAtBothEnds has mismatches that cost exactly what a clip there does, at
// either end of the read: such a tie was once broken differently at the two ends, and the copy
// that won by it looked better than its equal on the other strand.
func TestClipsAreTakenAlikeAtBothEnds(t *testing.T) {
	rng := rand.New(rand.NewPCG(46, 2))
	one := randomBases(rng, 20_000)
	copy(one[12_000:], revComp(one[2000:4000])) // a copy on the other strand
	genome := map[string][]byte{"one": one, "two": randomBases(rng, 1000)}
	ix := buildIndex(t, genome, 1)
	var seqs [][]byte
	for at := range 12 {
		for _, from := range []int{2400, 2800, 3100} {
			seq := slices.Clone(one[from : from+150])
			seq[at] = "ACGT"[(code[seq[at]]+1)&3]
			seqs = append(seqs, seq, revComp(seq))
		}
	}
	recs := mapAll(t, ix, withReadGroup(DefaultParams()), singles(seqs...))
	if len(recs) != len(seqs) {
		t.Fatalf("%d records of %d reads", len(recs), len(seqs))
	}
	for i := 0; i < len(recs); i += 2 {
		a, b := recs[i], recs[i+1]
		for _, r := range []*sam.Record{a, b} {
			checkRecord(t, genome, r)
			if r.MapQ > 3 || tagInt(t, r, "AS") != tagInt(t, r, "XS") {
				t.Errorf("a mismatch at base %d: AS %d, XS %d, MAPQ %d, in two copies that are the same", i/6, tagInt(t, r, "AS"), tagInt(t, r, "XS"), r.MapQ)
			}
		}
		if soft := strings.Contains(a.Cigar.String(), "S"); soft != strings.Contains(b.Cigar.String(), "S") {
			t.Errorf("a mismatch at base %d: %v, and %v from the other strand", i/6, a.Cigar, b.Cigar)
		}
	}
}
