//go:build !klauspost_inflate

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

	// litBits bits of input find one to three literals or a length at once. More bits find more
	// literals, but the table must share the first-level cache with the data.
	litBits = 11
	// litSize holds the table and its subtables: one for s more bits takes at least s+1 symbols,
	// so that at most 288/5 subtables of 16 fit beside it.
	litSize = 1 << (litBits + 1)

	distBits = 9
	distSize = 1 << (distBits + 1) // at most 32/7 subtables of 64 beside the table
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

// litEntry is what the next bits of the input mean.
//
//	31           24 23           16 15            8 7 6 5         0
//	┌──────────────┬───────────────┬───────────────┬───┬───────────┐
//	│  literal 3   │   literal 2   │   literal 1   │ n │   drop    │ n literals, n is 1 to 3
//	├──────────┬───┴───────┬───────┴───────────────┼───┼───────────┤
//	│ mask (8) │  word (7) │       base (9)        │ 0 │   drop    │ a length: base + (bits>>word & mask)
//	├──────────┴───┬─────┬─┴───────────────────────┼───┼───────────┤
//	│  start (12)  │ s(3)│        0 (9)            │ 0 │  litBits  │ go on in the subtable of s bits
//	├──────────────┼─────┼─────────────────────────┼───┼───────────┤
//	│      0       │  7  │        0                │ 0 │   drop    │ end of block
//	└──────────────┴─────┴─────────────────────────┴───┴───────────┘
//
// drop is how many bits the entry uses up, those of mask included. An entry 0 is no code word.
type litEntry uint32

const (
	litCount  = 3 << 6
	endSubBit = 7
)

type litCode struct {
	table [litSize]litEntry
	slow  canonical

	literals [endOfBlock]literal // in the order of their words
	from, to [litBits + 1]uint16 // the part of literals whose words have so many bits
}

// literal is a literal of a code, for the search for pairs.
type literal struct {
	word  uint32 // reversed
	entry litEntry
}

// symbolEntry is the entry of one symbol whose word has n bits.
func symbolEntry(symbol uint16, n int) litEntry {
	switch {
	case symbol < endOfBlock:
		return litEntry(n) | 1<<6 | litEntry(symbol)<<8
	case symbol == endOfBlock:
		return litEntry(n) | endSubBit<<17
	case symbol >= usedLit:
		return 0
	}
	l := &lengthCodes[symbol-endOfBlock-1]
	return litEntry(n) + litEntry(l.extra) | litEntry(l.base)<<8 | litEntry(n)<<17 | litEntry(1<<l.extra-1)<<24
}

// build makes the table of the code with these lengths.
func (c *litCode) build(lens []uint8) bool {
	if !c.slow.sort(lens) {
		return false
	}
	clear(c.table[:2]) // and with it what no word fills
	word, index, size := uint(0), 0, 2
	for n := 1; n <= litBits; n++ {
		c.from[n] = c.to[n-1]
		c.to[n] = c.from[n]
		for range c.slow.count[n] {
			symbol := c.slow.symbols[index]
			at, e := reversed(word, n), symbolEntry(symbol, n)
			c.table[at] = e
			if symbol < endOfBlock {
				c.literals[c.to[n]] = literal{uint32(at), e}
				c.to[n]++
			}
			word++
			index++
		}
		c.pairs(n)
		word <<= 1
		if n < litBits {
			copy(c.table[size:2*size], c.table[:size])
			size *= 2
		}
	}
	c.subtables(word, index)
	return true
}

// pairs enters the pairs of literals whose words have n bits together. They go where the first
// literal alone was, found with fewer bits.
func (c *litCode) pairs(n int) {
	for n1 := 1; n1 < n; n1++ {
		second := c.literals[c.from[n-n1]:c.to[n-n1]]
		if len(second) == 0 {
			continue
		}
		for _, a := range c.literals[c.from[n1]:c.to[n1]] {
			for _, b := range second {
				c.table[a.word|b.word<<n1] = a.entry + b.entry&0xff + b.entry&^0xff<<8
			}
		}
	}
}

