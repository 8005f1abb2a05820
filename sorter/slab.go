package sorter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"unsafe"
)

const (
	ordBytes     = 8 // before each record in a slab
	sizeBytes    = 4 // block_size, a record's own first bytes
	maxBlockSize = math.MaxInt32
)

// entry is a record in a slab: its key, and the offset of its ordinal.
type entry struct {
	key Key
	at  uint64
}

var errLate = errors.New("sorter: record added after Merge or Close")

const entryBytes = int(unsafe.Sizeof(entry{}))

// Slab collects the records of one worker. It belongs to one goroutine at a time.
type Slab struct {
	sorter *Sorter
	worker int
	mem    []byte  // doc.go has the layout; nil once given back
	n      int     // entries
	top    int     // offset of the lowest record
	or     Key     // of all keys
	and    Key     // of all keys
	next   uint64  // the least ordinal allowed
	long   int     // bytes of the longest record
	sorted []entry // set by sort
	runs   []*run  // what was spilled, oldest first
	err    error   // the first failure; nothing works after it
}

// reset empties the slab.
func (sl *Slab) reset() {
	sl.n, sl.top, sl.long = 0, len(sl.mem), 0
	sl.or, sl.and, sl.sorted = 0, Unplaced, nil
}

// Add copies one record into the slab. ord must be above that of the record before in the same
// slab, and rec an encoded BAM record with its block_size. When the slab is full, Add sorts and
// spills it, which may take a second; ctx is looked at only then. A record that no merge could
// hold is a [MemoryError]. After an error the sort has failed as a whole.
func (sl *Slab) Add(ctx context.Context, key Key, ord uint64, rec []byte) error {
	if ord < sl.next || len(rec) < sizeBytes || int64(len(rec)) > sl.sorter.maxRecord ||
		len(rec)-sizeBytes != int(binary.LittleEndian.Uint32(rec)) || sl.err != nil {
		return sl.refuse(ord, rec)
	}
	need := ordBytes + len(rec)
	if 2*entryBytes*(sl.n+1)+need > sl.top {
		if stored, err := sl.makeRoom(ctx, key, ord, rec); stored || err != nil {
			return err
		}
	}
	sl.next = ord + 1
	sl.top -= need
	dst := sl.mem[sl.top : sl.top+need]
	binary.LittleEndian.PutUint64(dst, ord)
	copy(dst[ordBytes:], rec)
	sl.slots(sl.n + 1)[sl.n] = entry{key, uint64(sl.top)}
	sl.n++
	sl.or |= key
	sl.and &= key
	sl.long = max(sl.long, len(rec))
	return nil
}

// refuse finds out why Add cannot go on.
func (sl *Slab) refuse(ord uint64, rec []byte) error {
	s := sl.sorter
	switch {
	case sl.err != nil:
	case ord < sl.next:
		sl.err = fmt.Errorf("sorter: ordinal %d after %d in one slab", ord, sl.next-1)
	case int64(len(rec)) > s.maxRecord && len(rec) <= maxBlockSize:
		least := s.cfg.MemBytes - s.maxRecord + pages(int64(len(rec)))
		sl.err = &MemoryError{Have: s.cfg.MemBytes, Least: least, Record: int64(len(rec))}
	default:
		sl.err = fmt.Errorf("sorter: record %d has %d bytes, which its block_size does not say", ord, len(rec))
	}
	return s.fail(sl.err)
}

// makeRoom spills the slab. A record that would not fit in an empty one it stores as a run
// of its own.
func (sl *Slab) makeRoom(ctx context.Context, key Key, ord uint64, rec []byte) (stored bool, err error) {
	defer func() {
		if err != nil {
			sl.err = sl.sorter.fail(err)
		}
	}()
	if err := sl.spill(ctx); err != nil {
		return false, err
	}
	if 2*entryBytes+ordBytes+len(rec) <= len(sl.mem) {
		return false, nil
	}
	if err := sl.spillOne(ctx, key, ord, rec); err != nil {
		return false, err
	}
	sl.next = ord + 1
	return true, nil
}

// slots returns the first n entries' memory. The mapping starts at a page, so it is aligned.
func (sl *Slab) slots(n int) []entry {
	return unsafe.Slice((*entry)(unsafe.Pointer(unsafe.SliceData(sl.mem))), n)
}

// sort puts the entries in order, once. Input order is the order they are in.
func (sl *Slab) sort() {
	if sl.sorted != nil || sl.n == 0 {
		return
	}
	s := sl.sorter
	me := s.cfg.SortStage.Enter()
	defer me.Exit()
	all := sl.slots(2 * sl.n)
	sl.sorted = all[:sl.n:sl.n]
	switch s.cfg.Order {
	case Coordinate:
		sl.sorted = radixSort(sl.sorted, all[sl.n:], sl.or^sl.and)
		s.hist.add(sl.sorted)
	case Name:
		sl.sortByName(sl.sorted)
	}
	s.records.Add(int64(sl.n))
	s.cfg.SortStage.AddItems(int64(sl.n))
	s.cfg.SortStage.AddBytesIn(int64(len(sl.mem) - sl.top))
}

// used is the part of the slab that holds something, in bytes.
func (sl *Slab) used() int { return len(sl.mem) - sl.top + entryBytes*sl.n }

// spill writes what the slab holds as a run and empties it.
func (sl *Slab) spill(ctx context.Context) error {
	if sl.n == 0 {
		return nil
	}
	me := sl.sorter.cfg.SortStage.Enter()
	defer me.Exit()
	sl.sort()
	src := source{order: sl.sorter.cfg.Order, mem: sl.mem, entries: sl.sorted}
	r, err := sl.sorter.writeRun(ctx, &sl.sorter.spilledRuns, func(w *runWriter) error {
		for src.nextInMemory() {
			if err := w.add(src.key, src.ord, src.rec); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	sl.runs = append(sl.runs, r)
	sl.reset()
	return nil
}

// spillOne writes a run of one record, straight from the caller's memory.
func (sl *Slab) spillOne(ctx context.Context, key Key, ord uint64, rec []byte) error {
	s := sl.sorter
	me := s.cfg.SortStage.Enter()
	defer me.Exit()
	r, err := s.writeRun(ctx, &s.spilledRuns, func(w *runWriter) error { return w.add(key, ord, rec) })
	if err != nil {
		return err
	}
	sl.runs = append(sl.runs, r)
	if s.cfg.Order == Coordinate {
		s.hist.add([]entry{{key: key}})
	}
	s.records.Add(1)
	s.cfg.SortStage.AddItems(1)
	s.cfg.SortStage.AddBytesIn(int64(len(rec)))
	return nil
}

// longestBody is what the slab's records would need of a merge once spilled, in bytes.
func (sl *Slab) longestBody() int64 {
	if plainFixed+sl.long <= sl.sorter.tune.frame {
		return 0
	}
	return int64(sl.long)
}

// free gives the slab's memory back; its runs stay.
func (sl *Slab) free() error {
	mem := sl.mem
	sl.mem, sl.err = nil, errLate
	sl.reset()
	return sl.sorter.mem.release(mem)
}

// bySize returns the slabs that hold records, the emptiest first.
func bySize(slabs []*Slab) []*Slab {
	full := slices.DeleteFunc(slices.Clone(slabs), func(sl *Slab) bool { return sl.n == 0 })
	slices.SortStableFunc(full, func(a, b *Slab) int { return a.used() - b.used() })
	return full
}
