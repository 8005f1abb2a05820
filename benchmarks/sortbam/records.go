package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/sorter"
)

const (
	sizeBytes = 4  // block_size
	fixedLen  = 32 // the least a record has behind it
)

// turns takes the workers, in the order of their pieces, to where the records begin: only the
// piece before knows. Going from record to record there is all that is done in turn.
type turns struct {
	mu   sync.Mutex
	some sync.Cond
	now  uint64 // number of the piece whose turn it is
	tail []byte // of the pieces before: what is no whole record
	err  error
}

// newTurns starts with what the header has left.
func newTurns(first uint64, tail []byte) *turns {
	t := &turns{now: first, tail: tail}
	t.some.L = &t.mu
	return t
}

// fail ends the waiting of all workers.
func (t *turns) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
	t.some.Broadcast()
}

// records waits for the turn of p and returns its whole records, with the one that began in
// the piece before. They are p's memory.
func (t *turns) records(p *piece) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.now != p.number && t.err == nil {
		t.some.Wait()
	}
	if t.err != nil {
		return nil, t.err
	}
	begin := tailRoom - len(t.tail)
	if begin < 0 {
		p.plain = append(append(make([]byte, 0, len(t.tail)+cap(p.plain)), t.tail...), p.plain[tailRoom:]...)
		begin = 0
	} else {
		copy(p.plain[begin:], t.tail)
	}
	all := p.plain[begin:]
	end, err := wholeRecords(all)
	if err != nil {
		return nil, err
	}
	t.tail = append(t.tail[:0], all[end:]...)
	t.now++
	t.some.Broadcast()
	return all[:end], nil
}

// end says whether all records were whole.
func (t *turns) end() error {
	if len(t.tail) > 0 {
		return errors.New("the file ends within a record")
	}
	return nil
}

// wholeRecords is the length of the whole records at the start of b.
func wholeRecords(b []byte) (end int, err error) {
	for len(b)-end >= sizeBytes {
		size := binary.LittleEndian.Uint32(b[end:])
		if size < fixedLen || size > 1<<31-1 {
			return 0, fmt.Errorf("a record of %d bytes", size)
		}
		if int64(size) > int64(len(b)-end-sizeBytes) {
			break
		}
		end += sizeBytes + int(size)
	}
	return end, nil
}

// ordBits are the ordinals of one piece: more than it can have records.
const ordBits = 32

// addRecords puts whole records into a slab, in the order of the file.
func addRecords(ctx context.Context, slab *sorter.Slab, records []byte, ord uint64) error {
	for ; len(records) > 0; ord++ {
		size := sizeBytes + int(binary.LittleEndian.Uint32(records))
		body := records[sizeBytes:size]
		key := sorter.KeyOf(bamrec.Ref(body), bamrec.Pos(body), bamrec.Flag(body)&bamrec.FlagReverse != 0)
		if err := slab.Add(ctx, key, ord, records[:size]); err != nil {
			return err
		}
		records = records[size:]
	}
	return nil
}
