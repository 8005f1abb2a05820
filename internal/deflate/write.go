package deflate

import "unsafe"

// codeTables map an item to its bits.
type codeTables struct {
	// litLen has, for bits 0-8 of an item, the code and the length's extra bits, at most
	// 20, and above bit 24 how many they are.
	litLen [512]uint32
	// dist has, for a distance symbol, the code, above bit 16 its length, and above bit 24
	// the length with the extra bits; nothing for noDistance.
	dist [32]uint32
}

func (t *codeTables) fill(codes *symbols[uint16], lens *symbols[uint8]) {
	for s := range matchFlag {
		t.litLen[s] = uint32(codes[s]) | uint32(lens[s])<<24
	}
	i := matchFlag
	for s := firstLength; s < litLenCount-1; s++ {
		n, extra := uint32(lens[s]), uint32(extraBits[s])
		entry := uint32(codes[s]) | (n+extra)<<24
		for x := range uint32(1) << extra {
			t.litLen[i&511] = entry | x<<n
			i++
		}
	}
	t.litLen[511] = uint32(codes[litLenCount-1]) | uint32(lens[litLenCount-1])<<24 // maxMatch
	for s := firstDist; s < len(lens); s++ {
		n := uint32(lens[s])
		t.dist[s-firstDist] = uint32(codes[s]) | n<<16 | (n+uint32(extraBits[s]))<<24
	}
}

// bits returns the bits of an item and their number, at most 48.
func (t *codeTables) bits(it item) (v uint64, n uint) {
	ll, d := t.litLen[it&511], t.dist[it>>distShift&31]
	n = uint(ll >> 24)
	v = uint64(ll&0xffffff) | (uint64(d&0xffff)|uint64(it>>extraShift)<<(d>>16&31))<<(n&63)
	return v, n + uint(d>>24)
}

// write writes the items, two at a time, which fit into one word but for the longest matches.
// It stores words past bounds checks: w.out has room for all bits of the items and a word more.
func (t *codeTables) write(w *bitWriter, items []item) {
	out := unsafe.Pointer(unsafe.SliceData(w.out))
	at, hold, held := uint(w.at), w.hold, w.held
	for ; len(items) >= 2; items = items[2:] {
		v0, n0 := t.bits(items[0])
		v1, n1 := t.bits(items[1])
		if n0+n1 > 56 { // with the 7 that may be held: more than a word
			hold |= v0 << (held & 63)
			held += n0
			*(*uint64)(unsafe.Add(out, at)) = hold
			at += held >> 3
			hold >>= held &^ 7 & 63
			held &= 7
			v0, n0 = 0, 0
		}
		hold |= (v0 | v1<<(n0&63)) << (held & 63)
		held += n0 + n1
		*(*uint64)(unsafe.Add(out, at)) = hold
		at += held >> 3
		hold >>= held &^ 7 & 63
		held &= 7
	}
	w.at, w.hold, w.held = int(at), hold, held
	for _, it := range items {
		w.put(t.bits(it))
	}
}
