package mapper

import (
	"math"
	"slices"

	"github.com/alignpipe/alignpipe/reader"
)

// InsertSamplePairs is how many of the input's first pairs the insert size is estimated
// from. Whoever maps a part of an input must be given the estimate of the whole.
const InsertSamplePairs = 4096

const (
	minInsertPairs   = 25 // fewer good pairs than this and the default is used
	maxSampledInsert = 10000
	minSampledMapQ   = 20
)

// EstimateInsert maps the pairs of the given batches, each mate alone, and returns the
// distribution of fragment sizes as bwa-mem computes it: mean and standard deviation
// within two interquartile ranges of the quartiles, bounds within three, or four deviations.
func EstimateInsert(ix *Index, p Params, first []*reader.Batch) InsertSize {
	w := NewWorker(ix, p)
	w.quick = true // pairs that are hard to place have nothing to add
	sizes := w.sample(first)
	if len(sizes) < minInsertPairs {
		w.quick = false
		sizes = w.sample(first)
	}
	if len(sizes) < minInsertPairs {
		return DefaultInsert()
	}
	return insertOf(sizes)
}

// sample returns the sizes of the fragments of the first pairs, as far as they are known.
func (w *Worker) sample(first []*reader.Batch) (sizes []int64) {
	pairs := 0
	for _, b := range first {
		if !b.Paired {
			continue
		}
		n := min(len(b.Reads), 2*(InsertSamplePairs-pairs)) &^ 1
		pairs += n / 2
		for i := 0; i < n; {
			group := nextGroup(b.Reads[i:n], 2)
			sizes = w.sampleInserts(group, sizes)
			i += len(group)
		}
	}
	return sizes
}

// sampleInserts appends the sizes of fragments whose mates are placed well, each by itself.
func (w *Worker) sampleInserts(reads []reader.Read, sizes []int64) []int64 {
	w.mapGroup(reads, 1, 0)
	for i := 0; i < len(reads); i += 2 {
		a, b := &w.group[i], &w.group[i+1]
		if a.best < 0 || a.mapq < minSampledMapQ || b.best < 0 || b.mapq < minSampledMapQ {
			continue
		}
		x, y := &a.alns[a.best], &b.alns[b.best]
		if x.contig != y.contig {
			continue
		}
		xf, xt := x.unclipped(a.len())
		yf, yt := y.unclipped(b.len())
		if size, ok := fragment(w.p.Orientation, x.strand, xf, xt, y.strand, yf, yt); ok && size > 0 && size <= maxSampledInsert {
			sizes = append(sizes, size)
		}
	}
	return sizes
}

func insertOf(sizes []int64) InsertSize {
	slices.Sort(sizes)
	at := func(share float64) float64 { return float64(sizes[int(share*float64(len(sizes))+.499)]) }
	p25, p75 := at(.25), at(.75)
	low, high := p25-2*(p75-p25), p75+2*(p75-p25)
	n, sum := 0.0, 0.0
	for _, s := range sizes {
		if f := float64(s); f >= low && f <= high {
			n++
			sum += f
		}
	}
	in := InsertSize{Mean: sum / n, Pairs: int(n)}
	for _, s := range sizes {
		if f := float64(s); f >= low && f <= high {
			in.Std += (f - in.Mean) * (f - in.Mean)
		}
	}
	in.Std = max(math.Sqrt(in.Std/n), 1)
	in.Low = int(max(min(p25-3*(p75-p25), in.Mean-4*in.Std)+.499, 1))
	in.High = int(max(p75+3*(p75-p25), in.Mean+4*in.Std) + .499)
	return in
}
