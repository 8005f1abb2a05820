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

	// Two letters at a time, the first in the low byte of the index. Reads hold few letters, so of
	// the 64 KiB each some ten cache lines are in use.
	pair     [1 << 16]uint8 // letters to codes, the first in the high half
	compPair [1 << 16]uint8 // letters to codes of their complements, the second in the high half
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
	for i := range pair {
		pair[i] = code[i&0xff]<<4 | code[i>>8]
		compPair[i] = compCode[i>>8]<<4 | compCode[i&0xff]
	}
	for i := range letters {
		letters[i] = [2]byte{bases[i>>4], bases[i&15]}
	}
}

// The loops below take eight letters at a time. A slice of known capacity, as in s[i:i+8:i+8],
// spares the compiler the case that nothing is left of it.

// packForward writes src two bases to a byte; len(dst) is (len(src)+1)/2.
func packForward(dst, src []byte) {
	i, j := 0, 0
	for ; i+8 <= len(src) && j+4 <= len(dst); i, j = i+8, j+4 {
		x := binary.LittleEndian.Uint64(src[i : i+8 : i+8])
		binary.LittleEndian.PutUint32(dst[j:j+4:j+4], uint32(pair[uint16(x)])|uint32(pair[uint16(x>>16)])<<8|
			uint32(pair[uint16(x>>32)])<<16|uint32(pair[x>>48])<<24)
	}
	for ; i+2 <= len(src); i, j = i+2, j+1 {
		dst[j] = code[src[i]]<<4 | code[src[i+1]]
	}
	if i < len(src) {
		dst[j] = code[src[i]] << 4
	}
}

// packReverse writes the reverse complement of src.
func packReverse(dst, src []byte) {
	i, j := len(src), 0
	for ; i >= 8 && j+4 <= len(dst); i, j = i-8, j+4 {
		x := binary.LittleEndian.Uint64(src[i-8 : i : i])
		binary.LittleEndian.PutUint32(dst[j:j+4:j+4], uint32(compPair[x>>48])|uint32(compPair[uint16(x>>32)])<<8|
			uint32(compPair[uint16(x>>16)])<<16|uint32(compPair[uint16(x)])<<24)
	}
	for ; i >= 2; i, j = i-2, j+1 {
		dst[j] = compCode[src[i-1]]<<4 | compCode[src[i-2]]
	}
	if i == 1 {
		dst[j] = compCode[src[0]] << 4
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

// qualForward turns phred+33 ASCII into BAM's plain phred values; dst is as long as src.
func qualForward(dst, src []byte) {
	i := 0
	for ; i+8 <= len(src) && i+8 <= len(dst); i += 8 {
		binary.LittleEndian.PutUint64(dst[i:i+8:i+8], sub33(binary.LittleEndian.Uint64(src[i:i+8:i+8])))
	}
	for ; i < len(src); i++ {
		dst[i] = src[i] - 33
	}
}

func qualReverse(dst, src []byte) {
	i, j := len(src), 0
	for ; i >= 8 && j+8 <= len(dst); i, j = i-8, j+8 {
		binary.BigEndian.PutUint64(dst[j:j+8:j+8], sub33(binary.LittleEndian.Uint64(src[i-8:i:i])))
	}
	for ; i > 0; i, j = i-1, j+1 {
		dst[j] = src[i-1] - 33
	}
}

// fillMissing writes 0xff, BAM's sign for "no quality".
func fillMissing(dst []byte) {
	for i := range dst {
		dst[i] = 0xff
	}
}
