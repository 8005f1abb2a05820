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
	le := binary.LittleEndian
	n := len(dst)
	pairs := packed[:n/2]
	if !reverse {
		for _, b := range pairs {
			le.PutUint16(dst, forward[b])
			dst = dst[2:]
		}
		if n%2 == 1 {
			dst[0] = alphabet[packed[n/2]>>4]
		}
		return
	}
	for _, b := range pairs {
		le.PutUint16(dst[len(dst)-2:], flipped[b])
		dst = dst[:len(dst)-2]
	}
	if n%2 == 1 {
		dst[0] = complement[packed[n/2]>>4]
	}
}

const (
	lowBits  = 0x7f7f7f7f7f7f7f7f
	offset33 = 0x2121212121212121
)

// plus33 adds 33 to each of eight bytes, without carrying between them.
func plus33(x uint64) uint64 { return ((x & lowBits) + offset33) ^ (x &^ lowBits) }

// add33 writes phred values as ASCII, as they are or back to front.
func add33(dst, qual []byte, reverse bool) {
	le := binary.LittleEndian
	for len(qual) >= 8 && len(dst) >= 8 {
		x := plus33(le.Uint64(qual))
		qual = qual[8:]
		if reverse {
			binary.BigEndian.PutUint64(dst[len(dst)-8:], x)
			dst = dst[:len(dst)-8]
		} else {
			le.PutUint64(dst, x)
			dst = dst[8:]
		}
	}
	for i, q := range qual {
		if reverse {
			i = len(dst) - 1 - i
		}
		dst[i] = q + 33
	}
}
