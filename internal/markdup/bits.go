package markdup

import (
	"sync/atomic"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// bitset has two bits for each template, one for each of its reads. Safe for concurrent use.
type bitset struct {
	memory []byte
	words  []uint64
	first  uint64 // template
}

func newBitset(low, high uint64) (b bitset, err error) {
	if low > high { // there was no record
		return b, nil
	}
	b.first = low
	b.memory, err = vfs.Alloc(int(BitsBytes(int64(high - low + 1))))
	b.words = words(b.memory)
	return b, err
}

// set sets the bits of some reads of a template, and returns how many of them were not set before.
func (b *bitset) set(template uint64, reads byte) int64 {
	i := (template - b.first) * 2
	mask := uint64(reads) << (i & 63)
	added := mask &^ atomic.OrUint64(&b.words[i>>6], mask) >> (i & 63)
	return int64(added&1 + added>>1)
}

// get tells about the read of a template.
func (b *bitset) get(template, read uint64) bool {
	i := (template-b.first)*2 + read
	return i>>6 < uint64(len(b.words)) && b.words[i>>6]>>(i&63)&1 != 0
}
