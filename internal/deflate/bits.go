package deflate

import "encoding/binary"

// A bitWriter fills out, whose length bounds it, from the lowest bit of each byte.
type bitWriter struct {
	out  []byte
	at   int // bytes of out that are complete
	hold uint64
	held uint // bits in hold, below 8 between calls
}

// put writes the lowest n bits of v, at most 56; those above must be zero. Eight bytes of out must be left.
func (w *bitWriter) put(v uint64, n uint) {
	w.hold |= v << (w.held & 63)
	w.held += n
	binary.LittleEndian.PutUint64(w.out[w.at:], w.hold)
	w.at += int(w.held >> 3)
	w.hold >>= w.held &^ 7 & 63
	w.held &= 7
}

// end fills the last byte up, and returns how many there are.
func (w *bitWriter) end() int {
	if w.held > 0 {
		w.out[w.at] = byte(w.hold)
		w.at++
	}
	return w.at
}
