package bgzfout

import (
	"fmt"
	"io"
	"slices"
)

// Records is the number of records that the index counts, those without a place included.
func (x *Index) Records() int64 {
	n := x.noCoor
	for i := range x.refs {
		n += x.refs[i].mapped + x.refs[i].unmapped
	}
	return int64(n)
}

// Unplaced is the number of records without a place.
func (x *Index) Unplaced() int64 { return int64(x.noCoor) }

// Stretch is where the records with a place begin and end, in virtual offsets; ok is false when
// there are none.
func (x *Index) Stretch() (beg, end uint64, ok bool) {
	if len(x.refs) == 0 {
		return 0, 0, false
	}
	return x.refs[0].beg, x.refs[len(x.refs)-1].end, true
}

// LastChunk is where the last chunk begins, from which the last record with a place is near, and
// that record's reference. It is for an index with records that have a place.
func (x *Index) LastChunk() (beg uint64, ref int32) {
	r := &x.refs[len(x.refs)-1]
	for i := range r.bins {
		for _, c := range r.bins[i].chunks {
			beg = max(beg, c.beg)
		}
	}
	return beg, r.ref
}

// Addresses returns the addresses of all blocks that the index points into, ascending.
func (x *Index) Addresses() []int64 {
	var all []int64
	for i := range x.refs {
		r := &x.refs[i]
		all = append(all, int64(r.beg>>16), int64(r.end>>16))
		for j := range r.bins {
			for _, c := range r.bins[j].chunks {
				all = append(all, int64(c.beg>>16), int64(c.end>>16))
			}
		}
		for _, at := range r.linear {
			if at >= r.beg { // below it are the fillers of some programs
				all = append(all, int64(at>>16))
			}
		}
		slices.Sort(all)
		all = slices.Compact(all)
	}
	return all
}

// Move replaces every virtual offset by what to makes of it. to must keep their order. Offsets
// before the first record of a reference, which some programs put where a window has no record,
// become that of the first record.
func (x *Index) Move(to func(at uint64) uint64) {
	for i := range x.refs {
		r := &x.refs[i]
		first := r.beg
		move := func(at *uint64) { *at = to(max(*at, first)) }
		for j := range r.bins {
			move(&r.bins[j].loff)
			for k := range r.bins[j].chunks {
				move(&r.bins[j].chunks[k].beg)
				move(&r.bins[j].chunks[k].end)
			}
		}
		for j := range r.linear {
			move(&r.linear[j])
		}
		move(&r.beg)
		move(&r.end)
	}
}

// JoinIndexes makes the index of a file out of those of its parts, in the order of the parts in
// the file and moved to where they are in it. Parts hold coordinate ranges that do not
// interleave. All indexes are of the kind, and of files with the same references.
func JoinIndexes(kind IndexKind, refLens []int64, parts []*Index) (*Index, error) {
	x := &Index{kind: kind, depth: baiDepth, nRefs: len(refLens)}
	if kind == CSI {
		x.depth = csiDepth(refLens)
	}
	at := uint64(0) // parts so far end there
	for i, p := range parts {
		beg, end, ok := p.Stretch()
		switch {
		case p.kind != kind || p.depth != x.depth || p.nRefs != x.nRefs:
			return nil, fmt.Errorf("%w: part %d has another kind of index", errIndexForm, i+1)
		case ok && beg < at:
			return nil, fmt.Errorf("%w: part %d begins before the end of the one before it", errIndexForm, i+1)
		}
		at = max(at, end)
		x.noCoor += p.noCoor
	}
	for from, at := parts, make([]int, len(parts)); ; {
		ref := nextRef(from, at)
		if ref < 0 {
			break
		}
		var same []*refIndex
		for i, p := range from {
			if at[i] < len(p.refs) && p.refs[at[i]].ref == ref {
				same = append(same, &p.refs[at[i]])
				at[i]++
			}
		}
		x.refs = append(x.refs, x.joinRef(same))
	}
	return x, x.check()
}

// nextRef is the lowest reference that at points to in any part, or -1.
func nextRef(parts []*Index, at []int) int32 {
	ref := int32(-1)
	for i, p := range parts {
		if at[i] < len(p.refs) && (ref < 0 || p.refs[at[i]].ref < ref) {
			ref = p.refs[at[i]].ref
		}
	}
	return ref
}

