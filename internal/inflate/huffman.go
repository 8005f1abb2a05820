package inflate

import "math/bits"

const (
	litBits  = 11 // of the first look-up of a literal or length; more would cost cache
	distBits = 8
	maxCode  = 15 // bits of the longest code of DEFLATE
	numLit   = 288
	numDist  = 32
)

// An entry of a table says what a code stands for.
//
//	31           16 15    14    13     12      8 7         0
//	┌──────────────┬─────┬─────┬──────┬─────────┬───────────┐
//	│ value        │ lit │ end │ more │ extra   │ code bits │
//	└──────────────┴─────┴─────┴──────┴─────────┴───────────┘
//
// The value is a literal, or a length or distance to which extra bits are added. With more, it is
// where a second table begins, which is indexed by extra bits that follow the first ones. 0 is no code.
const (
	entryLit  = 1 << 15
	entryEnd  = 1 << 14
	entryMore = 1 << 13

	extraShift = 8
	extraMask  = 0x1f
	valueShift = 16
)

// The tables have room for a second table below each long code.
type (
	litTable  [1<<litBits + numLit<<(maxCode-litBits)]uint32
	distTable [1<<distBits + numDist<<(maxCode-distBits)]uint32
)

// litEntries and distEntries are the entries of all symbols, without their code bits. lengthEntries
// are those of the code that code lengths are written in.
var litEntries, distEntries, lengthEntries = symbolEntries()

func symbolEntries() (lit [numLit]uint32, dist [numDist]uint32, length [19]uint32) {
	for i := range 256 {
		lit[i] = uint32(i)<<valueShift | entryLit
	}
	lit[256] = entryEnd
	base := uint32(3)
	for i := range 28 { // the 29th has a rule of its own
		extra := uint32(max(0, i/4-1))
		lit[257+i] = base<<valueShift | extra<<extraShift
		base += 1 << extra
	}
	lit[285] = 258 << valueShift
	base = 1
	for i := range 30 {
		extra := uint32(max(0, i/2-1))
		dist[i] = base<<valueShift | extra<<extraShift
		base += 1 << extra
	}
	for i := range length {
		length[i] = uint32(i) << valueShift
	}
	return lit, dist, length
}

// Symbols from these on have codes in the fixed tables, but must not occur.
const (
	validLit  = 286
	validDist = 30
)

// buildTable fills table for the code with these lengths, whose symbols stand for entries; those that
// are beyond valid stay without code. It reports false for a code that is over-full, or not full and of
// more than one symbol.
func buildTable(table []uint32, first uint, lens []uint8, entries []uint32, valid int) bool {
	var count [maxCode + 1]int
	longest := uint(0)
	for _, n := range lens {
		count[n]++
		longest = max(longest, uint(n))
	}
	clear(table[:1<<first])
	if longest == 0 {
		return true // a block without matches needs no distances; any code is an error then
	}
	var next [maxCode + 1]int
	code := 0
	for n := uint(1); n <= longest; n++ {
		code <<= 1
		next[n] = code
		code += count[n]
	}
	if code != 1<<longest && !(code == 1 && longest == 1) {
		return false
	}
	free := 1 << first // where the next second table goes
	for sym, n := range lens {
		if n == 0 {
			continue
		}
		r := int(bits.Reverse16(uint16(next[n])) >> (16 - n))
		next[n]++
		entry := entries[sym]
		if sym < valid {
			entry |= uint32(n)
		}
		if uint(n) <= first {
			for ; r < 1<<first; r += 1 << n {
				table[r] = entry
			}
			continue
		}
		second := longest - first
		head := &table[r&(1<<first-1)]
		if *head == 0 {
			*head = uint32(free)<<valueShift | entryMore | uint32(second)<<extraShift | uint32(first)
			clear(table[free : free+1<<second])
			free += 1 << second
		}
		sub := table[*head>>valueShift:]
		for r >>= first; r < 1<<second; r += 1 << (uint(n) - first) {
			sub[r] = entry
		}
	}
	return true
}
