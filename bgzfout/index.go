package bgzfout

import (
	"encoding/binary"
	"slices"
)

// IndexKind is the index a BAM gets.
type IndexKind uint8

// The kinds of index. None also allows records in any order.
const (
	None IndexKind = iota
	BAI
	CSI
)

// Ext returns what is put after the name of the BAM: ".bai", ".csi" or "".
func (k IndexKind) Ext() string {
	return [...]string{"", ".bai", ".csi"}[k]
}

// BAIPossible tells whether all references, lengths in bases, are short enough for
// BAI, which ends at 2^29.
func BAIPossible(refLens []int64) bool {
	for _, n := range refLens {
		if n >= 1<<29 {
			return false
		}
	}
	return true
}

const (
	minShift = 14 // bases per smallest bin: 16 Ki, for BAI by its definition
	baiDepth = 5

	minRecord  = 36 // bytes of a BAM record with block_size and an empty name
	markBytes  = 16
	pieceBytes = 48

	// smallBin is the span in compressed bytes below which a bin joins its parent, as
	// in htslib: one seek covers it anyway.
	smallBin = 1 << 16
)

// mark is what the index needs of a record; the block it is in knows the rest.
type mark struct {
	ref, beg, end int32  // beg is 0-based, end beyond the last base; ref < 0: no place
	off           uint16 // of the record in its block
	mapped        bool
}

// chunk is a stretch of the file in virtual offsets, half-open.
type chunk struct{ beg, end uint64 }

// indexer builds BAI or CSI from records in file order, as htslib's hts_idx_push
// does. It keeps the bins of one reference, and finished references as bytes.
type indexer struct {
	kind  IndexKind
	depth int
	nRefs int

	ref       int32 // of the last record; -1 before the first and when it has no place
	bin       uint32
	binStart  uint64 // where the current run of records of one bin starts
	refStart  uint64
	mapped    uint64
	unmapped  uint64
	noCoor    uint64
	bins      map[uint32][]chunk
	spare     [][]chunk // of earlier bins
	linear    []uint64  // per 16 KiB window, the first record that overlaps it
	firstDone bool

	nDone int    // references in body
	body  []byte // encoded references
}

// unset is a window without records.
const unset = ^uint64(0)

func newIndexer(kind IndexKind, refLens []int64) *indexer {
	x := &indexer{kind: kind, depth: baiDepth, nRefs: len(refLens), ref: -1, bins: map[uint32][]chunk{}}
	if kind == CSI {
		x.depth = csiDepth(refLens)
	}
	return x
}

// csiDepth is the number of levels that reach the end of the longest reference, with
// htslib's margin.
func csiDepth(refLens []int64) int {
	longest := int64(0)
	for _, n := range refLens {
		longest = max(longest, n)
	}
	depth := 0
	for span := int64(1) << minShift; longest+256 > span; span <<= 3 {
		depth++
	}
	return depth
}

// maxEnd is the end, in bases, of what the bins can tell.
func (x *indexer) maxEnd() int64 { return 1 << (minShift + 3*x.depth) }

// metaBin is the pseudo-bin: one above the last possible bin, 37450 for BAI.
func (x *indexer) metaBin() uint32 { return firstBin(x.depth+1) + 1 }

// push takes the record that starts at the virtual offset at.
func (x *indexer) push(m *mark, at uint64) {
	if m.ref < 0 {
		x.endRef(at)
		x.noCoor++
		return
	}
	if m.ref != x.ref {
		x.endRef(at)
		x.ref, x.refStart = m.ref, at
	}
	beg, end := max(m.beg, 0), max(m.end, 1)
	x.window(int(beg)>>minShift, (int(end)-1)>>minShift, at)
	if bin := binOf(int64(beg), int64(end), x.depth); bin != x.bin || !x.firstDone {
		x.endBin(at)
		x.bin, x.binStart, x.firstDone = bin, at, true
	}
	if m.mapped {
		x.mapped++
	} else {
		x.unmapped++
	}
}