// joinRef joins what the parts say of one reference.
func (x *Index) joinRef(parts []*refIndex) refIndex {
	first, last := parts[0], parts[len(parts)-1]
	out := refIndex{ref: first.ref, beg: first.beg, end: last.end}
	if len(parts) == 1 {
		return *first
	}
	bins := map[uint32][]chunk{}
	for _, p := range parts {
		out.mapped += p.mapped
		out.unmapped += p.unmapped
		for i := range p.bins {
			bins[p.bins[i].bin] = append(bins[p.bins[i].bin], p.bins[i].chunks...)
		}
		if n := len(out.linear); n < len(p.linear) {
			// What an earlier part says of a window is less, so it holds.
			out.linear = append(out.linear, p.linear[n:]...)
		}
	}
	for bin, chunks := range bins {
		out.bins = append(out.bins, binIndex{bin: bin, chunks: joinChunks(chunks)})
	}
	slices.SortFunc(out.bins, func(a, b binIndex) int { return int(int64(a.bin) - int64(b.bin)) })
	if x.kind == CSI {
		x.joinOffsets(&out, parts)
	}
	return out
}

// joinOffsets finds the least offset of each bin. A reader takes that of a bin as a bound for all
// that overlaps the bin's first window or lies behind it; a part that has not this bin may have
// such records, in a larger bin or in one further on, and then the bound is its own.
func (x *Index) joinOffsets(out *refIndex, parts []*refIndex) {
	reach := make([]int, len(parts)) // the last window that a record of the part may overlap
	for i, p := range parts {
		for j := range p.bins {
			reach[i] = max(reach[i], lastWindow(p.bins[j].bin, x.depth))
		}
	}
	for i := range out.bins {
		window := firstWindow(out.bins[i].bin, x.depth)
		for j, p := range parts { // the first part is the bound: the others lie behind it
			if reach[j] >= window {
				out.bins[i].loff = x.bound(p, window)
				break
			}
		}
	}
}

// bound is an offset before which no record of the reference overlaps the window or what is
// behind it, found as htslib finds it: by the window's bin, a bin before it, or one around it.
func (x *Index) bound(r *refIndex, window int) uint64 {
	for bin := firstBin(x.depth) + uint32(window); ; {
		if i, ok := findBin(r.bins, bin); ok {
			return r.bins[i].loff
		}
		switch parent := (bin - 1) >> 3; {
		case bin == 0:
			return r.beg
		case bin > parent<<3+1:
			bin--
		default:
			bin = parent
		}
	}
}

func findBin(bins []binIndex, bin uint32) (int, bool) {
	return slices.BinarySearchFunc(bins, bin, func(b binIndex, bin uint32) int { return int(int64(b.bin) - int64(bin)) })
}

// lastWindow returns the last 16 KiB window of a bin.
func lastWindow(bin uint32, depth int) int {
	level := 0
	for level < depth && bin >= firstBin(level+1) {
		level++
	}
	return int(bin-firstBin(level)+1)<<(3*(depth-level)) - 1
}

// WriteTo writes the index to dst. Only Level of cfg matters, and the meters.
func (x *Index) WriteTo(dst io.Writer, cfg Config) error {
	w := &indexer{kind: x.kind, depth: x.depth, nRefs: x.nRefs, noCoor: x.noCoor}
	for i := range x.refs {
		r := &x.refs[i]
		w.skipTo(int(r.ref))
		w.bins, w.linear = make(map[uint32][]chunk, len(r.bins)), r.linear
		loffs := make(map[uint32]uint64, len(r.bins))
		for j := range r.bins {
			w.bins[r.bins[j].bin], loffs[r.bins[j].bin] = r.bins[j].chunks, r.bins[j].loff
		}
		w.refStart, w.mapped, w.unmapped = r.beg, r.mapped, r.unmapped
		w.appendRef(loffs, r.end)
		w.nDone++
	}
	w.skipTo(w.nRefs)
	if err := w.writeTo(dst, cfg); err != nil {
		return fmt.Errorf("bam: index: %w", err)
	}
	return nil
}
