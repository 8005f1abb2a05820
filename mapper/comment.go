package mapper

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/alignpipe/alignpipe/internal/bamrec"
)

// reserved are the tags the mapper writes itself; a comment cannot replace them.
var reserved = map[[2]byte]bool{
	{'N', 'M'}: true, {'M', 'D'}: true, {'A', 'S'}: true, {'X', 'S'}: true, {'R', 'G'}: true, {'M', 'C'}: true,
	{'M', 'Q'}: true, {'m', 's'}: true, {'S', 'A'}: true, {'X', 'A'}: true, {'C', 'G'}: true,
}

// appendComment adds the fields of a FASTQ comment that are SAM tags (TAG:TYPE:VALUE,
// separated by tabs; types A i f Z H) to dst. Other fields, such as Illumina's 1:N:0:ACGT,
// are left out, for they have no place in a record.
func appendComment(dst, comment []byte) []byte {
	for len(comment) > 0 {
		field := comment
		if i := bytes.IndexByte(comment, '\t'); i >= 0 {
			field, comment = comment[:i], comment[i+1:]
		} else {
			comment = nil
		}
		dst = appendTagField(dst, field)
	}
	return dst
}

func appendTagField(dst, field []byte) []byte {
	if len(field) < 5 || field[2] != ':' || field[4] != ':' || !isTagName(field[0], field[1]) {
		return dst
	}
	tag, value := [2]byte{field[0], field[1]}, field[5:]
	if reserved[tag] {
		return dst
	}
	switch field[3] {
	case 'A':
		if len(value) == 1 && value[0] >= '!' && value[0] <= '~' {
			return bamrec.AppendTagChar(dst, tag, value[0])
		}
	case 'i':
		if v, err := strconv.ParseInt(string(value), 10, 64); err == nil && v >= math.MinInt32 && v <= math.MaxUint32 {
			return bamrec.AppendTagInt(dst, tag, v)
		}
	case 'f':
		if v, err := strconv.ParseFloat(string(value), 32); err == nil {
			return binary.LittleEndian.AppendUint32(append(dst, tag[0], tag[1], 'f'), math.Float32bits(float32(v)))
		}
	case 'Z':
		if isPrintable(value) {
			return bamrec.AppendTagString(dst, tag, value)
		}
	case 'H':
		if isHex(value) {
			return append(append(append(dst, tag[0], tag[1], 'H'), value...), 0)
		}
	}
	return dst
}

func isTagName(a, b byte) bool {
	alpha := a >= 'A' && a <= 'Z' || a >= 'a' && a <= 'z'
	return alpha && (b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9')
}

func isPrintable(s []byte) bool {
	for _, c := range s {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

func isHex(s []byte) bool {
	for _, c := range s {
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return len(s)%2 == 0
}