// window notes at for the windows first to last that no earlier record overlaps.
func (x *indexer) window(first, last int, at uint64) {
	for len(x.linear) <= last {
		x.linear = append(x.linear, unset)
	}
	for i := first; i <= last; i++ {
		if x.linear[i] == unset {
			x.linear[i] = at
		}
	}
}

// endBin ends the run of records of the current bin.
func (x *indexer) endBin(at uint64) {
	if !x.firstDone {
		return
	}
	list, ok := x.bins[x.bin]
	if n := len(x.spare); !ok && n > 0 {
		list, x.spare = x.spare[n-1], x.spare[:n-1]
	}
	x.bins[x.bin] = append(list, chunk{x.binStart, at})
}

// endRef ends the current reference, if there is one, and encodes it.
func (x *indexer) endRef(at uint64) {
	if x.ref < 0 {
		return
	}
	x.endBin(at)
	x.skipTo(int(x.ref))
	x.fillLinear()
	loffs := x.binOffsets()
	x.joinSmallBins()
	x.appendRef(loffs, at)
	x.nDone++
	for _, list := range x.bins {
		x.spare = append(x.spare, list[:0])
	}
	clear(x.bins)
	x.linear = x.linear[:0]
	x.ref, x.firstDone, x.mapped, x.unmapped = -1, false, 0, 0
}

// finish ends the index; at is the virtual offset of the EOF block.
func (x *indexer) finish(at uint64) {
	x.endRef(at)
	x.skipTo(x.nRefs)
}

// skipTo encodes references without records up to ref.
func (x *indexer) skipTo(ref int) {
	for ; x.nDone < ref; x.nDone++ {
		x.body = binary.LittleEndian.AppendUint32(x.body, 0) // n_bin
		if x.kind == BAI {
			x.body = binary.LittleEndian.AppendUint32(x.body, 0) // n_intv
		}
	}
}

// fillLinear gives a window without records the offset of the next one that has some.
func (x *indexer) fillLinear() {
	for i := len(x.linear) - 2; i >= 0; i-- {
		if x.linear[i] == unset {
			x.linear[i] = x.linear[i+1]
		}
	}
}

// binOffsets returns, for CSI, each bin's least offset: that of its first window.
func (x *indexer) binOffsets() map[uint32]uint64 {
	if x.kind != CSI {
		return nil
	}
	loffs := make(map[uint32]uint64, len(x.bins))
	for bin := range x.bins {
		loffs[bin] = 0
		if w := firstWindow(bin, x.depth); w < len(x.linear) {
			loffs[bin] = x.linear[w]
		}
	}
	return loffs
}

// joinSmallBins moves the chunks of bins that span little of the file to the parent,
// where that exists, and then joins chunks that meet in one block.
func (x *indexer) joinSmallBins() {
	for level := x.depth; level > 0; level-- {
		for bin, list := range x.bins {
			if bin < firstBin(level) {
				continue
			}
			sortChunks(list)
			if list[len(list)-1].end>>16-list[0].beg>>16 >= smallBin {
				continue
			}
			if parent, ok := x.bins[(bin-1)>>3]; ok {
				x.bins[(bin-1)>>3] = append(parent, list...)
				x.spare = append(x.spare, list[:0])
				delete(x.bins, bin)
			}
		}
	}
	for bin, list := range x.bins {
		sortChunks(list)
		x.bins[bin] = joinChunks(list)
	}
}

func sortChunks(list []chunk) {
	slices.SortFunc(list, func(a, b chunk) int {
		if a.beg < b.beg {
			return -1
		}
		return 1 // no two chunks start at one record
	})
}

// joinChunks joins chunks of which one ends in the block where the next starts.
func joinChunks(list []chunk) []chunk {
	last := 0
	for _, c := range list[1:] {
		if list[last].end>>16 >= c.beg>>16 {
			list[last].end = max(list[last].end, c.end)
		} else {
			last++
			list[last] = c
		}
	}
	return list[:last+1]
}
