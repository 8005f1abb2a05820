package mapper

import (
	"crypto/md5"
	"hash"
	"sync"
)

// summer computes the M5 of contigs beside their packing. MD5 is one chain of dependent
// steps, so a contig's sum cannot be divided; but it can run while the next piece is read.
type summer struct {
	work  chan sumPiece
	spare chan []byte
	done  sync.WaitGroup
	sums  [][16]byte // of the contigs that ended, in order; the goroutine's until done
}

// sumPiece is a piece of a contig's bases, or the end of one.
type sumPiece struct {
	bases []byte
	ends  bool
}

const sumPieces = 4 // buffers of pieceBases in all

func newSummer() *summer {
	s := &summer{work: make(chan sumPiece, sumPieces), spare: make(chan []byte, sumPieces)}
	for range sumPieces {
		s.spare <- make([]byte, 0, pieceBases)
	}
	s.done.Add(1)
	go s.run()
	return s
}

// piece waits for an empty buffer.
func (s *summer) piece() []byte { return <-s.spare }

// add hands a piece over and returns an empty one.
func (s *summer) add(bases []byte) []byte {
	s.work <- sumPiece{bases: bases}
	return s.piece()
}

// end says that the contig is complete.
func (s *summer) end() { s.work <- sumPiece{ends: true} }

func (s *summer) run() {
	defer s.done.Done()
	var h hash.Hash = md5.New()
	for p := range s.work {
		if !p.ends {
			h.Write(p.bases)
			s.spare <- p.bases[:0]
			continue
		}
		var sum [16]byte
		h.Sum(sum[:0])
		h.Reset()
		s.sums = append(s.sums, sum)
	}
}

// finish waits for all sums and puts them in the table.
func (s *summer) finish(contigs []contig) {
	close(s.work)
	s.done.Wait()
	for i, sum := range s.sums {
		contigs[i].md5 = sum
	}
}
