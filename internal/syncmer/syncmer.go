package syncmer

const (
	K   = 20 // bases of a seed
	S   = 16 // bases of what is compared inside it: a lane of 32 bits
	mid = (K - S) / 2
)

const (
	block     = 16        // k-mers that a kernel decides at a time, as many as s-mers begin in half a word
	blockSize = block / 4 // bytes
	wordSize  = 8
)

// Find writes the positions of the open syncmers of a sequence of n bases to dst, ascending,
// and returns how many they are. A k-mer is one if its middle s-mer is no greater than any
// other; s-mers are compared by hash, and taken as the strand that is smaller as a number.
//
// The sequence is packed: four bases a byte, the first in the low bits, or words of 32 bases,
// little-endian. It is read as it is: a caller drops k-mers with a base that is no ACGT.
// len(dst) must be n or more, as that many may be overwritten. Bytes of packed beyond the n
// bases do not matter, but with eight of them no end has to be copied.
func Find(dst []int32, packed []byte, n int) int {
	kmers := n - K + 1
	if kmers <= 0 {
		return 0
	}
	dst, _ = dst[:n], packed[(n-1)/4]
	if inUse == scalar {
		return findScalar(dst, packed, n)
	}
	// Kernels read a word for each block of k-mers and one more, at steps of blockSize.
	safe := min(kmers, (len(packed)-wordSize)/blockSize*block)
	if safe == kmers {
		return findVector(dst, packed, kmers)
	}
	found := 0
	if safe = max(safe, 0); safe > 0 {
		found = findVector(dst, packed, safe)
	}
	var end [2 * wordSize]byte // what is left are at most 44 bases, and so two blocks
	copy(end[:], packed[safe/4:])
	more := dst[found:]
	more = more[:findVector(more, end[:], kmers-safe)]
	for i := range more {
		more[i] += int32(safe)
	}
	return found + len(more)
}

// kernel is a way to find syncmers.
type kernel int

const (
	scalar kernel = iota
	avx2
	avx512
)

func (k kernel) String() string { return [...]string{"scalar", "avx2", "avx512"}[k] }
