package markdup

import (
	"fmt"
	"unsafe"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// maxSignature is the size of the longest signature.
const maxSignature = pairFixed + maxName

// tuning has the sizes that tests make small to meet every edge.
type tuning struct {
	parts  int   // partitions of pairs, and as many of ends; a power of two
	frame  int   // bytes of signatures in a frame
	out    int   // bytes written at once
	worker int64 // bytes of the least useful share of a worker, beside its buffers
}

var standard = tuning{
	parts:  256, // 80 MB each at 500 million pairs: more would make the writes of a full arena small
	frame:  32 << 10,
	out:    128 << 10,
	worker: 2 << 20,
}

// buffers is what a worker needs whatever its share: a page to write for the signatures of the
// mapper, another for the ends that Decide finds, a frame to read, and what rounding costs.
func (t tuning) buffers() int64 { return int64(2*t.out + frameHeader + t.frame + 4*pageBytes) }

const pageBytes = 4 << 10

func (t tuning) minMem(workers int) int64 { return int64(workers) * (t.buffers() + t.worker) }

// MinMem is the least Config.MemBytes for a number of workers, in bytes.
func MinMem(workers int) int64 { return standard.minMem(max(workers, 1)) }

// BitsBytes is what the decisions take for a number of templates, beside Config.MemBytes: two bits
// for each.
func BitsBytes(templates int64) int64 { return (templates + 31) / 32 * 8 }

// shares divides Config.MemBytes; all figures are bytes.
type shares struct {
	arena  int64 // of each worker, while reads are mapped
	found  int64 // of each worker, for the ends that Decide finds
	table  int64 // of each worker, for Decide
	filter int64 // one for all
}

// maxShare keeps offsets within 32 bits.
const maxShare = 1 << 31

func (t tuning) divide(workers int, mem int64) shares {
	rest := mem/int64(workers) - t.buffers()
	s := shares{arena: min(rest*3/8, maxShare), found: min(rest/16, maxShare), filter: rest / 16 * int64(workers)}
	s.table = min(rest-s.arena-s.found-rest/16, maxShare)
	return s
}

// MemoryError says that Config.MemBytes is too small, and what would do.
type MemoryError struct {
	Have, Least int64 // bytes
}

// Error names both sizes.
func (e *MemoryError) Error() string {
	return fmt.Sprintf("markdup: %d bytes of memory are too little, the least is %d", e.Have, e.Least)
}

// memory hands out bytes outside the Go heap, and gives back all at once.
type memory struct{ blocks [][]byte }

func (m *memory) alloc(n int64) ([]byte, error) {
	b, err := vfs.Alloc(int(n))
	if err != nil {
		return nil, fmt.Errorf("markdup: %w", err)
	}
	m.blocks = append(m.blocks, b)
	return b, nil
}

func (m *memory) release() (err error) {
	for _, b := range m.blocks {
		if e := vfs.Free(b); err == nil {
			err = e
		}
	}
	m.blocks = nil
	return err
}

// words is b, which alloc returned, as words of eight bytes.
func words(b []byte) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/8)
}
