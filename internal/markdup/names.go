package markdup

import (
	"bytes"
	"sync"
)

const (
	maxName = 254 // bytes of a read name in BAM
	// maxPrefixes and prefixBytes bound the table of prefixes; names that find no place in it are
	// kept whole, which costs their length in each signature.
	maxPrefixes = 1 << 15
	prefixBytes = 1 << 20
)

// names holds the starts of names that many reads share, such as the lane and tile of a flow cell.
// Number 0 is the empty start. Safe for concurrent use.
type names struct {
	mu     sync.RWMutex
	starts []string
	bytes  int
	number map[string]uint16
}

func newNames() *names {
	return &names{starts: []string{""}, number: map[string]uint16{"": 0}}
}

// append appends the name of a pair to dst.
func (n *names) append(dst []byte, s signature) []byte {
	return append(append(dst, n.start(s.prefix())...), s.rest()...)
}

func (n *names) start(number uint16) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.starts[number]
}

// find returns the number of a start, and whether there is one; a new one is entered.
func (n *names) find(start []byte) (uint16, bool) {
	n.mu.RLock()
	number, ok := n.number[string(start)]
	n.mu.RUnlock()
	if ok {
		return number, true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if number, ok = n.number[string(start)]; ok {
		return number, true
	}
	if len(n.starts) == maxPrefixes || n.bytes+len(start) > prefixBytes {
		return 0, false
	}
	number = uint16(len(n.starts))
	own := string(start)
	n.starts = append(n.starts, own)
	n.number[own] = number
	n.bytes += len(own)
	return number, true
}

// nameCutter splits the names of one worker; neighbours in the input share their start.
type nameCutter struct {
	names  *names
	last   []byte
	number uint16
}

// cut returns the number of name's start and the rest of it.
func (c *nameCutter) cut(name []byte) (uint16, []byte) {
	if len(c.last) > 0 && bytes.HasPrefix(name, c.last) {
		return c.number, name[len(c.last):]
	}
	at := startOf(name)
	number, ok := c.names.find(name[:at])
	if !ok {
		return 0, name
	}
	c.last, c.number = append(c.last[:0], name[:at]...), number
	return number, name[at:]
}

// tileColons is the number of colons in front of x and y in Illumina's names of 2011 and later:
// instrument:run:flowcell:lane:tile:x:y, perhaps with more behind.
const tileColons = 5

// startOf is the length of what name probably shares with its neighbours: up to the tile, or all
// but the number, or the two with a colon between them, at its end.
func startOf(name []byte) int {
	colons := 0
	for i, c := range name {
		if c == ':' {
			if colons++; colons == tileColons && bytes.IndexByte(name[i+1:], ':') >= 0 {
				return i + 1
			}
		}
	}
	at := beforeDigits(name, len(name))
	if at > 1 && name[at-1] == ':' {
		at = beforeDigits(name, at-1)
	}
	return at
}

func beforeDigits(name []byte, at int) int {
	for at > 0 && name[at-1] >= '0' && name[at-1] <= '9' {
		at--
	}
	return at
}
