package deflate

import (
	"encoding/binary"
	"unsafe"
)

// codeTable maps bits 0-9 of an item to its code, of at most 20 bits, with the extra bits of a
// length; from bit 32 on the length of the code, where the extra bits of a distance go; and from
// bit 40 on the length of all, at most 28.
type codeTable [kinds]uint64

func entry(code uint16, length, all uint8) uint64 {
	return uint64(code) | uint64(length)<<32 | uint64(all)<<40
}

func (t *codeTable) fill(codes *symbols[uint16], lens *symbols[uint8]) {
	for s := range matchFlag {
		t[s] = entry(codes[s], lens[s], lens[s])
	}
	i := matchFlag
	for s := firstLength; s < litLenCount-1; s++ {
		code := entry(codes[s], lens[s], lens[s]+extraBits[s])
		for x := range uint64(1) << extraBits[s] {
			t[i&(kinds-1)] = code | x<<(lens[s]&15)
			i++
		}
	}
	t[distFlag-1] = entry(codes[litLenCount-1], lens[litLenCount-1], lens[litLenCount-1]) // maxMatch
	for s := firstDist; s < len(lens); s++ {
		t[distFlag+s-firstDist] = entry(codes[s], lens[s], lens[s]+extraBits[s])
	}
}

// bits returns the bits of an item and their number.
func (t *codeTable) bits(it item) (v uint64, n uint) {
	e := t[it&(kinds-1)]
	return uint64(uint32(e)) | uint64(it>>extraShift)<<(e>>32&63), uint(e >> 40)
}

// writeScalar writes the items, two at a time: their 56 bits and the 7 that may be held fit into a word.
// It stores words past bounds checks: w.out has room for all bits of the items and a word more.
func (t *codeTable) writeScalar(w *bitWriter, items []item) {
	out := unsafe.Pointer(unsafe.SliceData(w.out))
	at, hold, held := uint(w.at), w.hold, w.held
	for ; len(items) >= 2; items = items[2:] {
		v0, n0 := t.bits(items[0])
		v1, n1 := t.bits(items[1])
		hold |= (v0 | v1<<(n0&63)) << (held & 63)
		held += n0 + n1
		binary.LittleEndian.PutUint64((*[8]byte)(unsafe.Add(out, at))[:], hold)
		at += held >> 3
		hold >>= held &^ 7 & 63
		held &= 7
	}
	w.at, w.hold, w.held = int(at), hold, held
	for _, it := range items {
		w.put(t.bits(it))
	}
}
