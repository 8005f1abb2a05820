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
	ok := true
	i := 0
	for ; i+8 <= len(src) && i+8 <= len(dst); i += 8 {
		s, d := src[i:i+8:i+8], dst[i:i+8:i+8] // a capacity that is known is quicker to work with
		if x := binary.LittleEndian.Uint64(s); x == nearestACGT(x) {
			binary.LittleEndian.PutUint64(d, x)
		} else if !foldEach(d, s) {
			ok = false
		}
	}
	return foldEach(dst[i:], src[i:]) && ok
}

func foldEach(dst, src []byte) bool {
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

// nearestACGT gives, for each of eight bytes, the one of A, C, G and T that has the same bits 1 and
// 2. Only these four are their own.
func nearestACGT(x uint64) uint64 {
	const one = 0x0101010101010101
	lo, hi := x>>1&one, x>>2&one // A 0 0, C 1 0, T 0 1, G 1 1
	return 'A'*one + ('C'-'A')*lo + ('T'-'A')*hi - ('T'-'A'+'C'-'G')*(lo&hi)
}

// qualities tells whether all bytes are Phred+33 values, '!' to '~'.
func qualities(b []byte) bool {
	const (
		high = 0x8080808080808080
		one  = 0x0101010101010101
	)
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i : i+8 : i+8])
		// Adding 1 carries a DEL into the high bit, adding 0x5f everything from '!' on.
		if (x|(x+one)|^(x+0x5f*one))&high != 0 {
			return false
		}
	}
	for _, c := range b[i:] {
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
