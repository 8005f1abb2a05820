package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/meter"
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

// auditor sums the records of the output beside the writer. Hashing is spread over
// workers, whose sums add up in any order.
type auditor struct {
	work  *meter.Queue[*chunk]
	from  *meter.Stage
	stage *meter.Stage
	group sync.WaitGroup
	free  chan *chunk // of add
	cur   *chunk      // of add

	mu     sync.Mutex
	sum    readsum.Sum
	counts counts
}

// newAuditor starts the workers; settle ends them.
func (r *run) newAuditor() *auditor {
	workers := r.cfg.Threads
	a := &auditor{from: r.feeder, stage: r.stages.Audit, free: newChunks(auditChunks(workers), auditChunk+auditChunk/4)}
	a.work = meter.NewQueue[*chunk](max(auditChunks(workers), unsortedChunks(workers)), a.from, a.stage) // never full
	for range workers {
		a.group.Go(a.run)
	}
	return a
}

// settle ends an audit, and compares its sum with the reader's unless the run has failed.
func (r *run) settle(a *auditor, failed error) error {
	got := a.finish()
	r.counts = a.counts
	r.queues = append(r.queues, a.work.Stats())
	if failed != nil {
		return failed
	}
	if want := r.reader.Sum(); got != want {
		return errors.Join(ErrLost, errSums{want, got})
	}
	return nil
}

// errSums tells two checksums that should be one.
type errSums struct{ want, got readsum.Sum }

func (e errSums) Error() string { return fmt.Sprintf("read %s, written %s", e.want, e.got) }

func auditChunks(workers int) int { return workers + 2 }

func auditMemory(workers int) int64 { return int64(auditChunks(workers)) * (auditChunk + auditChunk/4) }

// add copies one record, block_size included.
func (a *auditor) add(rec []byte) {
	if a.cur != nil && len(a.cur.data)+len(rec) > auditChunk {
		a.give(a.cur)
		a.cur = nil
	}
	if a.cur == nil {
		a.cur, _ = takeChunk(context.Background(), a.free, a.from)
		a.cur.share(1)
		if a.cur.data == nil {
			a.cur.data = make([]byte, 0, auditChunk)
		}
	}
	a.cur.data = append(a.cur.data, rec...)
}

// give hands over one user's turn of a chunk.
func (a *auditor) give(c *chunk) { a.work.Send(context.Background(), c) }

// finish ends the workers and returns what they saw. It must be called once.
func (a *auditor) finish() readsum.Sum {
	if a.cur != nil {
		a.give(a.cur)
	}
	a.work.Close()
	a.group.Wait()
	return a.sum
}

func (a *auditor) run() {
	defer a.stage.Enter().Exit()
	var h readsum.Hasher
	var sum readsum.Sum
	var n counts
	for {
		c, ok, _ := a.work.Recv(context.Background())
		if !ok {
			break
		}
		before := n.records
		auditRecords(&h, &sum, &n, c.data)
		a.stage.AddItems(n.records - before)
		a.stage.AddBytesIn(int64(len(c.data)))
		c.release()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sum.Merge(sum)
	a.counts.merge(n)
}

func auditRecords(h *readsum.Hasher, sum *readsum.Sum, n *counts, data []byte) {
	for len(data) > 0 {
		var rec []byte
		rec, data = nextRecord(data)
		h.AddBAM(sum, rec[4:])
		n.count(bamrec.Flag(rec[4:]))
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
