package deflate

import (
	"encoding/binary"
	"fmt"
	"slices"
)

const (
	// MaxInput is the most bytes of one call: the payload of a BGZF block.
	MaxInput = 65280
	// Overhead is the most bytes that the output has more than the input.
	Overhead = 5

	blockHeader = 3 // bits: the final flag, and the kind of block
	endBits     = 8 // bytes that a bitWriter may touch beyond what it writes
)

// An Encoder compresses at one level. It takes up to 0.8 MiB, allocates nothing after New, and
// belongs to one goroutine.
type Encoder struct {
	level int
	items items
	fast  fast
	lazy  *lazy // nil below level 4
	huff  huffman
	head  header
	freq  symbols[uint32]
	lens  symbols[uint8]
	codes symbols[uint16]
	table codeTable
}

// quick are the settings of the fast matcher by level. From level 4 on it goes first, to find out
// what codes there will be.
var quick = [10]settings{
	1: {shortest: 7, stride: maxMatch},
	2: {shortest: 7, stride: 3},
	3: {shortest: 7, stride: 1},
	4: {shortest: 8, stride: maxMatch},
	5: {shortest: 8, stride: maxMatch},
	6: {shortest: 8, stride: maxMatch},
	7: {shortest: 8, stride: maxMatch},
	8: {shortest: 8, stride: maxMatch},
	9: {shortest: 8, stride: maxMatch},
}

var efforts = [10]effort{
	4: {depth: 4, nice: 32, ahead: 1, enough: 12, passes: 1},
	5: {depth: 10, nice: 64, ahead: 1, enough: 16, passes: 1},
	6: {depth: 28, nice: 96, ahead: 1, enough: 24, passes: 1},
	7: {depth: 48, nice: 128, ahead: 1, enough: 64, passes: 1},
	8: {depth: 80, nice: 258, ahead: 2, enough: 128, passes: 1},
	9: {depth: 200, nice: 258, ahead: 2, enough: 258, passes: 2},
}

// New returns an encoder of level 0, which stores, or 1, the fastest, to 9, the smallest.
func New(level int) (*Encoder, error) {
	if level < 0 || level > 9 {
		return nil, fmt.Errorf("deflate: no such compression level: %d", level)
	}
	e := &Encoder{level: level}
	e.fast.settings = quick[level]
	if f := efforts[level]; f.passes > 0 {
		e.lazy = &lazy{effort: f}
	}
	return e, nil
}

// Append appends one final block that holds src, at most MaxInput bytes, to dst. It takes at
// most Overhead bytes more than src. Nothing is allocated when dst has room for that, and for 8
// bytes beyond, which it may touch.
func (e *Encoder) Append(dst, src []byte) []byte {
	if len(src) > MaxInput {
		panic("deflate: input larger than a block")
	}
	if e.level == 0 {
		return appendStored(dst, src)
	}
	n := e.parse(src)
	own, fixed := blockHeader+e.head.bits+e.size(&e.lens), blockHeader+e.size(&fixedLens)
	size := (min(own, fixed) + 7) / 8
	if size >= len(src)+Overhead {
		return appendStored(dst, src)
	}
	dst = slices.Grow(dst, size+endBits)
	w := bitWriter{out: dst[len(dst):cap(dst)]}
	e.write(&w, n, fixed <= own)
	return dst[:len(dst)+w.end()]
}

// parse fills the items, and the lengths of their code, and returns how many items there are.
func (e *Encoder) parse(src []byte) int {
	e.items.reset()
	n := e.fast.parse(&e.items, src)
	e.plan()
	if e.lazy == nil {
		return n
	}
	for range e.lazy.passes {
		e.lazy.cost.prepare(src, &e.lens)
		e.items.reset()
		n = e.lazy.parse(&e.items, src)
		e.plan()
	}
	return n
}

// plan makes code lengths, and the header that tells them, from the items.
func (e *Encoder) plan() {
	e.items.counts(&e.freq)
	e.huff.lengths(e.lens[:firstDist], e.freq[:firstDist], maxCodeBits)
	e.huff.lengths(e.lens[firstDist:], e.freq[firstDist:], maxCodeBits)
	e.head.plan(&e.lens, &e.huff)
}

// size returns the bits of all items and the end of the block.
func (e *Encoder) size(lens *symbols[uint8]) int {
	size := 0
	for s, n := range e.freq {
		size += int(n) * int(lens[s]+extraBits[s])
	}
	return size
}

// write writes the block of n items; that is what e.size said, and endBits more may be touched.
func (e *Encoder) write(w *bitWriter, n int, fixed bool) {
	lens, codes := &fixedLens, &fixedCodes
	if fixed {
		w.put(1|1<<1, blockHeader)
	} else {
		w.put(1|2<<1, blockHeader)
		e.head.write(w)
		lens, codes = &e.lens, &e.codes
		canonicalCodes(codes[:firstDist], lens[:firstDist])
		canonicalCodes(codes[firstDist:], lens[firstDist:])
	}
	e.table.fill(codes, lens)
	e.table.write(w, e.items.list[:n])
	w.put(uint64(codes[endOfBlock]), uint(lens[endOfBlock]))
}

// appendStored appends data as one stored block.
func appendStored(dst, data []byte) []byte {
	dst = append(dst, 1)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(data)))
	dst = binary.LittleEndian.AppendUint16(dst, ^uint16(len(data)))
	return append(dst, data...)
}
