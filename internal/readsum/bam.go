package readsum

import "encoding/binary"

const (
	fixedLen   = 32    // bytes of a BAM record before its name
	notPrimary = 0x900 // secondary or supplementary
	isReverse  = 0x10
	isPaired   = 0x1
	noQuality  = 0xff
)

// AddBAM counts one BAM record, given without block_size, into s. Secondary and supplementary
// records are skipped; sequence and quality are taken back to read orientation. The lengths
// inside rec must fit in it: bamrec.Validate first what comes from a file.
func (h *Hasher) AddBAM(s *Sum, rec []byte) {
	le := binary.LittleEndian
	flag := le.Uint16(rec[14:])
	if flag&notPrimary != 0 {
		return
	}
	nameLen, ops, n := int(rec[8]), int(le.Uint16(rec[12:])), int(le.Uint32(rec[16:]))
	name := rec[fixedLen : fixedLen+nameLen-1]
	body := rec[fixedLen+nameLen+4*ops:]
	packed, qual := body[:(n+1)/2], body[(n+1)/2:(n+1)/2+n]
	reverse := flag&isReverse != 0

	b := h.head(name, mateOf(flag), n)
	start := len(b)
	b = b[:start+n] // head made the room
	unpack(b[start:], packed, reverse)
	if n == 0 || qual[0] == noQuality {
		b = le.AppendUint32(b, 0)
	} else {
		b = le.AppendUint32(b, uint32(n))
		b = b[:len(b)+n]
		add33(b[len(b)-n:], qual, reverse)
	}
	h.sum(s, b)
}

// mateOf is 0 for an unpaired read, 1 for the first and 2 for the second of a pair.
func mateOf(flag uint16) uint8 {
	if flag&isPaired == 0 {
		return 0
	}
	return uint8(flag >> 6 & 3)
}

// The 16 codes of BAM and, at the same places, their complements.
const (
	alphabet   = "=ACMGRSVTWYHKDBN"
	complement = "=TGKCYSBAWRDMHVN"
)

var (
	forward [256]uint16 // a packed byte to its two letters, the first in the low byte
	flipped [256]uint16 // a packed byte to the two complements, second base first
)

func init() {
	for i := range forward {
		hi, lo := i>>4, i&15
		forward[i] = uint16(alphabet[hi]) | uint16(alphabet[lo])<<8
		flipped[i] = uint16(complement[lo]) | uint16(complement[hi])<<8
	}
}

// unpack writes the bases to dst, as they are or reverse-complemented.
func unpack(dst, packed []byte, reverse bool) {
	if reverse {
		unpackReverse(dst, packed)
		return
	}
	le := binary.LittleEndian
	i, j := 0, 0 // in packed, in dst
	for ; i+4 <= len(packed) && j+8 <= len(dst); i, j = i+4, j+8 {
		x := le.Uint32(packed[i : i+4 : i+4])
		le.PutUint64(dst[j:j+8:j+8], uint64(forward[uint8(x)])|uint64(forward[uint8(x>>8)])<<16|
			uint64(forward[uint8(x>>16)])<<32|uint64(forward[x>>24])<<48)
	}
	for ; j+2 <= len(dst); i, j = i+1, j+2 {
		le.PutUint16(dst[j:j+2:j+2], forward[packed[i]])
	}
	if j < len(dst) {
		dst[j] = alphabet[packed[i]>>4]
	}
}

func unpackReverse(dst, packed []byte) {
	le := binary.LittleEndian
	i, j := 0, len(dst) // dst is filled from its end
	for ; i+4 <= len(packed) && j >= 8; i, j = i+4, j-8 {
		x := le.Uint32(packed[i : i+4 : i+4])
		le.PutUint64(dst[j-8:j:j], uint64(flipped[x>>24])|uint64(flipped[uint8(x>>16)])<<16|
			uint64(flipped[uint8(x>>8)])<<32|uint64(flipped[uint8(x)])<<48)
	}
	for ; j >= 2; i, j = i+1, j-2 {
		le.PutUint16(dst[j-2:j:j], flipped[packed[i]])
	}
	if j == 1 {
		dst[0] = complement[packed[i]>>4]
	}
}

const (
	lowBits  = 0x7f7f7f7f7f7f7f7f
	offset33 = 0x2121212121212121
)

// plus33 adds 33 to each of eight bytes, without carrying between them.
func plus33(x uint64) uint64 { return ((x & lowBits) + offset33) ^ (x &^ lowBits) }

// add33 writes phred values as ASCII, as they are or back to front; dst is as long as qual.
func add33(dst, qual []byte, reverse bool) {
	if reverse {
		add33Reverse(dst, qual)
		return
	}
	le := binary.LittleEndian
	i := 0
	for ; i+8 <= len(qual) && i+8 <= len(dst); i += 8 {
		le.PutUint64(dst[i:i+8:i+8], plus33(le.Uint64(qual[i:i+8:i+8])))
	}
	for ; i < len(qual); i++ {
		dst[i] = qual[i] + 33
	}
}

func add33Reverse(dst, qual []byte) {
	i, j := 0, len(dst)
	for ; i+8 <= len(qual) && j >= 8; i, j = i+8, j-8 {
		binary.BigEndian.PutUint64(dst[j-8:j:j], plus33(binary.LittleEndian.Uint64(qual[i:i+8:i+8])))
	}
	for ; i < len(qual); i, j = i+1, j-1 {
		dst[j-1] = qual[i] + 33
	}
}
