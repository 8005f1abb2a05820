package deflate

// An item is a literal or a match, packed for the writing loop, which treats both alike:
//
//	bits 0-8    the byte, or matchFlag + the match length less minMatch
//	bits 9-13   the distance symbol; noDistance for a literal
//	bits 14-26  the extra bits of the distance
type item = uint32

const (
	matchFlag   = 256
	noDistance  = distCount
	distShift   = 9
	extraShift  = 14
	literalItem = noDistance << distShift
)

// items is a block in the making. Its methods take and return the number of items, which the
// loops keep in a register.
type items struct {
	list   [1 << 16]item // more than MaxInput, so that an index of 16 bits needs no check
	litLen [512]uint32   // occurrences of bits 0-8
	dist   [32]uint32    // occurrences of distance symbols
}

func (t *items) reset() {
	clear(t.litLen[:])
	clear(t.dist[:])
}

func (t *items) literal(used uint, b byte) uint {
	t.list[used&0xffff] = literalItem | item(b)
	t.litLen[b]++
	return used + 1
}

// match adds a match of minMatch to maxMatch bytes, 1 to maxDistance back.
func (t *items) match(used, length, distance uint) uint {
	s := distSymbol(distance - 1)
	extra := (distance - 1) & (1<<(distExtra(s)&15) - 1)
	k := matchFlag + length - minMatch
	t.list[used&0xffff] = item(k | s<<distShift | extra<<extraShift)
	t.litLen[k&511]++
	t.dist[s&31]++
	return used + 1
}

// counts fills freq with the occurrences of all symbols, the end of the block included.
func (t *items) counts(freq *symbols[uint32]) {
	copy(freq[:endOfBlock], t.litLen[:])
	freq[endOfBlock] = 1
	clear(freq[firstLength:firstDist])
	for i, n := range t.litLen[matchFlag:] {
		freq[firstLength+int(lengthCode[i])] += n
	}
	copy(freq[firstDist:], t.dist[:distCount])
}
