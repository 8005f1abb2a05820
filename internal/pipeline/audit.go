package pipeline

import (
	"sync"

	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/readsum"
)

// auditChunk is how many bytes of records one auditor takes at a time; larger chunks
// only cost memory.
const auditChunk = 256 << 10

// counts are the facts about the output that the report tells.
type counts struct {
	records, reads, mapped, proper int64
}

func (c *counts) merge(o counts) {
	c.records += o.records
	c.reads += o.reads
	c.mapped += o.mapped
	c.proper += o.proper
}

// auditor sums the merged records beside the writer. The merge thread only copies a record; hashing is
// spread over workers, whose sums add up in any order.
type auditor struct {
	work  chan []byte
	free  chan []byte
	group sync.WaitGroup
	cur   []byte

	mu     sync.Mutex
	sum    readsum.Sum
	counts counts
}

// newAuditor starts the workers; finish must be called to end them.
func newAuditor(workers int) *auditor {
	buffers := workers + 2
	a := &auditor{work: make(chan []byte, buffers), free: make(chan []byte, buffers)}
	for range buffers {
		a.free <- nil // allocated when first used: a small run needs one
	}
	a.cur = a.take()
	for range workers {
		a.group.Go(a.run)
	}
	return a
}

func auditMemory(workers int) int64 { return int64(workers+2) * auditChunk }

func (a *auditor) take() []byte {
	buf := <-a.free
	if buf == nil {
		buf = make([]byte, 0, auditChunk)
	}
	return buf[:0]
}

// add copies one record, block_size included.
func (a *auditor) add(rec []byte) {
	if len(a.cur) > 0 && len(a.cur)+len(rec) > cap(a.cur) {
		a.work <- a.cur
		a.cur = a.take()
	}
	a.cur = append(a.cur, rec...)
}

// finish ends the workers and returns what they saw. It must be called once.
func (a *auditor) finish() (readsum.Sum, counts) {
	a.work <- a.cur
	close(a.work)
	a.group.Wait()
	return a.sum, a.counts
}

func (a *auditor) run() {
	var h readsum.Hasher
	var sum readsum.Sum
	var n counts
	for chunk := range a.work {
		auditRecords(&h, &sum, &n, chunk)
		if cap(chunk) > 2*auditChunk {
			chunk = nil // one huge record must not stay
		}
		a.free <- chunk
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sum.Merge(sum)
	a.counts.merge(n)
}

func auditRecords(h *readsum.Hasher, sum *readsum.Sum, n *counts, chunk []byte) {
	for len(chunk) > 0 {
		size := 4 + int(le32(chunk))
		rec := chunk[4:size]
		h.AddBAM(sum, rec)
		n.count(bamrec.Flag(rec))
		chunk = chunk[size:]
	}
}

func (c *counts) count(flag uint16) {
	c.records++
	if flag&0x900 != 0 {
		return
	}
	c.reads++
	if flag&0x4 == 0 {
		c.mapped++
	}
	if flag&0x2 != 0 {
		c.proper++
	}
}

func le32(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}
