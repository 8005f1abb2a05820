//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import "sync"

const (
	maxCode    = 15  // bits of the longest code word
	endOfBlock = 256 // symbol
	maxLit     = 288 // literals, end of block, lengths
	usedLit    = 286 // the fixed code has two words more, which mean nothing
	maxDist    = 32
	usedDist   = 30
	maxPre     = 19 // code for code lengths
	preBits    = 7

	// litBits bits of input find two literals or a whole match at once, as a rule. More would find
	// more of them, but the table, of 8 KiB, shares the first-level cache with the data, and is
	// made for every block.
	litBits = 10
	// litSize holds the table and its subtables. One of 2^s entries takes at least s+1 symbols, so
	// that a symbol has no more than 32/6 of them, where words have at most 5 bits more.
	litSize = 1<<litBits + maxLit*32/6

	distBits = 9
	distSize = 1<<distBits + maxDist*64/7
)

// valueCode is a symbol that stands for base and what extra bits add to it.
type valueCode struct{ base, extra uint }

// lengthCodes are the symbols from 257 on.
var lengthCodes = [usedLit - endOfBlock - 1]valueCode{
	{3, 0}, {4, 0}, {5, 0}, {6, 0}, {7, 0}, {8, 0}, {9, 0}, {10, 0}, {11, 1}, {13, 1}, {15, 1}, {17, 1}, {19, 2}, {23, 2}, {27, 2},
	{31, 2}, {35, 3}, {43, 3}, {51, 3}, {59, 3}, {67, 4}, {83, 4}, {99, 4}, {115, 4}, {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0},
}

var distCodes = [usedDist]valueCode{
	{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 1}, {7, 1}, {9, 2}, {13, 2}, {17, 3}, {25, 3}, {33, 4}, {49, 4}, {65, 5}, {97, 5}, {129, 6},
	{193, 6}, {257, 7}, {385, 7}, {513, 8}, {769, 8}, {1025, 9}, {1537, 9}, {2049, 10}, {3073, 10}, {4097, 11}, {6145, 11},
	{8193, 12}, {12289, 12}, {16385, 13}, {24577, 13},
}

// preRuns are the symbols from 16 on of the code for code lengths.
var preRuns = [3]valueCode{{3, 2}, {3, 3}, {11, 7}}

// codes are the three codes of a block.
type codes struct {
	lit  litCode
	dist distCode
	pre  preCode
}

// canonical is a code as RFC 1951 defines it: the words of a length follow each other in the
// order of their symbols, and those of the next length follow them.
type canonical struct {
	count   [maxCode + 1]uint16 // words of each length
	symbols [maxLit]uint16      // in the order of their words
}

// sort takes the code lengths of all symbols. It refuses what is neither complete, nor empty,
// nor one word of one bit, which is how a single symbol is coded. An empty code is no error as
// long as nothing is decoded with it.
func (c *canonical) sort(lens []uint8) bool {
	c.count = [maxCode + 1]uint16{}
	for _, n := range lens {
		c.count[n&15]++
	}
	used := len(lens) - int(c.count[0])
	c.count[0] = 0
	left := 1
	var at [maxCode + 1]uint16
	for n := 1; n <= maxCode; n++ {
		at[n] = at[n-1] + c.count[n-1]
		left = left<<1 - int(c.count[n])
		if left < 0 {
			return false
		}
	}
	for i, n := range lens {
		if n != 0 {
			c.symbols[at[n&15]] = uint16(i)
			at[n&15]++
		}
	}
	return left == 0 || used == 0 || used == 1 && c.count[1] == 1
}

// entry is what the next bits of the input mean: literals, a match, or something special.
//
//	63 62        48 47       32 31      22 21    16 15 14 13    8 7   6 5        0
//	┌─┬────────────┬───────────┬──────────┴────────┴─────┴───────┬─────┬──────────┐
//	│ │     0      │     0     │ literals, the first lowest      │  n  │   drop   │ n literals, n is 1 or 2
//	├─┼────────────┼───────────┼──────────┬────────┬─────┬───────┼─────┼──────────┤
//	│0│    mask    │   base    │  length  │  word  │  0  │ drop  │  0  │    0     │ a match
//	├─┼────────────┼───────────┼──────────┼────────┼─────┼───────┼─────┼──────────┤
//	│1│ kind       │   mask    │  base    │  word  │  0  │ drop  │  0  │    0     │ kindLength
//	│1│ kind       │   start   │    0     │   s    │  0  │   0   │  0  │    0     │ kindSub: see the subtable of s bits
//	│1│ kind       │     0     │    0     │   0    │  0  │ drop  │  0  │    0     │ kindEnd
//	└─┴────────────┴───────────┴──────────┴────────┴─────┴───────┴─────┴──────────┘
//
// drop is how many bits the entry uses up; that of literals has a place of its own, where other
// entries have 0. Of those bits, the ones behind the first word bits and under mask are added to
// base: that is the distance of a match, or the length in an entry where the distance is still to
// be found. The entry of a distance is a match of length 0, so that the sum of the two entries is
// a match.
type entry uint64

