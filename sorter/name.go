package sorter

import "slices"

// nameStart is where a record's name begins; its length, with a NUL, is at nameLen.
const (
	nameStart = 36
	nameLen   = 12
)

// nameOf returns the name of a record with block_size, or nil where it has none within its bounds.
func nameOf(rec []byte) []byte {
	if len(rec) <= nameStart {
		return nil
	}
	end := nameStart + int(rec[nameLen]) - 1
	if end < nameStart || end > len(rec) {
		return nil
	}
	return rec[nameStart:end:end]
}

// compareNames is the order of `samtools sort -n` (1.16): bytes by value, but runs of digits as
// numbers, and of equal numbers first the one with more leading zeros.
func compareNames(a, b []byte) int {
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		if !isDigit(a[i]) || !isDigit(b[j]) {
			if a[i] != b[j] {
				return int(a[i]) - int(b[j])
			}
			i++
			j++
			continue
		}
		var c int
		if i, j, c = compareNumbers(a, b, i, j); c != 0 {
			return c
		}
	}
	switch {
	case i < len(a):
		return 1
	case j < len(b):
		return -1
	}
	return 0
}

// compareNumbers compares the numbers at a[i] and b[j], and returns where they end.
func compareNumbers(a, b []byte, i, j int) (int, int, int) {
	for i < len(a) && a[i] == '0' {
		i++
	}
	for j < len(b) && b[j] == '0' {
		j++
	}
	diff := 0
	for i < len(a) && j < len(b) && isDigit(a[i]) && isDigit(b[j]) {
		if diff == 0 {
			diff = int(a[i]) - int(b[j])
		}
		i++
		j++
	}
	switch {
	case i < len(a) && isDigit(a[i]): // longer, and so larger
		return i, j, 1
	case j < len(b) && isDigit(b[j]):
		return i, j, -1
	case diff == 0: // what came before is the same, so j-i counts zeros
		return i, j, j - i
	}
	return i, j, diff
}

func isDigit(c byte) bool { return c-'0' < 10 }

// sortByName puts the entries in the order of their names, and of the ordinals where those are
// equal: the records lie from the end of the buffer down in that order.
func (b *buffer) sortByName() {
	slices.SortFunc(b.sorted, func(x, y entry) int {
		if c := compareNames(nameOf(b.record(x)), nameOf(b.record(y))); c != 0 {
			return c
		}
		if x.at > y.at {
			return -1
		}
		return 1
	})
}

// beforeByName is leaf.before for the heads of the sources of a merge by name.
func (m *Merger) beforeByName(a, b leaf) bool {
	n := uint64(len(m.sources))
	if a.src >= n || b.src >= n {
		return a.src < n
	}
	if c := compareNames(m.sources[a.src].name, m.sources[b.src].name); c != 0 {
		return c < 0
	}
	return a.before(b)
}

// inOrder reports whether the record at the head of s, of rank first, does not sort before the last one.
func (m *Merger) inOrder(first leaf, s *source) bool {
	if m.sorter.cfg.Order != Name {
		return m.current == nil || !first.before(m.last)
	}
	ok := m.current == nil || compareNames(m.lastName, s.name) <= 0
	m.lastName = append(m.lastName[:0], s.name...)
	return ok
}
