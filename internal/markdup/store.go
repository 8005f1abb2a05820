package markdup

import (
	"context"
	"encoding/binary"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// store collects signatures in memory, and moves all it holds into its file when that is full. It
// belongs to one goroutine until order, and is read-only from then on.
//
//	arena   signatures → │ free │ ← their offsets, by partition
type store struct {
	m      *Marker
	arena  []byte
	used   int      // bytes of signatures
	n      int      // signatures
	starts []uint32 // by partition, and one more: places in the list of offsets
	out    []byte   // pages of frames, for spilling
	file   vfs.File // nil until the first spill
	size   int64    // of the file
	runs   []run
	// spilled is how many signatures of each partition are in the file.
	spilled []int64
}

const offsetBytes = 4

// reserve returns the place of a new signature of size bytes, zeroed. It may have to spill.
func (s *store) reserve(ctx context.Context, size int) (signature, error) {
	if s.used+size+(s.n+1)*offsetBytes > len(s.arena) {
		if err := s.spill(ctx); err != nil {
			return nil, err
		}
	}
	at := s.used
	s.used += size
	s.n++
	sig := signature(s.arena[at:s.used:s.used])
	clear(sig)
	return sig, nil
}

// order lists the signatures by partition.
func (s *store) order() {
	clear(s.starts)
	for at := 0; at < s.used; {
		sig := signature(s.arena[at:])
		s.starts[s.m.partition(sig)]++
		at += sig.size()
	}
	sum := uint32(0)
	for p, n := range s.starts { // to where each partition ends
		sum += n
		s.starts[p] = sum
	}
	next := s.starts // moves down to where each begins, so signatures are placed from the last on
	for at := 0; at < s.used; {
		sig := signature(s.arena[at:])
		p := s.m.partition(sig)
		next[p]--
		binary.LittleEndian.PutUint32(s.offset(next[p]), uint32(at))
		at += sig.size()
	}
}

func (s *store) offset(i uint32) []byte {
	at := len(s.arena) - (int(i)+1)*offsetBytes
	return s.arena[at : at+offsetBytes]
}

// each calls f for the signatures of a partition that are in memory. They must be ordered.
func (s *store) each(partition int, f func(signature) error) error {
	for i := s.starts[partition]; i < s.starts[partition+1]; i++ {
		at := binary.LittleEndian.Uint32(s.offset(i))
		if err := f(signature(s.arena[at:s.used])); err != nil {
			return err
		}
	}
	return nil
}

// count is how many signatures of a partition there are.
func (s *store) count(partition int) int64 {
	return s.spilled[partition] + int64(s.starts[partition+1]-s.starts[partition])
}
