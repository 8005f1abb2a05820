package deflate

import (
	"math/bits"
	"unsafe"
)

const (
	// minFound is the shortest match looked for. With 4, level 6 is a tenth to a third slower,
	// for 1 % less where qualities are of 40 levels, and 1 % more where they are of four bins.
	minFound = 5
	// chainBits are those of the hash. With 15, chains of other bytes cost level 6 a sixth of
	// its speed on qualities of 40 levels.
	chainBits = 16
)

// effort is how hard a lazy matcher tries.
type effort struct {
	depth  int  // candidates looked at per place
	nice   uint // a match this long is taken at once
	ahead  uint // how many places on a better match is looked for
	enough uint // a match this long is not bettered
	passes int  // each weighs matches with the codes of the one before
}

// A lazy matcher knows all places, in chains of equal hash from the last one back.
type lazy struct {
	effort
	head [1 << chainBits]uint16
	prev [1 << 16]uint16 // of those places that were entered
	cost costs
}

// A found match begins where it was looked for. One that saves nothing is none.
type found struct {
	length, distance uint
	saved            int // of the cost of its bytes as literals
}

// A lazyPass is one walk over an input.
type lazyPass struct {
	*lazy
	in  unsafe.Pointer
	n   uint // bytes of in
	end uint // words are loaded below it: n - slack
}

// parse takes src apart into items under z.cost, which prepare has set, and returns how many
// there are.
func (z *lazy) parse(t *items, src []byte) int {
	n := uint(len(src))
	if n <= slack {
		return literals(t, 0, src)
	}
	clear(z.head[:])
	p := lazyPass{z, unsafe.Pointer(unsafe.SliceData(src)), n, n - slack}
	used, i := uint(0), uint(0)
	for i < p.end {
		best := p.search(i, z.depth)
		if best.saved <= 0 {
			used = t.literal(used, src[i])
			i++
			continue
		}
		start, at := i, i+1 // at: the next place to enter
		for ; best.length < z.enough && at < p.end && at-start <= z.ahead; at++ {
			if other := p.search(at, z.depth/2+1); other.saved > best.saved {
				best, start = other, at
			}
		}
		for ; i < start; i++ {
			used = t.literal(used, src[i])
		}
		used = t.match(used, best.length, best.distance)
		i += best.length
		for stop := min(i, p.end); at < stop; at++ {
			p.enter(at, load64(p.in, at))
		}
	}
	return literals(t, used, src[i:])
}

// enter puts i, which holds v, at the head of its chain, and returns the head before it.
func (p *lazyPass) enter(i uint, v uint64) uint {
	h := hash(v<<(64-8*minFound), chainBits) & (1<<chainBits - 1)
	c := p.head[h]
	p.prev[i&0xffff] = c
	p.head[h] = uint16(i)
	return uint(c)
}

// search enters i, which is below end, and returns the match there that saves most. A chain ends
// at place 0, be it of that chain or not, and beyond maxDistance; it falls all the way, since
// no place is entered twice.
func (p *lazyPass) search(i uint, depth int) (best found) {
	v := load64(p.in, i)
	c := p.enter(i, v)
	low := max(i, maxDistance) - maxDistance
	limit := min(maxMatch, p.n-i)
	longest := uint(minFound - 1)
	tail := uint32(v >> (8 * (minFound - 4))) // the four bytes that end where one more than longest would
	for ; depth > 0 && c < i && c >= low; depth-- {
		if load32(p.in, c+longest-3) == tail {
			l := uint(bits.TrailingZeros64(load64(p.in, c)^v)) / 8
			if l == 8 {
				l = extend(p.in, c, i, 8, limit)
			}
			if l > longest {
				if saved := p.cost.saved(i, l, i-c); saved > best.saved {
					best = found{l, i - c, saved}
				}
				if l >= p.nice || l == limit {
					break
				}
				longest = l
				tail = load32(p.in, i+longest-3) // longest < limit
			}
		}
		if c == 0 {
			break
		}
		c = uint(p.prev[c&0xffff])
	}
	return best
}
