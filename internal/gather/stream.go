package gather

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/sorter"
)

// maxRecord is the longest record, in bytes, that is believed; a damaged length would otherwise
// have the rest of the part read into memory.
const maxRecord = 512 << 20

// stream gives out the plain data of a part, by pieces or by records.
type stream struct {
	src   *source
	cur   *batch // nil before the first
	at    int    // in cur.plain
	block int    // of cur, at or before at
	carry []byte // a piece that goes over the end of a batch
	count int64  // records so far
}

// openStream begins at a virtual offset and reads depth batches ahead; 0 is for a peek.
func (r *run) openStream(p *part, from uint64, depth int) (*stream, error) {
	s := &stream{src: r.newSource(p, int64(from>>16), depth)}
	if skip := int(from & 0xffff); skip > 0 {
		if _, err := s.take(skip); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// ensure makes sure that there is a byte left in cur. io.EOF means that there is none.
func (s *stream) ensure() error {
	for s.cur == nil || s.at == len(s.cur.plain) {
		if s.cur != nil {
			if s.cur.err != nil {
				return s.cur.err
			}
			s.src.again(s.cur)
		}
		s.cur, s.at, s.block = s.src.take(), 0, 0
	}
	return nil
}

// tell is the virtual offset of the next byte.
func (s *stream) tell() uint64 {
	if s.at == len(s.cur.plain) {
		return uint64(s.cur.end) << 16
	}
	for s.block+1 < len(s.cur.blocks) && s.cur.blocks[s.block+1].at <= s.at {
		s.block++
	}
	b := s.cur.blocks[s.block]
	return uint64(b.address)<<16 | uint64(s.at-b.at)
}

// take returns the next n bytes, valid until the next call.
func (s *stream) take(n int) ([]byte, error) {
	s.carry = s.carry[:0]
	return s.extend(n)
}

// extend makes carry n bytes long, or returns a view where all n are in one batch.
func (s *stream) extend(n int) ([]byte, error) {
	for len(s.carry) < n {
		if err := s.ensure(); err != nil {
			if errors.Is(err, io.EOF) {
				err = badData("", describe(s.src.p.path, "%w", errMiddle))
			}
			return nil, err
		}
		rest := s.cur.plain[s.at:]
		if m := n - len(s.carry); len(rest) > m {
			rest = rest[:m:m]
		}
		s.at += len(rest)
		if len(rest) == n {
			return rest, nil
		}
		s.carry = append(s.carry, rest...)
	}
	return s.carry, nil
}

// record returns the next record, with block_size, valid until the next call, and its virtual
// offset. io.EOF comes after the last one.
func (s *stream) record() (rec []byte, off uint64, err error) {
	if err := s.ensure(); err != nil {
		return nil, 0, err
	}
	off = s.tell()
	if rest := s.cur.plain[s.at:]; len(rest) >= 4 {
		if n := 4 + int(binary.LittleEndian.Uint32(rest)); n <= len(rest) {
			s.at += n
			s.count++
			return rest[:n:n], off, s.validate(rest[4:n])
		}
	}
	head, err := s.take(4)
	if err != nil {
		return nil, 0, err
	}
	size := int64(binary.LittleEndian.Uint32(head))
	if size > maxRecord {
		return nil, 0, s.bad(errors.New("bad block size"))
	}
	s.carry = append(s.carry[:0], head...)
	if rec, err = s.extend(4 + int(size)); err != nil {
		return nil, 0, err
	}
	s.count++
	return rec, off, s.validate(rec[4:])
}

func (s *stream) validate(rec []byte) error {
	if err := bamrec.Validate(rec); err != nil {
		return s.bad(err)
	}
	return nil
}

// bad says that the last record is damaged.
func (s *stream) bad(err error) error {
	return badData("", describe(s.src.p.path, "record %d: %w", s.count, err))
}

// keyOf is where a record, without block_size, sorts.
func keyOf(rec []byte) sorter.Key {
	ref := bamrec.Ref(rec)
	if ref < 0 {
		return sorter.Unplaced
	}
	return sorter.KeyOf(ref, bamrec.Pos(rec), bamrec.Flag(rec)&bamrec.FlagReverse != 0)
}
