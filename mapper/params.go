package mapper

import "github.com/alignpipe/alignpipe/internal/affine"

// Scores follow bwa-mem, so that AS, XS and MAPQ mean what its users expect.
const (
	matchScore   = affine.Match
	mismatchCost = affine.Mismatch
	gapOpen      = affine.GapOpen
	gapExtend    = affine.GapExtend
	clipCost     = affine.Clip // of an end that is not aligned to the read's end
	maxClips     = 2 * clipCost
	minMateScore = 20 // of the aligned part of a mate that is found where the other says
	minScore     = 30 // of the aligned part; below it nothing is reported
	unpairedCost = 17 // of a pair whose mates do not fit together
	closeScore   = max(matchScore+mismatchCost, gapOpen+gapExtend)
	maxMapQ      = 60
	xaRatio      = 0.8 // alternatives within this share of the best score are listed in XA
	maxXA        = 5   // more alternatives than this and none is listed, as in bwa
)

// Orientation is how the mates of a pair face each other.
type Orientation uint8

const (
	FR Orientation = iota // towards each other: Illumina paired end
	RF                    // away from each other: mate pair
	FF                    // the same way
)

// InsertSize describes the fragments: from the 5' end of one mate to that of the other where they
// face each other, else from the outer end of the one to that of the other.
type InsertSize struct {
	Mean, Std float64 // bases
	Low, High int     // bases; pairs outside are not proper
	Pairs     int     // pairs it was estimated from; 0 when it is the default
}

// DefaultInsert is used where the input has too few pairs to estimate from.
func DefaultInsert() InsertSize { return InsertSize{Mean: 350, Std: 150, Low: 1, High: 1000} }

// Params changes what the mapper reports.
type Params struct {
	Orientation Orientation
	Insert      InsertSize
	ReadGroup   string // the RG tag's value; none when empty
	Comments    bool   // append the FASTQ comment, in SAM tag form, to the record
}

// DefaultParams returns what align uses without flags.
func DefaultParams() Params { return Params{Insert: DefaultInsert()} }
