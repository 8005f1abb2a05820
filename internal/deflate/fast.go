package deflate

import (
	"math/bits"
	"unsafe"
)

const (
	fastBits = 13 // of the hash: the table, of 16 KiB, stays in the first cache
	// patience is after how many literals in a row every second place is tried only. What
	// that misses of a match is found by going backwards.
	patience = 32
)

// settings of a fast matcher.
type settings struct {
	// shortest is the length, 6 to 8, of the shortest match looked for. With 4, 5, 6, 7 and
	// 8, of 33.5 MB level 1 makes 8.3, 8.1, 8.0, 7.9 and 8.0 MB where qualities are of four
	// bins, and 15.0, 14.8, 14.8, 15.1 and 15.4 MB where they are of 40 levels. From 6 on each
	// byte more gains 1 to 9 % of speed: there are fewer matches to find and to mispredict.
	shortest uint
	// stride is how far apart the places inside a match are that enter the table. The
	// smaller, the longer the matches, and the time.
	stride uint
}

// A fast matcher knows one place per hash.
type fast struct {
	settings
	table [1 << fastBits]uint16
}

// parse takes src apart into items, and returns how many there are.
//
// A table entry that was never set says place 0, which is as good as any: what it says is
// compared. Two words are loaded at i and below, where i < end, and one at places inside a
// match, which is why the loop ends before it enters any when the match goes beyond end.
func (f *fast) parse(t *items, src []byte) int {
	n := uint(len(src))
	if n <= slack {
		return literals(t, 0, src)
	}
	clear(f.table[:])
	in := unsafe.Pointer(unsafe.SliceData(src))
	used := t.literal(0, src[0])
	end := n - slack
	ignored := (64 - 8*f.shortest) & 63 // bits of a word, from above, that need not match
	next := uint(1)                     // the end of the last match
	i := uint(1)
	for i < end {
		v := load64(in, i)
		h := hash(v<<ignored, fastBits) & (1<<fastBits - 1)
		c := uint(f.table[h])
		f.table[h] = uint16(i)
		x := load64(in, c) ^ v
		if x<<ignored != 0 || i-c > maxDistance {
			used = t.literal(used, byte(v))
			i++
			if i > next+patience {
				used = t.literal(used, byte(v>>8))
				i++
			}
			continue
		}
		l := uint(bits.TrailingZeros64(x)) / 8
		if x == 0 {
			if y := load64(in, c+8) ^ load64(in, i+8); y != 0 {
				l = 8 + uint(bits.TrailingZeros64(y))/8
			} else {
				l = extend(in, c, i, 16, min(maxMatch, n-i))
			}
		}
		for i > next && c > 0 && l < maxMatch && load8(in, i-1) == load8(in, c-1) {
			i--
			c--
			l++
			used--
			t.count[load8(in, i)]--
		}
		used = t.match(used, l, i-c)
		next = i + l
		if next >= end {
			i = next
			break
		}
		for j := i + 1; j < next-1; j += f.stride {
			f.table[hash(load64(in, j)<<ignored, fastBits)&(1<<fastBits-1)] = uint16(j)
		}
		f.table[hash(load64(in, next-1)<<ignored, fastBits)&(1<<fastBits-1)] = uint16(next - 1)
		i = next
	}
	return literals(t, used, src[i:])
}

// literals adds rest to the items, and returns how many there are.
func literals(t *items, used uint, rest []byte) int {
	for _, b := range rest {
		used = t.literal(used, b)
	}
	return int(used)
}
