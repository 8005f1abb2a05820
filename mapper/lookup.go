package mapper

import "unsafe"

// lookUps finds the entries of many seeds at a time, so that the memory's latency is paid
// once for all of them: first all lines of the bucket table are asked for, then all lines of
// the entries, and only then is anything compared.
type lookUps struct {
	seeds []*seedHits
	addrs []uintptr
}

// lookUpChunk seeds are in flight together. More would push each other out of the cache.
const lookUpChunk = 256

// cacheLine is the size of a line in bytes, or a part of it.
const cacheLine = 64

func (l *lookUps) add(s *seedHits) {
	if !s.looked {
		l.seeds = append(l.seeds, s)
	}
}

// run looks up all seeds added since the last run.
func (l *lookUps) run(ix *Index) {
	for from := 0; from < len(l.seeds); from += lookUpChunk {
		l.chunk(ix, l.seeds[from:min(from+lookUpChunk, len(l.seeds))])
	}
	clear(l.seeds)
	l.seeds = l.seeds[:0]
}

func (l *lookUps) chunk(ix *Index, seeds []*seedHits) {
	shift := seedBits - ix.bucketBits
	base := uintptr(unsafe.Pointer(unsafe.SliceData(ix.starts)))
	l.addrs = l.addrs[:0]
	for _, s := range seeds {
		l.addrs = append(l.addrs, base+uintptr(s.hash>>shift)*4)
	}
	prefetch(l.addrs)
	base = uintptr(unsafe.Pointer(unsafe.SliceData(ix.entries)))
	l.addrs = l.addrs[:0]
	for _, s := range seeds {
		b := s.hash >> shift
		s.lo, s.hi = ix.starts[b], ix.starts[b+1]
		if s.lo > s.hi || uint64(s.hi) > uint64(len(ix.entries)) { // a damaged file
			s.lo, s.hi = 0, 0
		}
		first, last := base+uintptr(s.lo)*8, base+uintptr(s.hi)*8-1
		l.addrs = append(l.addrs, first)
		if first^last >= cacheLine {
			l.addrs = append(l.addrs, last)
		}
	}
	prefetch(l.addrs)
	for _, s := range seeds {
		s.lo, s.hi = ix.narrow(s.lo, s.hi, s.hash&(1<<shift-1))
		s.looked = true
	}
}
