package sorter

import (
	"fmt"
	"sync"

	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/klauspost/compress/s2"
	"golang.org/x/sys/unix"
)

// tuning has the sizes that tests make small to meet every edge.
type tuning struct {
	frame int   // bytes of a frame before compression; a merge holds two for each run
	files int   // runs open at once; 0 asks the system
	slab  int64 // bytes of the least useful slab, both buffers, and of a record that always fits
	cells int   // of the histogram; results of Cuts depend on it
}

var standard = tuning{
	frame: 256 << 10,
	slab:  2 << 20,
	cells: 32 << 10, // 128 KiB of human genome each, 1 MiB of memory
}

const (
	// reserveShare of the memory is kept for merge buffers: a larger part would cost slab
	// space in every run, a smaller one more often a spill before the merge.
	reserveShare = 16
	// reserveRuns bounds the reserve: merging more runs than this at once is rarely needed.
	reserveRuns = 256
	// leastFanIn is the number of runs that the least memory can merge at once.
	leastFanIn = 4
	// maxLoaders is how many goroutines read and decompress runs; each does over 1 GB/s.
	maxLoaders = 4
	// encoderTable is what s2 holds on the heap for each encoder at work.
	encoderTable = 64 << 10
	pageBytes    = 4 << 10
)

// storedMax is the most a frame takes in a file after its header.
func (t tuning) storedMax() int { return s2.MaxEncodedLen(t.frame) }

// writerBytes is the memory of one run being written: a frame, and the same compressed.
func (t tuning) writerBytes() int64 {
	return pages(int64(t.frame+frameHeader+t.storedMax())) + encoderTable
}

// loaderBytes is the memory of one goroutine that reads frames.
func (t tuning) loaderBytes() int64 { return int64(t.storedMax() + 2*frameHeader) }

// runBytes is the memory that each run takes while it is merged: one frame in use, one ahead.
func (t tuning) runBytes() int64 { return 2 * int64(t.frame) }

// mergeBytes is the memory of a merge of some runs whose longest body has body bytes: the
// loaders, one buffer to read bodies, and the writer of an intermediate merge.
func (t tuning) mergeBytes(workers, runs int, body int64) int64 {
	n := int64(runs)*t.runBytes() + int64(loaders(workers)+1)*t.loaderBytes() + t.writerBytes() + body
	return pages(n)
}

func (t tuning) histogramBytes() int64 { return 2 * pages(int64(t.cells)*cellBytes) }

func (t tuning) minMem(workers int) int64 {
	stream := int64(workers) * (pages(t.slab) + t.writerBytes())
	return t.histogramBytes() + max(stream, t.mergeBytes(workers, leastFanIn, t.slab))
}

// reserve is what is left beside the slabs: enough for all workers to spill at once, and
// later for merging a good number of runs.
func (t tuning) reserve(workers int, mem int64) int64 {
	n := min(mem/reserveShare, t.mergeBytes(workers, reserveRuns, 0))
	return max(n, int64(workers)*t.writerBytes())
}

// maxRecord is the longest record that mem bytes can sort.
func (t tuning) maxRecord(workers int, mem int64) int64 {
	return min(mem-t.histogramBytes()-t.mergeBytes(workers, 2, pageBytes), maxBlockSize)
}

func loaders(workers int) int { return min(max(workers, 1), maxLoaders) }

// MinMem is the least Config.MemBytes for a number of workers, in bytes.
func MinMem(workers int) int64 { return standard.minMem(max(workers, 1)) }

// MemoryError says that Config.MemBytes is too small, and what would do.
type MemoryError struct {
	Have   int64 // bytes, Config.MemBytes
	Least  int64 // bytes
	Record int64 // bytes of the record that does not fit; 0 if nothing would
}

// Error names both sizes.
func (e *MemoryError) Error() string {
	if e.Record > 0 {
		return fmt.Sprintf("sorter: a record of %d bytes needs %d bytes of memory for sorting instead of %d", e.Record, e.Least, e.Have)
	}
	return fmt.Sprintf("sorter: %d bytes of memory are too little, the least is %d", e.Have, e.Least)
}

// account hands out memory outside the Go heap and holds the sum of it to a limit.
type account struct {
	mu                sync.Mutex
	limit, used, peak int64 // bytes
}

// take charges n bytes that lie elsewhere.
func (a *account) take(n int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used+n > a.limit {
		return fmt.Errorf("sorter: %d bytes more than the %d allowed (bug)", a.used+n-a.limit, a.limit)
	}
	a.used += n
	a.peak = max(a.peak, a.used)
	return nil
}

func (a *account) put(n int64) {
	a.mu.Lock()
	a.used -= n
	a.mu.Unlock()
}

func (a *account) free() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.limit - a.used
}

// alloc returns n zeroed bytes, of which each page costs memory when it is first used. The
// account is charged at once. release takes them back.
func (a *account) alloc(n int64) ([]byte, error) {
	if err := a.take(pages(n)); err != nil {
		return nil, err
	}
	b, err := vfs.Alloc(int(n))
	if err != nil {
		a.put(pages(n))
		return nil, fmt.Errorf("sorter: %w", err)
	}
	return b, nil
}

// release gives b back, which is what alloc returned, or nil.
func (a *account) release(b []byte) error {
	if b == nil {
		return nil
	}
	a.put(pages(int64(len(b))))
	return vfs.Free(b)
}

func pages(n int64) int64 { return (n + pageBytes - 1) &^ (pageBytes - 1) }

// othersFiles is what the rest of the program may have open: inputs, outputs, the kernel's counters, one of them for each thread.
const othersFiles = 320

// fileLimit is how many runs may be open at once: the process's limit without what the rest
// of the program may have open.
func fileLimit() int {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 128
	}
	n := int(min(r.Cur, 1<<20))
	return max(n-othersFiles, n/2, 2)
}
