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
	forward [256][2]byte // a packed byte to its two letters
	flipped [256][2]byte // a packed byte to the two complements, second base first
)

func init() {
	for i := range forward {
		forward[i] = [2]byte{alphabet[i>>4], alphabet[i&15]}
		flipped[i] = [2]byte{complement[i&15], complement[i>>4]}
	}
}

// unpack writes the bases to dst, as they are or reverse-complemented.
func unpack(dst, packed []byte, reverse bool) {
	n := len(dst)
	for i, b := range packed[:n/2] {
		if reverse {
			copy(dst[n-2*i-2:], flipped[b][:])
		} else {
			copy(dst[2*i:], forward[b][:])
		}
	}
	if n%2 == 0 {
		return
	}
	if last := packed[n/2] >> 4; reverse {
		dst[0] = complement[last]
	} else {
		dst[n-1] = alphabet[last]
	}
}

// add33 writes phred values as ASCII, as they are or back to front.
func add33(dst, qual []byte, reverse bool) {
	if !reverse {
		for i, q := range qual {
			dst[i] = q + 33
		}
		return
	}
	for i, q := range qual {
		dst[len(dst)-1-i] = q + 33
	}
}
