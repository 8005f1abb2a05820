package mapper

import (
	"errors"
	"math/bits"
	"sort"
)

// Index finds the places of a k-mer in a genome. It is flat: a bucket table over the top
// bits of the seed's hash, and eight bytes for each seed of the genome.
//
//	63      41  40 39          0
//	┌─────────┬───┬─────────────┐   tag: the hash bits below the bucket's, so that a match
//	│ tag (23)│rev│ position(40)│   of bucket and tag is a match of all 40 bits;
//	└─────────┴───┴─────────────┘   position: of the k-mer's first base in the packed genome.
//
// Entries of a bucket are ascending, so those of one k-mer stand together.
type Index struct {
	Reference
	bucketBits uint
	starts     []uint32 // 1<<bucketBits + 1
	entries    []uint64
	source     source
	mapping    []byte       // the .apx file; nil if built
	free       func() error // frees starts and entries
}

// source says which FASTA file an index was made from.
type source struct {
	size, mtimeNS int64
}

const (
	posBits    = 40
	maxTotal   = 1 << posBits // bases
	posMask    = 1<<posBits - 1
	revBit     = 1 << posBits
	tagShift   = posBits + 1
	minBuckets = seedBits - (64 - tagShift) // below it a tag could not hold the rest of the hash
	maxBuckets = 30
)

// Bytes is the memory the index takes, mapped or allocated.
func (ix *Index) Bytes() int64 {
	return ix.Reference.Bytes() + 4*int64(len(ix.starts)) + 8*int64(len(ix.entries))
}

// Mapping is the .apx file that the index is used in, for whoever wants to read it ahead; nil
// where the index was built. It must not be touched after Close.
func (ix *Index) Mapping() []byte { return ix.mapping }

// Close frees the index; no Worker may use it afterwards.
func (ix *Index) Close() error {
	err := ix.Reference.Close()
	if ix.free != nil {
		err = errors.Join(err, ix.free())
	}
	*ix = Index{}
	return err
}

// bucketBitsFor gives two to four seeds to a bucket, four to eight where the table would make
// the index larger than 2.2 bytes a base.
func bucketBitsFor(seeds, total int64) uint {
	b := bits.Len64(uint64(seeds) / 4)
	if 10*(total/4+8*seeds+4<<b) > 22*total {
		b--
	}
	return uint(min(max(b, minBuckets), maxBuckets))
}

// narrow returns the part of a bucket's entries that has the tag.
func (ix *Index) narrow(lo, hi uint32, tag uint64) (from, to uint32) {
	const few = 16
	if hi-lo > few {
		return ix.search(lo, hi, tag)
	}
	// Most buckets are small; counting without branches leaves nothing to mispredict.
	for _, e := range ix.entries[lo:hi] {
		e >>= tagShift
		from += uint32((e - tag) >> 63)
		to += uint32((tag-e)>>63 ^ 1)
	}
	return lo + from, lo + to
}

// search is narrow for a bucket of any size.
func (ix *Index) search(lo, hi uint32, tag uint64) (from, to uint32) {
	e := ix.entries[lo:hi]
	first := sort.Search(len(e), func(i int) bool { return e[i]>>tagShift >= tag })
	n := sort.Search(len(e)-first, func(i int) bool { return e[first+i]>>tagShift > tag })
	return lo + uint32(first), lo + uint32(first+n)
}
