package sorter

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
	"unsafe"
)

const (
	ordBytes     = 8 // before each record in a buffer
	sizeBytes    = 4 // block_size, a record's own first bytes
	maxBlockSize = math.MaxInt32
)

// entry is a record in a buffer: its key, and the offset of its ordinal.
type entry struct {
	key Key
	at  uint64
}

const entryBytes = int(unsafe.Sizeof(entry{}))

// EntryBytes is what a record takes in memory beside itself: an entry, the same again while they are
// sorted, and its ordinal.
const EntryBytes = int64(2*entryBytes + ordBytes)

// buffer holds records and sorts them. doc.go has its layout.
type buffer struct {
	sorter *Sorter
	mem    []byte // nil once given back
	n      int    // entries
	top    int    // offset of the lowest record
	or     Key    // of all keys
	and    Key    // of all keys
	long   int    // bytes of the longest record
	sorted []entry
}

// newBuffer makes a buffer of n bytes.
func (s *Sorter) newBuffer(n int64) (*buffer, error) {
	mem, err := s.mem.alloc(n)
	if err != nil {
		return nil, err
	}
	b := &buffer{sorter: s, mem: mem}
	b.reset()
	return b, nil
}

// reset empties the buffer.
func (b *buffer) reset() {
	b.n, b.top, b.long = 0, len(b.mem), 0
	b.or, b.and, b.sorted = 0, Unplaced, nil
}

// fits reports whether a record of n bytes has room, with floor bytes to spare.
func (b *buffer) fits(n, floor int) bool {
	return 2*entryBytes*(b.n+1)+ordBytes+n+floor <= b.top
}

// add copies a record that fits.
func (b *buffer) add(key Key, ord uint64, rec []byte) {
	need := ordBytes + len(rec)
	b.top -= need
	dst := b.mem[b.top : b.top+need]
	binary.LittleEndian.PutUint64(dst, ord)
	copy(dst[ordBytes:], rec)
	b.slots(b.n + 1)[b.n] = entry{key, uint64(b.top)}
	b.n++
	b.or |= key
	b.and &= key
	b.long = max(b.long, len(rec))
}

// record returns the record of an entry.
func (b *buffer) record(e entry) []byte {
	rec := b.mem[e.at+ordBytes:]
	return rec[:sizeBytes+int(binary.LittleEndian.Uint32(rec))]
}

// slots returns the first n entries' memory. The mapping starts at a page, so it is aligned.
func (b *buffer) slots(n int) []entry {
	return unsafe.Slice((*entry)(unsafe.Pointer(unsafe.SliceData(b.mem))), n)
}

// sort puts the entries in order, once. Input order is the order they are in.
func (b *buffer) sort() {
	if b.sorted != nil || b.n == 0 {
		return
	}
	s := b.sorter
	me := s.cfg.SortStage.Enter()
	defer me.Exit()
	all := b.slots(2 * b.n)
	b.sorted = all[:b.n:b.n]
	switch s.cfg.Order {
	case Coordinate:
		b.sorted = radixSort(b.sorted, all[b.n:], b.or^b.and)
		s.hist.add(b.sorted)
	case Name:
		b.sortByName()
	}
	s.records.Add(int64(b.n))
	s.cfg.SortStage.AddItems(int64(b.n))
	s.cfg.SortStage.AddBytesIn(int64(len(b.mem) - b.top))
}

// used is the part of the buffer that holds something, in bytes.
func (b *buffer) used() int { return len(b.mem) - b.top + entryBytes*b.n }

// spill writes what the buffer holds, which is something, as a run, and empties it.
func (b *buffer) spill(ctx context.Context) (*run, error) {
	s := b.sorter
	me := s.cfg.SortStage.Enter()
	defer me.Exit()
	b.sort()
	src := source{order: s.cfg.Order, mem: b.mem, entries: b.sorted}
	r, err := s.writeRun(ctx, &s.spilledRuns, func(w *runWriter) error {
		for src.nextInMemory() {
			if err := w.add(src.key, src.ord, src.rec); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		b.reset()
	}
	return r, err
}

// longestBody is what the records would need of a merge once spilled, in bytes.
func (b *buffer) longestBody() int64 {
	if plainFixed+b.long <= b.sorter.tune.frame {
		return 0
	}
	return int64(b.long)
}

// free gives the memory back. A buffer that was never made has none.
func (b *buffer) free() error {
	if b == nil {
		return nil
	}
	mem := b.mem
	b.mem = nil
	b.reset()
	return b.sorter.mem.release(mem)
}

// bySize returns the buffers that hold records, the emptiest first.
func bySize(buffers []*buffer) []*buffer {
	full := slices.DeleteFunc(buffers, func(b *buffer) bool { return b.n == 0 })
	slices.SortStableFunc(full, func(a, b *buffer) int { return a.used() - b.used() })
	return full
}
