package deflate

import (
	"math/bits"
	"unsafe"
)

// codeTables map an item to its bits.
type codeTables struct {
	litLen [512]uint32 // of item&511: code with the length's extra bits, at most 20 bits; above 24 their number
	dist   [32]uint32  // of the distance symbol: code; above 16 its length; above 24 the length with extra bits
}

func (t *codeTables) fill(codes *[litLenCount + distCount]uint16, lens *[litLenCount + distCount]uint8) {
	for s := range 256 {
		t.litLen[s] = uint32(codes[s]) | uint32(lens[s])<<24
	}
	i := uint32(0)
	for c := range uint32(28) {
		s := firstLenCode + c
		code, n, extra := uint32(codes[s]), uint32(lens[s]), uint32(extraOfCode[c])
		for x := range uint32(1) << extra {
			t.litLen[matchFlag|i] = code | x<<n | (n+extra)<<24
			i++
		}
	}
	t.litLen[511] = uint32(codes[285]) | uint32(lens[285])<<24
	for s := range uint32(distCount) {
		n := uint32(lens[litLenCount+s])
		t.dist[s] = uint32(codes[litLenCount+s]) | n<<16 | (n+uint32(distExtra(uint(s))))<<24
	}
	t.dist[noDistance], t.dist[31] = 0, 0
}

// writeItems writes the items. An item has at most 48 bits; w.out must have room for all of them and 8 bytes more.
func (t *codeTables) writeItems(w *bitWriter, items []item) {
	out := unsafe.Pointer(unsafe.SliceData(w.out))
	at, hold, held := uint(w.at), w.hold, w.held
	for _, it := range items {
		ll := t.litLen[it&511]
		d := t.dist[it>>distShift&31]
		hold |= uint64(ll&0xffffff) << (held & 63)
		held += uint(ll >> 24)
		dist := uint64(d&0xffff) | uint64(it>>extraShift)<<(d>>16&31)
		hold |= dist << (held & 63)
		held += uint(d >> 24)
		*(*uint64)(unsafe.Add(out, at)) = hold
		at += held >> 3
		hold >>= held &^ 7 & 63
		held &= 7
	}
	w.at, w.hold, w.held = int(at), hold, held
}

var _ = bits.Len
