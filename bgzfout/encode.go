package bgzfout

import (
	"encoding/binary"
	"io"
	"maps"
	"slices"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// firstBin is the number of the first bin of a level; level 0 is the whole reference.
func firstBin(level int) uint32 { return uint32((1<<(3*level) - 1) / 7) }

// binOf returns the smallest bin that holds [beg, end), in bases.
func binOf(beg, end int64, depth int) uint32 {
	end--
	for level := depth; level > 0; level-- {
		shift := minShift + 3*(depth-level)
		if beg>>shift == end>>shift {
			return firstBin(level) + uint32(beg>>shift)
		}
	}
	return 0
}

// firstWindow returns the first 16 KiB window of a bin.
func firstWindow(bin uint32, depth int) int {
	level := 0
	for level < depth && bin >= firstBin(level+1) {
		level++
	}
	return int(bin-firstBin(level)) << (3 * (depth - level))
}

// appendRef encodes the current reference: bins in ascending order, the pseudo-bin
// with the reference's stretch of the file and its counts, and for BAI the windows.
func (x *indexer) appendRef(loffs map[uint32]uint64, end uint64) {
	le := binary.LittleEndian
	x.body = le.AppendUint32(x.body, uint32(len(x.bins)+1))
	for _, bin := range slices.Sorted(maps.Keys(x.bins)) {
		x.appendBin(bin, loffs[bin], x.bins[bin]...)
	}
	x.appendBin(x.metaBin(), 0, chunk{x.refStart, end}, chunk{x.mapped, x.unmapped})
	if x.kind != BAI {
		return
	}
	x.body = le.AppendUint32(x.body, uint32(len(x.linear)))
	for _, at := range x.linear {
		x.body = le.AppendUint64(x.body, at)
	}
}

func (x *indexer) appendBin(bin uint32, loff uint64, list ...chunk) {
	le := binary.LittleEndian
	x.body = le.AppendUint32(x.body, bin)
	if x.kind == CSI {
		x.body = le.AppendUint64(x.body, loff)
	}
	x.body = le.AppendUint32(x.body, uint32(len(list)))
	for _, c := range list {
		x.body = le.AppendUint64(le.AppendUint64(x.body, c.beg), c.end)
	}
}

// writeTo writes the finished index. CSI is itself a BGZF file.
func (x *indexer) writeTo(dst io.Writer, cfg Config) error {
	le := binary.LittleEndian
	tail := le.AppendUint64(nil, x.noCoor)
	if x.kind == BAI {
		head := le.AppendUint32([]byte("BAI\x01"), uint32(x.nRefs))
		return writeAll(meter.NewWriter(dst, cfg.WriteStage), head, x.body, tail)
	}
	head := []byte("CSI\x01")
	for _, v := range [...]int{minShift, x.depth, 0 /* l_aux */, x.nRefs} {
		head = le.AppendUint32(head, uint32(v))
	}
	w := NewWriter(dst, Config{Level: max(cfg.Level, 1), WriteStage: cfg.WriteStage})
	for _, part := range [][]byte{head, x.body, tail} {
		if err := w.WriteRecord(part); err != nil {
			break // Close reports it
		}
	}
	return w.Close()
}

// writeAll writes the parts in order.
func writeAll(dst io.Writer, parts ...[]byte) error {
	for _, p := range parts {
		n, err := dst.Write(p)
		if err == nil && n < len(p) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return err
		}
	}
	return nil
}
