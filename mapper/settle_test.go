package mapper

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alignpipe/alignpipe/reader"
)

// agedGenome has repeats as genomes have them: families of many copies, pairs of long
// duplications and tandem arrays, each of an age, which is the share of bases that differ
// between a copy and what it was copied from.
func agedGenome(rng *rand.Rand, size int) map[string][]byte {
	one := randomBases(rng, size)
	ages := []float64{0, .003, .01, .02, .04, .08, .15}
	for i, age := range ages {
		family := randomBases(rng, []int{300, 900, 150}[i%3])
		for range 12 {
			put(rng, one, aged(rng, family, age))
		}
		from := rng.IntN(size - 5000) // a duplication
		put(rng, one, aged(rng, one[from:from+3000+rng.IntN(2000)], age))
		unit := randomBases(rng, []int{31, 60, 171, 340}[i%4])
		var array []byte
		for len(array) < 1500 {
			array = append(array, aged(rng, unit, age)...)
		}
		put(rng, one, array)
	}
	return map[string][]byte{"one": one, "two": randomBases(rng, 1000)}
}

// put writes s over g somewhere, on either strand.
func put(rng *rand.Rand, g, s []byte) {
	if rng.IntN(2) == 0 {
		s = revComp(s)
	}
	copy(g[rng.IntN(len(g)-len(s)):], s)
}

// aged returns s after that share of its bases have changed, one change in eight an indel.
func aged(rng *rand.Rand, s []byte, age float64) (out []byte) {
	for _, c := range s {
		switch x := rng.Float64(); {
		case x < age*7/8:
			out = append(out, "ACGT"[(code[c]+1+byte(rng.IntN(3)))&3])
		case x < age*15/16: // a deletion
		case x < age:
			out = append(append(out, randomBases(rng, 1+rng.IntN(4))...), c)
		default:
			out = append(out, c)
		}
	}
	return out
}

// unlike puts a few indels into reads, beside the substitutions they have.
func unlike(rng *rand.Rand, b *reader.Batch, share float64) {
	for i := range b.Reads {
		if rng.Float64() < share {
			b.Reads[i] = readOf(string(b.Reads[i].Name), aged(rng, b.Reads[i].Seq, .02))
		}
	}
}

// verdict is what mapGroup says of a template.
type verdict struct {
	alns   [2]alignment
	placed [2]bool
	mapq   [2]int
	proper bool
	score  int // of both together, and of their distance if they fit
}

func (w *Worker) verdictOf(t []query) (v verdict) {
	for k := range t {
		if q := &t[k]; q.best >= 0 {
			v.alns[k], v.placed[k], v.mapq[k] = q.alns[q.best], true, q.mapq
			v.score += v.alns[k].score
		}
	}
	if len(t) == 2 {
		v.proper = t[0].proper
		size, fits := int64(0), false
		if v.placed[0] && v.placed[1] {
			size, fits = w.properSize(&t[0], &v.alns[0], &t[1], &v.alns[1], true)
		}
		if fits {
			v.score -= min(w.sizes.penalty(size), unpairedCost)
		} else {
			v.score -= unpairedCost
		}
	}
	return v
}

func samePlace(a, b *alignment) bool {
	near := a.pos-int64(a.qb) == b.pos-int64(b.qb) || a.end-int64(a.qe) == b.end-int64(b.qe)
	return a.strand == b.strand && a.contig == b.contig && near
}

// TestSettledReadsStandWhereTheFullPathPutsThem maps everything twice, once with settle out of
// the way. What settle calls certain must be the full path's choice, or no worse.
func TestSettledReadsStandWhereTheFullPathPutsThem(t *testing.T) {
	rng := rand.New(rand.NewPCG(45, 1))
	genome := agedGenome(rng, 150_000)
	ix := buildIndex(t, genome, 1)
	p := DefaultParams()
	p.Insert = InsertSize{Mean: 350, Std: 40, Low: 190, High: 510}
	for _, step := range []int{1, 2} {
		fast, full := NewWorker(ix, p), NewWorker(ix, p)
		full.thorough = true
		settled, all, all60 := 0, 0, 0
		for _, n := range []int{75, 100, 150, 250} {
			for _, rate := range []float64{.001, .01, .03} {
				batch, _ := simPairs(rng, genome, scaled(512), pairShape{n, 350, 40, FR, rate})
				unlike(rng, batch, .1)
				for i := 0; i < len(batch.Reads); i += groupReads {
					reads := batch.Reads[i : i+groupReads]
					opened := fast.opened
					fast.mapGroup(reads, step, uint64(i/step))
					full.mapGroup(reads, step, uint64(i/step))
					for m := range reads {
						if alns := full.group[m].alns; !slices.IsSortedFunc(alns, func(a, b alignment) int { return b.score - a.score }) {
							t.Errorf("n=%d, rate=%v, read %d: its alignments are not in the order of their scores", n, rate, i+m)
						}
					}
					settled += groupReads - int(fast.opened-opened)
					for k := 0; k < groupReads; k += step {
						x, y := fast.verdictOf(fast.group[k:k+step]), full.verdictOf(full.group[k:k+step])
						all += step
						for m := range step {
							if x.mapq[m] < maxMapQ {
								continue
							}
							all60++
							if y.score > x.score || !y.placed[m] || !samePlace(&x.alns[m], &y.alns[m]) || y.mapq[m] < 40 {
								t.Errorf("paired=%v, n=%d, rate=%v, read %d: %+v, the full path says %+v", step == 2, n, rate, i+k+m, x, y)
							}
						}
					}
				}
			}
		}
		if settled < all/4 || all60 < all/3 {
			t.Errorf("paired=%v: of %d reads %d are settled, %d at MAPQ 60: too few to compare", step == 2, all, settled, all60)
		}
	}
}

// TestAMateOfAnotherCopyMakesAPairUnsure has two copies of 1000 bases, and a pair whose first
// mate has two bases of the one, and whose second has one base of the other. The pair fits
// both, at 5 less in the second.
func TestAMateOfAnotherCopyMakesAPairUnsure(t *testing.T) {
	rng := rand.New(rand.NewPCG(45, 2))
	for trial := range 40 {
		one := randomBases(rng, 30_000)
		copy(one[20_000:], one[5000:6000])
		for _, at := range []int{5130, 5170, 5400} {
			one[at] = "ACGT"[(code[one[at]]+1)&3]
		}
		genome := map[string][]byte{"one": one, "two": randomBases(rng, 1000)}
		ix := buildIndex(t, genome, 1)
		p := DefaultParams()
		p.Insert = InsertSize{Mean: 350, Std: 40, Low: 190, High: 510}
		mate1, mate2 := one[5100:5250], revComp(one[20_300:20_450])
		b := &reader.Batch{Paired: true, Reads: []reader.Read{readOf("p", mate1), readOf("p", mate2)}}
		for i, r := range mapAll(t, ix, p, b) {
			if r.MapQ > 40 && r.Pos/1000 == 5 {
				t.Errorf("trial %d: mate %d of a pair that scores 5 less elsewhere has MAPQ %d", trial, i+1, r.MapQ)
			}
		}
	}
}
