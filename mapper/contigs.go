package mapper

import (
	"encoding/hex"
	"errors"
	"math/bits"
	"sort"
	"unsafe"

	"github.com/zeebo/xxh3"
)

// contig is one sequence of the reference. The table of them is used where the .apx file
// is mapped, so a reference of a million contigs opens as fast as one of two dozen.
//
//	┌───────┬───────┬────────┬────────────────┬────────────────┐  Off, Len: bases, 0-based, in the
//	│ Off 8 │ Len 8 │ M5  16 │ name's start 4 │ name's bytes 4 │  packed genome. M5: of the upper-case
//	└───────┴───────┴────────┴────────────────┴────────────────┘  sequence. Names: one blob for all.
type contig struct {
	Off, Len int64
	md5      [16]byte
	nameAt   uint32
	nameLen  uint32
}

var _ [contigBytes]byte = [unsafe.Sizeof(contig{})]byte{} // the table is mapped, not parsed

const (
	contigBytes = 40
	maxContig   = 1<<31 - 1 // bases: what BAM can hold
	maxContigs  = 1<<31 - 1
)

// addContig opens a new contig at the end of the genome.
func (r *Reference) addContig(name string) error {
	if len(r.contigs) == maxContigs || len(r.names)+len(name) > 1<<32-1 {
		return errors.New("more contigs than BAM can hold")
	}
	r.contigs = append(r.contigs, contig{Off: r.total, nameAt: uint32(len(r.names)), nameLen: uint32(len(name))})
	r.names = append(r.names, name...)
	return nil
}

// name returns the name of contig i, valid until the index is closed.
func (r *Reference) name(i int) []byte {
	c := &r.contigs[i]
	return r.names[c.nameAt:][:c.nameLen]
}

// Names returns the names of the contigs, in file order.
func (r *Reference) Names() []string {
	all := string(r.names) // one allocation for all
	names := make([]string, len(r.contigs))
	for i := range r.contigs {
		c := &r.contigs[i]
		names[i] = all[c.nameAt:][:c.nameLen]
	}
	return names
}

// Lens returns the lengths of the contigs in bases.
func (r *Reference) Lens() []int64 {
	lens := make([]int64, len(r.contigs))
	for i := range r.contigs {
		lens[i] = r.contigs[i].Len
	}
	return lens
}

// MD5s returns the M5 values of the contigs, in hexadecimal.
func (r *Reference) MD5s() []string {
	digits := make([]byte, 0, 32*len(r.contigs))
	for i := range r.contigs {
		digits = hex.AppendEncode(digits, r.contigs[i].md5[:])
	}
	all := string(digits)
	sums := make([]string, len(r.contigs))
	for i := range sums {
		sums[i] = all[32*i : 32*i+32]
	}
	return sums
}

// hintShiftFor makes blocks of 1<<shift bases, up to four for each contig of the genome:
// 12 MB of hints for a million contigs, and few contigs that begin in one block.
func hintShiftFor(total int64, contigs int) uint {
	shift := max(bits.Len64(uint64(total))-bits.Len64(4*uint64(contigs)), 0)
	for total>>shift >= 4*int64(contigs) {
		shift++
	}
	return uint(shift)
}

// hintsFor is the length of the hint table: one for each block, and one past the end.
func hintsFor(total int64, contigs int) int { return int(total>>hintShiftFor(total, contigs)) + 2 }

// makeHints notes for each block of bases which contig holds its first base.
func (r *Reference) makeHints() {
	r.hintShift = hintShiftFor(r.total, len(r.contigs))
	r.hints = make([]uint32, hintsFor(r.total, len(r.contigs)))
	i := 0
	for b := range r.hints {
		for i < len(r.contigs)-1 && r.contigs[i].Off+r.contigs[i].Len <= int64(b)<<r.hintShift {
			i++
		}
		r.hints[b] = uint32(i)
	}
}

// contigAt returns the contig that holds genome position p, and the last one for positions
// behind the genome, which only a damaged index can name.
func (r *Reference) contigAt(p int64) int {
	if uint64(p) >= uint64(r.total) {
		return len(r.contigs) - 1
	}
	b := p >> r.hintShift
	lo := min(int(r.hints[b]), len(r.contigs)-1)
	if c := &r.contigs[lo]; p < c.Off+c.Len {
		return lo
	}
	hi := min(int(r.hints[b+1]), len(r.contigs)-1)
	if hi <= lo {
		return lo // hints that do not ascend are damaged
	}
	return lo + 1 + sort.Search(hi-lo-1, func(i int) bool {
		c := &r.contigs[lo+1+i]
		return p < c.Off+c.Len
	})
}

// checkContigs holds a table that was read to what everything else relies on: contigs
// follow each other, have lengths that BAM can hold, and names inside the blob.
func (r *Reference) checkContigs() bool {
	at := int64(0)
	for i := range r.contigs {
		c := &r.contigs[i]
		if c.Off != at || uint64(c.Len) > maxContig || uint64(c.nameAt)+uint64(c.nameLen) > uint64(len(r.names)) {
			return false
		}
		at += c.Len
	}
	return len(r.contigs) > 0 && at == r.total
}

// digest identifies names, lengths and M5s.
func (r *Reference) digest() [16]byte {
	h := xxh3.New()
	h.Write(bytesOf(r.contigs))
	h.Write(r.names)
	return h.Sum128().Bytes()
}
