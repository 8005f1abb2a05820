package gather

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/alignpipe/alignpipe/internal/inflate"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

const (
	maxBlock = 64 << 10 // the most one block may hold, before and after compression
	// batchBytes is how much compressed data one read takes; more would cost a merge of many
	// parts memory, and gain nothing.
	batchBytes = 128 << 10
	// peekBytes is the same where only the next record or two are wanted.
	peekBytes = maxBlock
	// plainRatio bounds the plain data of a batch by its compressed data: the usual ratio of BAM.
	plainRatio = 4
	// batchMemory is what one batch holds at most.
	batchMemory = batchBytes + plainRatio*batchBytes + maxBlock
)

var (
	errChain  = errors.New("damaged: a BGZF block does not begin where one should")
	errMiddle = errors.New("cut short: it ends inside a record")
)

// pool are the goroutines that read and inflate, for all parts of a run.
type pool struct {
	jobs chan job
	wg   sync.WaitGroup
}

// job is a free batch of a source, to be filled with what comes next.
type job struct {
	s *source
	b *batch
}

// poolQueue is the room for jobs; a source waits where there are more.
const poolQueue = 1024

func newPool(workers int) *pool {
	p := &pool{jobs: make(chan job, poolQueue)}
	for range workers {
		p.wg.Go(func() {
			for j := range p.jobs {
				j.s.load(j.b)
			}
		})
	}
	return p
}

// stop waits for the jobs that were given. No source may be used afterwards.
func (p *pool) stop() {
	close(p.jobs)
	p.wg.Wait()
}

// batch is a stretch of whole blocks of a part.
type batch struct {
	src    []byte
	plain  []byte
	blocks []blockAt
	length int   // of plain, once it is filled
	end    int64 // address behind the last block
	err    error // plain ends before what it belongs to
	ready  chan struct{}
}

// blockAt is where a block begins in the file, and in its batch's plain data.
type blockAt struct {
	address int64
	at      int
}

// source is a part as a sequence of batches, read ahead by the pool.
type source struct {
	p     *part
	file  vfs.File // p's, which may be closed while a read that nobody waits for is under way
	pool  *pool
	order chan *batch // in the order of the file; has room for all batches
	bytes int         // to read for a batch

	mu   sync.Mutex // held while a batch is filled and takes its place in order
	next int64      // address of the block to read next
	err  error      // nothing can be read behind it
}

// newSource begins at the block at address, depth batches ahead; 0 is for a peek. Whoever takes a
// batch from it gives it back with again, or stops altogether.
func (r *run) newSource(p *part, address int64, depth int) *source {
	s := &source{p: p, file: p.file, pool: r.pool, next: address, bytes: batchBytes}
	if depth == 0 {
		depth, s.bytes = 1, peekBytes
	}
	s.order = make(chan *batch, depth)
	for range depth {
		s.again(&batch{ready: make(chan struct{}, 1)})
	}
	return s
}

// again has the batch filled with what comes next.
func (s *source) again(b *batch) { s.pool.jobs <- job{s, b} }

// take waits for the next batch.
func (s *source) take() *batch {
	b := <-s.order
	<-b.ready
	return b
}

// load is done by the pool. Batches of one source are read one after the other and inflated side
// by side.
func (s *source) load(b *batch) {
	s.mu.Lock()
	s.fill(b)
	s.order <- b
	s.mu.Unlock()
	b.inflate(s.p.path)
	b.ready <- struct{}{}
}

// fill reads whole blocks. At the end of the part the batch stays empty, and its err is io.EOF.
func (s *source) fill(b *batch) {
	b.src, b.plain, b.blocks, b.length, b.err, b.end = b.src[:0], b.plain[:0], b.blocks[:0], 0, nil, s.next
	if s.err == nil && s.next >= s.p.eof {
		s.err = io.EOF
	}
	if s.err != nil {
		b.err = s.err
		return
	}
	src := sized(b.src, int(min(int64(s.bytes), s.p.eof-s.next)))
	if _, err := s.file.ReadAt(src, s.next); err != nil {
		s.err = fmt.Errorf("read part: %w", err)
		b.err = s.err
		return
	}
	n, err := b.cut(src, s.next)
	if b.end = s.next + int64(n); err == nil && n == 0 {
		err = errChain
	}
	if err != nil {
		s.err = badData("", describe(s.p.path, "%w (compressed byte %d)", err, b.end))
		b.err = s.err
	}
	b.src, s.next = src[:n], b.end
}

// sized returns n bytes, b's memory where that is enough.
func sized(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// cut finds the whole blocks at the start of src that fit into a batch, and returns their length.
func (b *batch) cut(src []byte, address int64) (n int, err error) {
	for n < len(src) && b.length < plainRatio*len(src) {
		size, header := inflate.BlockSize(src[n:])
		switch {
		case size == 0 && len(src)-n > maxBlock, size > 0 && size < header+8:
			return n, errChain
		case size == 0 || size > len(src)-n:
			return n, nil // goes on behind src
		}
		length := int(binary.LittleEndian.Uint32(src[n+size-4:]))
		if length < 0 || length > maxBlock {
			return n, errChain
		}
		b.blocks = append(b.blocks, blockAt{address + int64(n), b.length})
		b.length += length
		n += size
	}
	return n, nil
}

// inflate fills plain. An error takes the place of one that lies further back.
func (b *batch) inflate(path string) {
	if len(b.blocks) == 0 {
		return
	}
	b.plain = sized(b.plain, b.length)[:0]
	first := b.blocks[0].address
	for i, blk := range b.blocks {
		end := len(b.src)
		if i+1 < len(b.blocks) {
			end = int(b.blocks[i+1].address - first)
		}
		plain, err := inflate.DecodeBlock(b.plain, b.src[blk.address-first:end])
		if err != nil {
			b.err = badData("", describe(path, "damaged: %w (compressed byte %d)", err, blk.address))
			b.blocks = b.blocks[:i]
			return
		}
		b.plain = plain
	}
}
