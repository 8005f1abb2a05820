package deflate

import "encoding/binary"

// MaxInput is the most bytes of one call: the payload of a BGZF block.
const MaxInput = 65280

type Encoder struct {
	p parser
	huff huffman
	head header
	freq [litLenCount+distCount]uint32
	lens [litLenCount+distCount]uint8
	codes [litLenCount+distCount]uint16
	tables codeTables
}

func New() *Encoder { return new(Encoder) }

// Append
func (e *Encoder) Append(dst, src []byte) []byte {
	n := e.p.parse(src)
	size := e.plan()
	if (size+7)/8 >= 5+len(src) {
		return appendStored(dst, src)
	}
	need := (size+7)/8 
	start := len(dst)
	for cap(dst)-start < need+8 { dst = append(dst[:cap(dst)], 0) }
	w := bitWriter{out: dst[start:cap(dst)]}
	w.put(1|2<<1, 3)
	e.head.write(&w)
	e.tables.fill(&e.codes, &e.lens)
	e.tables.writeItems(&w, e.p.items[:n])
	w.put(uint64(e.codes[endOfBlock]), uint(e.lens[endOfBlock]))
	return dst[:start+w.end()]
}

func (e *Encoder) plan() int {
	copy(e.freq[:256], e.p.litLen[:256])
	e.freq[endOfBlock] = 1
	clear(e.freq[firstLenCode:litLenCount])
	for i, c := range e.p.litLen[256:] {
		e.freq[firstLenCode+int(lengthCode[i])] += c
	}
	copy(e.freq[litLenCount:], e.p.dist[:distCount])
	e.huff.lengths(e.lens[:litLenCount], e.freq[:litLenCount], maxCodeBits)
	e.huff.lengths(e.lens[litLenCount:], e.freq[litLenCount:], maxCodeBits)
	canonicalCodes(e.codes[:litLenCount], e.lens[:litLenCount])
	canonicalCodes(e.codes[litLenCount:], e.lens[litLenCount:])
	e.head.plan(&e.lens, &e.huff)
	size := 3 + e.head.bits
	for s, f := range e.freq {
		size += int(f) * int(e.lens[s])
	}
	for i, x := range extraOfCode {
		size += int(e.freq[firstLenCode+i]) * int(x)
	}
	for s := range uint(distCount) {
		size += int(e.freq[litLenCount+s]) * int(distExtra(s))
	}
	return size
}

func appendStored(dst, data []byte) []byte {
	dst = append(dst, 1)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(data)))
	dst = binary.LittleEndian.AppendUint16(dst, ^uint16(len(data)))
	return append(dst, data...)
}
