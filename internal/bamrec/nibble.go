package bamrec

import (
	"encoding/binary"
	"math/bits"
)

// bases is BAM's alphabet: the index of a letter is its 4-bit code. A, C, G and T are one bit
// each, so the complement of a code, IUPAC letters included, is its four bits in reverse.
const bases = "=ACMGRSVTWYHKDBN"

// codeN stands for any letter outside the alphabet; the reader refuses those.
const codeN = 15

var (
	code     [256]uint8 // letter to code
	compCode [256]uint8 // letter to the code of its complement
	letters  [256][2]byte
)

func init() {
	for i := range code {
		code[i], compCode[i] = codeN, codeN
	}
	for i := range len(bases) {
		c := uint8(i)
		for _, letter := range []byte{bases[i], bases[i] | 0x20} {
			if bases[i] == '=' {
				letter = '='
			}
			code[letter] = c
			compCode[letter] = bits.Reverse8(c) >> 4
		}
	}
	for i := range letters {
		letters[i] = [2]byte{bases[i>>4], bases[i&15]}
	}
}

// packForward writes src two bases to a byte; len(dst) is (len(src)+1)/2.
func packForward(dst, src []byte) {
	for len(src) >= 8 && len(dst) >= 4 {
		s, d := src[:8], dst[:4]
		d[0] = code[s[0]]<<4 | code[s[1]]
		d[1] = code[s[2]]<<4 | code[s[3]]
		d[2] = code[s[4]]<<4 | code[s[5]]
		d[3] = code[s[6]]<<4 | code[s[7]]
		src, dst = src[8:], dst[4:]
	}
	for len(src) >= 2 {
		dst[0] = code[src[0]]<<4 | code[src[1]]
		src, dst = src[2:], dst[1:]
	}
	if len(src) == 1 {
		dst[0] = code[src[0]] << 4
	}
}

// packReverse writes the reverse complement of src.
func packReverse(dst, src []byte) {
	for len(src) >= 8 && len(dst) >= 4 {
		s, d := src[len(src)-8:], dst[:4]
		_ = s[7]
		d[0] = compCode[s[7]]<<4 | compCode[s[6]]
		d[1] = compCode[s[5]]<<4 | compCode[s[4]]
		d[2] = compCode[s[3]]<<4 | compCode[s[2]]
		d[3] = compCode[s[1]]<<4 | compCode[s[0]]
		src, dst = src[:len(src)-8], dst[4:]
	}
	for len(src) >= 2 {
		dst[0] = compCode[src[len(src)-1]]<<4 | compCode[src[len(src)-2]]
		src, dst = src[:len(src)-2], dst[1:]
	}
	if len(src) == 1 {
		dst[0] = compCode[src[0]] << 4
	}
}

const (
	highBits = 0x8080808080808080
	offset33 = 0x2121212121212121
)

// sub33 takes 33 from each of eight bytes, without borrowing between them.
func sub33(x uint64) uint64 {
	return ((x | highBits) - offset33) ^ (^x & highBits)
}

// qualForward turns phred+33 ASCII into BAM's plain phred values.
func qualForward(dst, src []byte) {
	for len(src) >= 8 && len(dst) >= 8 {
		binary.LittleEndian.PutUint64(dst, sub33(binary.LittleEndian.Uint64(src)))
		src, dst = src[8:], dst[8:]
	}
	for i, q := range src {
		dst[i] = q - 33
	}
}

func qualReverse(dst, src []byte) {
	for len(src) >= 8 && len(dst) >= 8 {
		x := sub33(binary.LittleEndian.Uint64(src[len(src)-8:]))
		binary.BigEndian.PutUint64(dst, x)
		src, dst = src[:len(src)-8], dst[8:]
	}
	for i, q := range src {
		dst[len(src)-1-i] = q - 33
	}
}

// fillMissing writes 0xff, BAM's sign for "no quality".
func fillMissing(dst []byte) {
	for i := range dst {
		dst[i] = 0xff
	}
}
