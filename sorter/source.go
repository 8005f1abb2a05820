package sorter

import (
	"context"
	"encoding/binary"
	"errors"
)

// lookahead is how many records of a slab are touched at once before their turn: they lie
// anywhere, and the waits for memory overlap. More would fall out of the first-level cache.
const lookahead = 16

// source is one sorted sequence to merge: the entries of a slab, or a run. Its fields key, ord
// and rec are the record at its head.
type source struct {
	order Order
	keys  keyRange // records of a run outside of it are passed over
	key   Key
	ord   uint64
	rec   []byte // nil where body says where it is
	name  []byte // of the record, where names give the order
	body  bodyPlace

	mem     []byte // of a slab
	entries []entry
	at      int
	ords    [lookahead]uint64 // of entries at&^(lookahead-1)...

	run   *runReader // nil for a slab
	frame []byte     // records of the run not yet at the head
}

// bodyPlace is where a record is that was too long for a frame.
type bodyPlace struct {
	at     int64
	number uint32 // of its first frame
	length int    // bytes, block_size included
}

// rank is the head's place in the order, for the loser tree.
func (s *source) rank(index int) leaf {
	if s.order != Coordinate {
		return leaf{ord: s.ord, src: uint64(index)}
	}
	return leaf{uint64(s.key), s.ord, uint64(index)}
}

// next moves the head to the next record and reports whether there is one.
func (s *source) next(ctx context.Context, p *prefetcher) (bool, error) {
	if s.run == nil {
		return s.nextInMemory(), nil
	}
	for {
		if len(s.frame) == 0 {
			frame, err := p.frame(ctx, s.run)
			if frame == nil || err != nil {
				return false, err
			}
			s.frame = frame
		}
		if err := s.nextInFrame(); err != nil {
			return false, err
		}
		if s.key > s.keys.last {
			return false, nil
		}
		if s.key >= s.keys.first {
			return true, nil
		}
	}
}

func (s *source) nextInMemory() bool {
	if s.at == len(s.entries) {
		return false
	}
	slot := s.at % lookahead
	if slot == 0 {
		s.touch()
	}
	e := s.entries[s.at]
	s.at++
	rec := s.mem[e.at+ordBytes:]
	n := sizeBytes + int(binary.LittleEndian.Uint32(rec))
	s.key, s.ord, s.rec = e.key, s.ords[slot], rec[:n:n]
	if s.order == Name {
		s.name = nameOf(s.rec)
	}
	return true
}

// touch loads the ordinals, and with them the first cache lines, of the next records.
func (s *source) touch() {
	ahead := s.entries[s.at:min(s.at+lookahead, len(s.entries))]
	for i, e := range ahead {
		s.ords[i] = binary.LittleEndian.Uint64(s.mem[e.at:])
	}
}

var errFrame = errors.New("records do not fill the frame")

// nextInFrame takes the next record off the frame. The checksum was good, so an error here is a
// bug of the writer or the reader.
func (s *source) nextInFrame() error {
	f := s.frame
	if len(f) < plainFixed+sizeBytes {
		return s.run.corrupt(errFrame)
	}
	s.key, s.ord = Key(binary.LittleEndian.Uint64(f)), binary.LittleEndian.Uint64(f[8:])
	size := binary.LittleEndian.Uint32(f[plainFixed:])
	if size == bodyMark {
		return s.refer()
	}
	end := plainFixed + sizeBytes + int(size)
	if end > len(f) {
		return s.run.corrupt(errFrame)
	}
	s.rec, s.frame = f[plainFixed:end:end], f[end:]
	if s.order == Name {
		s.name = nameOf(s.rec)
	}
	return nil
}

// refer takes a reference to body frames off the frame.
func (s *source) refer() error {
	if len(s.frame) < bodyRef {
		return s.run.corrupt(errFrame)
	}
	f := s.frame[plainFixed+sizeBytes : bodyRef]
	s.body = bodyPlace{
		at:     int64(binary.LittleEndian.Uint64(f)),
		number: binary.LittleEndian.Uint32(f[8:]),
		length: int(binary.LittleEndian.Uint32(f[12:])),
	}
	end := bodyRef + int(s.frame[bodyRef-1])
	if len(s.frame) < end {
		return s.run.corrupt(errFrame)
	}
	s.name = s.frame[bodyRef:end:end]
	s.rec, s.frame = nil, s.frame[end:]
	if int64(s.body.length) > s.run.run.body {
		return s.run.corrupt(errors.New("impossible size"))
	}
	return nil
}
