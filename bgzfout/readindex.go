package bgzfout

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/alignpipe/alignpipe/internal/inflate"
)

// Index is the index of one BAM file as it was read: what [JoinIndexes] works on. Only references
// with records are kept. Virtual offsets are the compressed address of a block shifted left by
// 16, and the offset in its plain data.
type Index struct {
	kind   IndexKind
	depth  int
	nRefs  int
	refs   []refIndex // ascending by ref
	noCoor uint64
}

// refIndex is the part of one reference.
type refIndex struct {
	ref              int32
	bins             []binIndex // ascending, without the pseudo-bin
	linear           []uint64   // BAI only
	beg, end         uint64     // all its records lie in between
	mapped, unmapped uint64
}

// binIndex is one bin: its chunks are in file order.
type binIndex struct {
	bin    uint32
	loff   uint64 // CSI only: no record that overlaps the bin's first window lies before
	chunks []chunk
}

var (
	errIndexCut  = errors.New("index: ends too early")
	errIndexForm = errors.New("index: not of the form expected")
)

// ReadIndex reads the index of a file with references of these lengths, in bases. It refuses one
// of another kind or another number of levels, and one without the counts of records, which old
// programs leave out: such an index cannot be joined with others.
func ReadIndex(data []byte, kind IndexKind, refLens []int64) (*Index, error) {
	x := &Index{kind: kind, depth: baiDepth, nRefs: len(refLens)}
	if kind == CSI {
		x.depth = csiDepth(refLens)
		var err error
		if data, err = inflateAll(data); err != nil {
			return nil, fmt.Errorf("index: %w", err)
		}
	}
	r := &indexBytes{b: data}
	if err := x.readHead(r); err != nil {
		return nil, err
	}
	for i := range x.nRefs {
		if err := x.readRef(r, int32(i)); err != nil {
			return nil, err
		}
	}
	x.noCoor = r.u64()
	switch {
	case r.cut:
		return nil, errIndexCut
	case len(r.b) > 0:
		return nil, errIndexForm
	}
	return x, x.check()
}

// inflateAll inflates BGZF data.
func inflateAll(data []byte) (plain []byte, err error) {
	for len(data) > 0 {
		size, _ := inflate.BlockSize(data)
		if size == 0 || size > len(data) {
			return nil, errIndexCut
		}
		if plain, err = inflate.DecodeBlock(slices.Grow(plain, maxBlock), data[:size]); err != nil {
			return nil, err
		}
		data = data[size:]
	}
	return plain, nil
}

func (x *Index) readHead(r *indexBytes) error {
	magic := r.take(4)
	switch {
	case x.kind == BAI && bytes.Equal(magic, []byte("BAI\x01")):
	case x.kind == CSI && bytes.Equal(magic, []byte("CSI\x01")):
		if shift, depth := r.u32(), r.u32(); shift != minShift || int(depth) != x.depth {
			return fmt.Errorf("%w: bins of another size", errIndexForm)
		}
		r.take(int(r.u32())) // l_aux
	default:
		return errIndexForm
	}
	if n := r.u32(); int64(n) != int64(x.nRefs) {
		return fmt.Errorf("%w: %d references, not %d", errIndexForm, n, x.nRefs)
	}
	return nil
}

// readRef reads one reference and keeps it when it has records.
func (x *Index) readRef(r *indexBytes, ref int32) error {
	ri, counted := refIndex{ref: ref}, false
	n := r.count(8)
	ri.bins = make([]binIndex, 0, n)
	for range n {
		b := binIndex{bin: r.u32()}
		if x.kind == CSI {
			b.loff = r.u64()
		}
		b.chunks = make([]chunk, r.count(16))
		for i := range b.chunks {
			b.chunks[i] = chunk{r.u64(), r.u64()}
		}
		if b.bin != firstBin(x.depth+1)+1 {
			ri.bins = append(ri.bins, b)
			continue
		}
		if len(b.chunks) != 2 {
			return errIndexForm
		}
		counted = true
		ri.beg, ri.end = b.chunks[0].beg, b.chunks[0].end
		ri.mapped, ri.unmapped = b.chunks[1].beg, b.chunks[1].end
	}
	if x.kind == BAI {
		ri.linear = make([]uint64, r.count(8))
		for i := range ri.linear {
			ri.linear[i] = r.u64()
		}
	}
	switch {
	case len(ri.bins) > 0 && !counted:
		return fmt.Errorf("%w: no counts of records", errIndexForm)
	case len(ri.bins) > 0:
		slices.SortFunc(ri.bins, func(a, b binIndex) int { return int(int64(a.bin) - int64(b.bin)) })
		x.refs = append(x.refs, ri)
	}
	return nil
}

// check holds the offsets to what the index says of itself: each reference's stretch of the file
// follows on the one before it, and its bins lie inside.
func (x *Index) check() error {
	for i := range x.refs {
		r := &x.refs[i]
		if r.beg >= r.end || i > 0 && r.beg != x.refs[i-1].end {
			return fmt.Errorf("%w: reference %d does not follow on the one before it", errIndexForm, r.ref)
		}
		for j := range r.bins {
			b := &r.bins[j]
			if b.bin >= firstBin(x.depth+1) || len(b.chunks) == 0 || j > 0 && b.bin == r.bins[j-1].bin {
				return fmt.Errorf("%w: reference %d, bin %d", errIndexForm, r.ref, b.bin)
			}
			for _, c := range b.chunks {
				if c.beg < r.beg || c.beg >= c.end || c.end > r.end {
					return fmt.Errorf("%w: a chunk of reference %d lies outside", errIndexForm, r.ref)
				}
			}
			if b.loff > r.end {
				return fmt.Errorf("%w: an offset of reference %d lies outside", errIndexForm, r.ref)
			}
		}
		if len(r.linear) > 0 && slices.Max(r.linear) > r.end {
			return fmt.Errorf("%w: an offset of reference %d lies outside", errIndexForm, r.ref)
		}
	}
	return nil
}

// indexBytes takes little-endian numbers off a slice. After its end it gives zeros.
type indexBytes struct {
	b   []byte
	cut bool
}

func (r *indexBytes) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.cut, r.b = true, nil
		return nil
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *indexBytes) u32() uint32 {
	if p := r.take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

func (r *indexBytes) u64() uint64 {
	if p := r.take(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

// count reads how many items of at least size bytes follow, and believes no more than there is
// room for.
func (r *indexBytes) count(size int) int {
	n := int64(r.u32())
	if n*int64(size) > int64(len(r.b)) {
		r.cut, r.b = true, nil
		return 0
	}
	return int(n)
}
