package reader

import "encoding/binary"

// folded maps each byte that BAM can hold as a base to upper case, and all others to 0.
var folded = func() (t [256]byte) {
	for _, c := range []byte("=ACMGRSVTWYHKDBN") {
		t[c] = c
		if c != '=' {
			t[c|0x20] = c
		}
	}
	return t
}()

// fold copies src to dst, which is as long, in upper case. It tells whether all were bases.
func fold(dst, src []byte) bool {
	if len(src) == 0 {
		return true
	}
	_ = dst[len(src)-1]
	ok := true
	for i, c := range src {
		f := folded[c]
		dst[i] = f
		if f == 0 {
			ok = false
		}
	}
	return ok
}

// qualities tells whether all bytes are Phred+33 values, '!' to '~'.
func qualities(b []byte) bool {
	const (
		high = 0x8080808080808080
		one  = 0x0101010101010101
	)
	for len(b) >= 8 {
		x := binary.LittleEndian.Uint64(b)
		// Adding 1 carries a DEL into the high bit, adding 0x5f everything from '!' on.
		if (x|(x+one)|^(x+0x5f*one))&high != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if !isQuality(c) {
			return false
		}
	}
	return true
}

func isQuality(c byte) bool { return c >= '!' && c <= '~' }

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// firstBad returns the index of the first byte that fails, or -1.
func firstBad(b []byte, good func(byte) bool) int {
	for i, c := range b {
		if !good(c) {
			return i
		}
	}
	return -1
}

func isBase(c byte) bool { return folded[c] != 0 }