const (
	countShift  = 6
	countMask   = 3 << countShift
	litShift    = 8
	dropShift   = 8
	wordShift   = 16
	lengthShift = 22
	baseShift   = 32
	maskShift   = 48
	special     = 1 << 63
	kindLength  = special | 1<<48
	kindSub     = special | 2<<48
	kindEnd     = special | 3<<48 // of the block
	kindNone    = special | 4<<48 // no code word
	kindMask    = special | 7<<48
)

// sub is the place of the entry in the subtable that e names; hold begins with its bits. Where
// these name none, which cannot be, the table's bounds do the rest.
func (e entry) sub(hold uint64) uint {
	return uint(e>>baseShift&0xffff) + uint(hold&(1<<(e>>wordShift&63)-1))
}

// litEntry is the entry of a literal or length whose word has n bits.
func litEntry(symbol uint16, n int) entry {
	switch {
	case symbol < endOfBlock:
		return entry(n) | 1<<countShift | entry(symbol)<<litShift
	case symbol == endOfBlock:
		return entry(n)<<dropShift | kindEnd
	case symbol >= usedLit:
		return kindNone
	}
	l := &lengthCodes[symbol-endOfBlock-1]
	return kindLength | (entry(n)+entry(l.extra))<<dropShift | entry(n)<<wordShift | entry(l.base)<<lengthShift | entry(1<<l.extra-1)<<baseShift
}

// distEntry is the entry of a distance.
func distEntry(symbol uint16, n int) entry {
	if symbol >= usedDist {
		return kindNone
	}
	d := &distCodes[symbol]
	return (entry(n)+entry(d.extra))<<dropShift | entry(n)<<wordShift | entry(d.base)<<baseShift | entry(1<<d.extra-1)<<maskShift
}

// item is a code word of one or several symbols, and what it means.
type item struct {
	word  uint32 // reversed
	entry entry
}

// items are code words in the order of their lengths.
type items struct {
	list []item
	to   [litBits + 1]uint16 // where in list the words of so many bits end
}

func (l *items) of(n int) []item { return l.list[l.to[n-1]:l.to[n]] }

// litCode finds literals and matches. Its table has an entry for each value of litBits bits:
// two literals or one, a match if all but its extra bits fit, else what is special.
type litCode struct {
	table    [litSize]entry
	slow     canonical
	literals items
	lengths  items // those without extra bits
}

// build makes the table of the code with these lengths, and of dist's words behind it.
func (c *litCode) build(lens []uint8, dist *distCode) bool {
	if !c.slow.sort(lens) {
		return false
	}
	c.table[0], c.table[1] = kindNone, kindNone // and with it what no word fills
	literals, lengths := c.literals.list[:0], c.lengths.list[:0]
	word, index, size := uint(0), 0, 2
	for n := 1; n <= litBits; n++ {
		for range c.slow.count[n] {
			symbol := c.slow.symbols[index]
			at, e := reversed(word, n), litEntry(symbol, n)
			c.table[at] = e
			switch {
			case symbol < endOfBlock:
				literals = append(literals, item{uint32(at), e})
			case symbol > endOfBlock && symbol < usedLit && lengthCodes[symbol-endOfBlock-1].extra == 0:
				lengths = append(lengths, item{uint32(at), e &^ kindMask})
			}
			word++
			index++
		}
		c.literals.list, c.literals.to[n] = literals, uint16(len(literals))
		c.lengths.list, c.lengths.to[n] = lengths, uint16(len(lengths))
		c.pairs(n)
		c.matches(n, dist)
		word <<= 1
		if n < litBits {
			copy(c.table[size:2*size], c.table[:size])
			size *= 2
		}
	}
	subtables(c.table[:], &c.slow, litBits, word, index, litEntry)
	return true
}

