package bamrec

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/biogo/hts/sam"
)

// Header encodes h as it stands before the first record of a BAM file.
func Header(h *sam.Header) ([]byte, error) {
	text, err := h.MarshalText()
	if err != nil {
		return nil, fmt.Errorf("encode sam header: %w", err)
	}
	refs := h.Refs()
	names := make([]string, len(refs))
	lens := make([]int64, len(refs))
	for i, r := range refs {
		names[i], lens[i] = r.Name(), int64(r.Len())
	}
	return AppendHeader(nil, text, names, lens), nil
}

// AppendHeader adds magic, header text and the reference dictionary to dst. names and lens
// (in bases) go together; a reference of 2^31 bases or more has no place in BAM and panics,
// for loading the reference refuses it.
func AppendHeader(dst, text []byte, names []string, lens []int64) []byte {
	le := binary.LittleEndian
	dst = append(dst, "BAM\x01"...)
	dst = le.AppendUint32(dst, uint32(len(text)))
	dst = append(dst, text...)
	dst = le.AppendUint32(dst, uint32(len(names)))
	for i, name := range names {
		if lens[i] < 0 || lens[i] > math.MaxInt32 {
			panic(fmt.Sprintf("bamrec: reference %s: length %d does not fit", name, lens[i]))
		}
		dst = le.AppendUint32(dst, uint32(len(name)+1))
		dst = append(dst, name...)
		dst = append(dst, 0)
		dst = le.AppendUint32(dst, uint32(lens[i]))
	}
	return dst
}
