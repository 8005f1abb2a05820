package markdup

import "math"

// Metrics are those of Picard's MarkDuplicates, for the one library of a run. Both mates of a pair
// are mapped; an unpaired read is one without a mapped mate.
type Metrics struct {
	UnpairedReadsExamined    int64   `json:"unpaired_reads_examined"`
	ReadPairsExamined        int64   `json:"read_pairs_examined"`
	SecondaryOrSupplementary int64   `json:"secondary_or_supplementary_records"`
	UnmappedReads            int64   `json:"unmapped_reads"`
	UnpairedReadDuplicates   int64   `json:"unpaired_read_duplicates"`
	ReadPairDuplicates       int64   `json:"read_pair_duplicates"`
	ReadPairOpticalDups      int64   `json:"read_pair_optical_duplicates"` // 0 where none were looked for
	DuplicateFraction        float64 `json:"duplicate_fraction"`           // of the reads examined; 0..1
	// EstimatedLibrarySize is in distinct pairs.
	EstimatedLibrarySize       *int64 `json:"estimated_library_size"`
	EstimatedLibrarySizeReason string `json:"estimated_library_size_reason,omitempty"` // why it is nil
}

// Records is the number of records that are marked.
func (m *Metrics) Records() int64 { return m.UnpairedReadDuplicates + 2*m.ReadPairDuplicates }

// add adds what one goroutine found. Until finish pairs are counted by record.
func (m *Metrics) add(c *decider) {
	m.UnpairedReadDuplicates += c.singleRecords
	m.ReadPairDuplicates += c.pairRecords
	m.ReadPairOpticalDups += c.opticalRecords
}

func (m *Metrics) finish() {
	if examined := m.UnpairedReadsExamined + 2*m.ReadPairsExamined; examined > 0 {
		m.DuplicateFraction = float64(m.UnpairedReadDuplicates+m.ReadPairDuplicates) / float64(examined)
	}
	m.ReadPairDuplicates /= 2
	m.ReadPairOpticalDups /= 2
	if n, ok := librarySize(m.ReadPairsExamined-m.ReadPairOpticalDups, m.ReadPairsExamined-m.ReadPairDuplicates); ok {
		m.EstimatedLibrarySize = &n
	} else {
		m.EstimatedLibrarySizeReason = "no pair is a duplicate that is not optical, or there are no others"
	}
}

// librarySize solves distinct/x = 1 - exp(-pairs/x) for x, the number of pairs in the library, as
// Picard does: by 40 halvings of a range in multiples of distinct, so the digits agree with it.
func librarySize(pairs, distinct int64) (int64, bool) {
	if distinct <= 0 || pairs <= distinct {
		return 0, false
	}
	c, n := float64(distinct), float64(pairs)
	f := func(x float64) float64 { return c/x - 1 + math.Exp(-n/x) }
	low, high := 1.0, 100.0
	for f(high*c) > 0 {
		high *= 10
	}
	for range 40 {
		mid := (low + high) / 2
		u := f(mid * c)
		if u == 0 {
			break
		}
		if u > 0 {
			low = mid
		} else {
			high = mid
		}
	}
	return int64(c * (low + high) / 2), true
}

// coverage is how many times as many distinct pairs x times the sequencing would show.
func (m *Metrics) coverage(x float64) float64 {
	size := float64(*m.EstimatedLibrarySize)
	distinct := float64(m.ReadPairsExamined - m.ReadPairDuplicates)
	return size * (1 - math.Exp(-x*float64(m.ReadPairsExamined)/size)) / distinct
}
