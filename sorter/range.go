package sorter

import "sort"

// maxMergers is more ranges at once than any use was found for.
const maxMergers = 1024

// keyRange is the keys from first to last, both included.
type keyRange struct{ first, last Key }

var everything = keyRange{0, Unplaced}

// partOf is the range of part i: from cut i-1 to below cut i, and in the last part to the end.
func partOf(cuts []Key, i int) keyRange {
	k := everything
	if i > 0 {
		k.first = cuts[i-1]
	}
	switch {
	case i == len(cuts):
	case cuts[i] > k.first:
		k.last = cuts[i] - 1
	default:
		k = keyRange{1, 0}
	}
	return k
}

// of returns the part of sorted entries that is in the range.
func (k keyRange) of(sorted []entry) []entry {
	if k == everything {
		return sorted
	}
	from := sort.Search(len(sorted), func(i int) bool { return sorted[i].key >= k.first })
	to := sort.Search(len(sorted), func(i int) bool { return sorted[i].key > k.last })
	return sorted[from:to]
}

// frame returns the number of the first frame that may hold keys of the range: the one before the
// first that begins in it or beyond.
func (k keyRange) frame(frames []frameStart) int {
	return max(0, sort.Search(len(frames), func(i int) bool { return frames[i].key >= k.first })-1)
}

// Close ends a merge, finished or not, and gives its memory back. It may be called again.
func (m *Merger) Close() error {
	m.sorter.mu.Lock()
	delete(m.sorter.mergers, m)
	m.sorter.mu.Unlock()
	if m.err == nil {
		m.err = errClosed
	}
	return m.close()
}
