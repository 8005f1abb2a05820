package sorter

import (
	"errors"
	"sync"
	"unsafe"
)

// cell counts the records of one range of keys: those k with k>>shift == bucket.
type cell struct {
	bucket Key
	count  uint64
}

const cellBytes = int64(unsafe.Sizeof(cell{}))

// histogram counts placed records by ranges of keys. Ranges begin as single positions and double
// when there are more distinct ones than cells, so shift is the least for which all keys so far
// fit: it depends on the set of keys, and not on the order in which they came.
type histogram struct {
	mu     sync.Mutex
	shift  uint
	cells  []cell // ascending by bucket
	spare  []cell // as large; add builds the next cells in it
	blocks [2][]byte
}

func (h *histogram) open(mem *account, cells int) error {
	for i := range h.blocks {
		b, err := mem.alloc(int64(cells) * cellBytes)
		if err != nil {
			return err
		}
		h.blocks[i] = b
	}
	h.shift = strandBits
	h.cells, h.spare = cellsIn(h.blocks[0]), cellsIn(h.blocks[1])
	return nil
}

// cellsIn uses the memory of a mapping, which starts at a page, for cells.
func cellsIn(b []byte) []cell {
	return unsafe.Slice((*cell)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(cellBytes))[:0]
}

func (h *histogram) close(mem *account) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cells, h.spare = nil, nil
	err := errors.Join(mem.release(h.blocks[0]), mem.release(h.blocks[1]))
	h.blocks = [2][]byte{}
	return err
}

// add counts the keys of entries in ascending order. Unplaced ones are left out.
func (h *histogram) add(sorted []entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old, oldShift := h.cells, h.shift
	h.cells, h.spare = h.spare[:0], h.cells
	for len(old) > 0 && len(sorted) > 0 && sorted[0].key != Unplaced {
		if c := old[0]; c.bucket<<oldShift <= sorted[0].key {
			h.count(c.bucket<<oldShift, c.count)
			old = old[1:]
			continue
		}
		h.count(sorted[0].key, 1)
		sorted = sorted[1:]
	}
	for _, c := range old {
		h.count(c.bucket<<oldShift, c.count)
	}
	for _, e := range sorted {
		if e.key == Unplaced {
			break
		}
		h.count(e.key, 1)
	}
}

// count adds n records at a key that is not below the last one counted in this add.
func (h *histogram) count(k Key, n uint64) {
	for {
		last := len(h.cells) - 1
		if last >= 0 && h.cells[last].bucket == k>>h.shift {
			h.cells[last].count += n
			return
		}
		if last+1 < cap(h.cells) {
			h.cells = append(h.cells, cell{k >> h.shift, n})
			return
		}
		h.coarsen()
	}
}

// coarsen doubles the ranges.
func (h *histogram) coarsen() {
	h.shift++
	kept := h.cells[:0]
	for _, c := range h.cells {
		c.bucket >>= 1
		if last := len(kept) - 1; last >= 0 && kept[last].bucket == c.bucket {
			kept[last].count += c.count
			continue
		}
		kept = append(kept, c)
	}
	h.cells = kept
}

// Cuts returns n-1 ascending keys that cut the records into n parts of about the same number:
// part i has the keys from cut i-1 to below cut i. A part may be empty. Unplaced records belong
// to the last part and are not weighed. Cuts depend on the set of keys only, not on workers or
// memory, and fall between positions. Prepare must have returned, Close not been called, and the
// order be Coordinate.
func (s *Sorter) Cuts(n int) []Key {
	h := &s.hist
	h.mu.Lock()
	defer h.mu.Unlock()
	var total uint64
	for _, c := range h.cells {
		total += c.count
	}
	cuts := make([]Key, 0, max(n-1, 0))
	var below uint64 // records before cells[i]
	i := 0
	for part := 1; part < n; part++ {
		rank := total / uint64(n) * uint64(part)
		rank += total % uint64(n) * uint64(part) / uint64(n)
		for i < len(h.cells) && below+h.cells[i].count <= rank {
			below += h.cells[i].count
			i++
		}
		cuts = append(cuts, h.cutAt(i, rank-below))
	}
	return cuts
}

// cutAt returns the border of cell i that is nearer to the record of a rank within it.
func (h *histogram) cutAt(i int, rank uint64) Key {
	if i == len(h.cells) {
		return Unplaced
	}
	c := h.cells[i]
	if rank <= c.count-rank {
		return c.bucket << h.shift
	}
	return (c.bucket + 1) << h.shift
}
