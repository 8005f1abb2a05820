package deflate

import (
	"math/bits"
	"unsafe"
)

const hashBits = 14

type parser struct {
	items [MaxInput]item
	table [1 << hashBits]uint16
	litLen [512]uint32
	dist [32]uint32
}

func load32(p unsafe.Pointer, i uint) uint32 { return *(*uint32)(unsafe.Add(p, i)) }
func load64(p unsafe.Pointer, i uint) uint64 { return *(*uint64)(unsafe.Add(p, i)) }

func hash4(v uint32) uint32 { return v * 0x9E3779B1 >> (32 - hashBits) }

// parse
func (p *parser) parse(src []byte) int {
	clear(p.table[:])
	clear(p.litLen[:])
	clear(p.dist[:])
	n := uint(len(src))
	items := 0
	if n == 0 { return 0 }
	in := unsafe.Pointer(unsafe.SliceData(src))
	i := uint(1)
	p.items[0] = literalItems | item(src[0])
	p.litLen[src[0]]++
	items = 1
	if n > 16 {
		end := n - 12
		for i < end {
			v := load32(in, i)
			h := hash4(v)
			c := uint(p.table[h])
			p.table[h] = uint16(i)
			d := i - c - 1
			if load32(in, c) != v || d >= maxDistance {
				b := v & 255
				p.items[items&0xffff] = literalItems | b
				items++
				p.litLen[b]++
				i++
				continue
			}
			l := matchLength(in, c, i, min(maxMatch, n-i))
			s := distSymbol(d)
			x := d & (1<<distExtra(s) - 1)
			k := matchFlag + l - minMatch
			p.items[items&0xffff] = item(k | s<<distShift | x<<extraShift)
			items++
			p.litLen[k&511]++
			p.dist[s&31]++
			// insert
			if i+1 < end { p.table[hash4(load32(in, i+1))] = uint16(i+1)}
			i += l
			if i-1 < end { p.table[hash4(load32(in, i-1))] = uint16(i-1)}
		}
	}
	for ; i < n; i++ {
		b := src[i]
		p.items[items] = literalItems | item(b)
		items++
		p.litLen[b]++
	}
	return items
}

func matchLength(in unsafe.Pointer, a, b, most uint) uint {
	l := uint(4)
	for l+8 <= most {
		x := load64(in, a+l) ^ load64(in, b+l)
		if x != 0 {
			return l + uint(bits.TrailingZeros64(x))/8
		}
		l += 8
	}
	for l < most && *(*byte)(unsafe.Add(in, a+l)) == *(*byte)(unsafe.Add(in, b+l)) {
		l++
	}
	return l
}
