package deflate

// An item is one symbol, packed for the writing loop, which treats all alike:
//
//	bits 0-9   a byte; matchFlag + a match length less minMatch; distFlag + a distance symbol
//	bits 10-22 the extra bits of the distance
//
// A match is two items, its length and its distance.
type item = uint32

const (
	matchFlag  = 256
	distFlag   = 512
	kinds      = 1024 // of bits 0-9
	extraShift = 10
)

// items is a block in the making. Its methods take and return the number of items, which the
// loops keep in a register. A match is of more bytes than it has items, so that there are never
// more than MaxInput of them.
type items struct {
	list  [1 << 16]item // more than MaxInput, so that an index of 16 bits needs no check
	count [kinds]uint32 // occurrences of bits 0-9
}

func (t *items) reset() { clear(t.count[:]) }

func (t *items) literal(used uint, b byte) uint {
	t.list[used&0xffff] = item(b)
	t.count[b]++
	return used + 1
}

// match adds a match of minMatch to maxMatch bytes, 1 to maxDistance back.
func (t *items) match(used, length, distance uint) uint {
	d := distance - 1
	n := distBits(d)
	k := matchFlag + length - minMatch
	s := distFlag + 2*n + d>>n
	t.list[used&0xffff] = item(k)
	t.list[(used+1)&0xffff] = item(s | (d&(1<<n-1))<<extraShift)
	t.count[k&(kinds-1)]++
	t.count[s&(kinds-1)]++
	return used + 2
}

// counts fills freq with the occurrences of all symbols, the end of the block included.
func (t *items) counts(freq *symbols[uint32]) {
	copy(freq[:endOfBlock], t.count[:])
	freq[endOfBlock] = 1
	clear(freq[firstLength:firstDist])
	for i, n := range t.count[matchFlag:distFlag] {
		freq[firstLength+int(lengthCode[i])] += n
	}
	copy(freq[firstDist:], t.count[distFlag:])
}