// subtables enters the words longer than litBits, from the one at index on.
func (c *litCode) subtables(word uint, index int) {
	next, prefix, bits, start := 1<<litBits, uint(1<<litBits), 0, 0
	for n := litBits + 1; n <= maxCode; n++ {
		for i := 0; i < int(c.slow.count[n]); i++ {
			at := reversed(word, n)
			if p := at & (1<<litBits - 1); p != prefix {
				prefix, start = p, next
				bits = subBits(&c.slow.count, n, litBits, i)
				next += 1 << bits
				c.table[p] = litBits | litEntry(bits)<<17 | litEntry(start)<<20
			}
			e := symbolEntry(c.slow.symbols[index], n)
			if e != 0 {
				e -= litBits // of drop
				if e&litCount == 0 && e>>8&0x1ff != 0 {
					e -= litBits << 17
				}
			}
			for j := at >> litBits; j < 1<<bits; j += 1 << (n - litBits) {
				c.table[start+int(j)] = e
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

// distEntry is what the next bits mean behind a length.
//
//	63    48 47       32 31       16 15 14 13    8 7 6 5      0
//	┌───────┬───────────┬───────────┬─────┬───────┬───┬────────┐
//	│   0   │   mask    │   base    │  0  │ word  │ 0 │  drop  │ base + (bits>>word & mask)
//	├───────┼───────────┼───────────┼─────┼───────┼───┼────────┤
//	│   0   │   start   │     0     │  0  │   s   │ 0 │distBits│ go on in the subtable of s bits
//	└───────┴───────────┴───────────┴─────┴───────┴───┴────────┘
//
// An entry 0 is no code word.
type distEntry uint64

type distCode struct {
	table [distSize]distEntry
	slow  canonical
}

func distanceEntry(symbol uint16, n int) distEntry {
	if symbol >= usedDist {
		return 0
	}
	d := &distCodes[symbol]
	return distEntry(n) + distEntry(d.extra) | distEntry(n)<<8 | distEntry(d.base)<<16 | distEntry(1<<d.extra-1)<<32
}

// build makes the table of the code with these lengths.
func (c *distCode) build(lens []uint8) bool {
	if !c.slow.sort(lens) {
		return false
	}
	clear(c.table[:2])
	word, index, size := uint(0), 0, 2
	for n := 1; n <= distBits; n++ {
		for range c.slow.count[n] {
			c.table[reversed(word, n)] = distanceEntry(c.slow.symbols[index], n)
			word++
			index++
		}
		word <<= 1
		if n < distBits {
			copy(c.table[size:2*size], c.table[:size])
			size *= 2
		}
	}
	c.subtables(word, index)
	return true
}

// subtables enters the words longer than distBits, from the one at index on.
func (c *distCode) subtables(word uint, index int) {
	next, prefix, bits, start := 1<<distBits, uint(1<<distBits), 0, 0
	for n := distBits + 1; n <= maxCode; n++ {
		for i := 0; i < int(c.slow.count[n]); i++ {
			at := reversed(word, n)
			if p := at & (1<<distBits - 1); p != prefix {
				prefix, start = p, next
				bits = subBits(&c.slow.count, n, distBits, i)
				next += 1 << bits
				c.table[p] = distBits | distEntry(bits)<<8 | distEntry(start)<<32
			}
			e := distanceEntry(c.slow.symbols[index], n)
			if e != 0 {
				e -= distBits | distBits<<8
			}
			for j := at >> distBits; j < 1<<bits; j += 1 << (n - distBits) {
				c.table[start+int(j)] = e
			}
			word++
			index++
		}
		word <<= 1
	}
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
	c.lit.build(lens[:maxLit])
	c.dist.build(lens[maxLit:])
	return c
})