// pairs enters the pairs of literals whose words have n bits together. They go where the first
// literal alone was, found with fewer bits.
func (c *litCode) pairs(n int) {
	for n1 := 1; n1 < n; n1++ {
		second := c.literals.of(n - n1)
		if len(second) == 0 {
			continue
		}
		for _, a := range c.literals.of(n1) {
			for _, b := range second {
				c.table[(a.word|b.word<<n1)&(1<<litBits-1)] = a.entry + b.entry&0xff + b.entry&^0xff<<8
			}
		}
	}
}

// matches enters the lengths and distances whose words have n bits together.
func (c *litCode) matches(n int, dist *distCode) {
	for n1 := max(1, n-distBits); n1 < n; n1++ {
		second := dist.words.of(n - n1)
		if len(second) == 0 {
			continue
		}
		for _, a := range c.lengths.of(n1) {
			for _, b := range second {
				c.table[(a.word|b.word<<n1)&(1<<litBits-1)] = a.entry + b.entry
			}
		}
	}
}

// subtables enters the words longer than bits, from the one at index on.
func subtables(table []entry, c *canonical, bits int, word uint, index int, of func(symbol uint16, n int) entry) {
	next, prefix, sub, start := 1<<bits, uint(1<<bits), 0, 0
	for n := bits + 1; n <= maxCode; n++ {
		for i := 0; i < int(c.count[n]); i++ {
			at := reversed(word, n)
			if p := at & (1<<bits - 1); p != prefix {
				prefix, start = p, next
				sub = subBits(&c.count, n, bits, i)
				next += 1 << sub
				table[p] = kindSub | entry(sub)<<wordShift | entry(start)<<baseShift
			}
			// The bits that found the subtable are gone by then.
			e := of(c.symbols[index], n-bits)
			for j := at >> bits; j < 1<<sub; j += 1 << (n - bits) {
				table[start+int(j)] = e
			}
			word++
			index++
		}
		word <<= 1
	}
}

// subBits is how many bits the subtable needs that begins with the i-th word of n bits: until
// the words that follow have filled it.
func subBits(count *[maxCode + 1]uint16, n, tableBits, i int) int {
	bits := n - tableBits
	for used := int(count[n]) - i; used < 1<<bits && tableBits+bits < maxCode; {
		bits++
		used = used<<1 + int(count[tableBits+bits])
	}
	return bits
}

// distCode finds the distance behind a length.
type distCode struct {
	table [distSize]entry
	slow  canonical
	words items
}

// build makes the table of the code with these lengths.
func (c *distCode) build(lens []uint8) bool {
	if !c.slow.sort(lens) {
		return false
	}
	c.table[0], c.table[1] = kindNone, kindNone
	word, index, size := uint(0), 0, 2
	c.words.list = c.words.list[:0]
	for n := 1; n <= distBits; n++ {
		for range c.slow.count[n] {
			at, e := reversed(word, n), distEntry(c.slow.symbols[index], n)
			c.table[at] = e
			if e < special {
				c.words.list = append(c.words.list, item{uint32(at), e})
			}
			word++
			index++
		}
		c.words.to[n] = uint16(len(c.words.list))
		word <<= 1
		if n < distBits {
			copy(c.table[size:2*size], c.table[:size])
			size *= 2
		}
	}
	subtables(c.table[:], &c.slow, distBits, word, index, distEntry)
	return true
}

// preCode is the code for code lengths. An entry has the symbol above three bits for the length
// of its word; 0 is no word.
type preCode struct {
	table [1 << preBits]uint8
	slow  canonical
}

func (c *preCode) build(lens []uint8) bool {
	if !c.slow.sort(lens) {
		return false
	}
	clear(c.table[:])
	word, index := uint(0), 0
	for n := 1; n <= preBits; n++ {
		for range c.slow.count[n] {
			for at := reversed(word, n); at < 1<<preBits; at += 1 << n {
				c.table[at] = uint8(c.slow.symbols[index])<<3 | uint8(n)
			}
			word++
			index++
		}
		word <<= 1
	}
	return true
}

// fixedCodes are those of blocks that bring none.
var fixedCodes = sync.OnceValue(func() *codes {
	var lens [maxLit + maxDist]uint8
	for i := range lens {
		switch {
		case i < 144:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		case i < maxLit:
			lens[i] = 8
		default:
			lens[i] = 5
		}
	}
	c := new(codes)
	c.dist.build(lens[maxLit:])
	c.lit.build(lens[:maxLit], &c.dist)
	return c
})
