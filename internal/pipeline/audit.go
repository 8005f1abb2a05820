package pipeline

import (
	"errors"
	"fmt"

	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/readsum"
)

// counts are the facts about the output that the report tells.
type counts struct {
	records, reads, mapped, proper, duplicates int64
}

func (c *counts) merge(o counts) {
	c.records += o.records
	c.reads += o.reads
	c.mapped += o.mapped
	c.proper += o.proper
	c.duplicates += o.duplicates
}

// auditor sums the records of the output, where the compressors have them in the cache. Each of
// its parts belongs to one goroutine at a time; the sums add up in any order.
type auditor struct{ parts []auditPart }

type auditPart struct {
	hasher readsum.Hasher
	sum    readsum.Sum
	counts counts
	_      [64]byte // parts are written by different cores
}

func newAuditor(parts int) *auditor { return &auditor{make([]auditPart, parts)} }

// visitor returns a [bgzfout.Config.Visit] that marks duplicates and uses the auditor's parts from first on.
func (r *run) visitor(first int) func(worker int, tag uint64, rec []byte) {
	parts := r.audit.parts[first:]
	return func(worker int, tag uint64, rec []byte) {
		r.mark(tag, rec)
		p := &parts[worker]
		p.hasher.AddBAM(&p.sum, rec[4:])
		p.counts.count(bamrec.Flag(rec[4:]))
	}
}

// total adds up the parts. Nobody may visit any more.
func (a *auditor) total() (sum readsum.Sum, n counts) {
	for i := range a.parts {
		sum.Merge(a.parts[i].sum)
		n.merge(a.parts[i].counts)
	}
	return sum, n
}

// settle compares what was written with what was read.
func (r *run) settle() error {
	var got readsum.Sum
	got, r.counts = r.audit.total()
	if want := r.reader.Sum(); got != want {
		return errors.Join(ErrLost, errSums{want, got})
	}
	if r.duplicates != nil && r.counts.duplicates != r.duplicates.Metrics.Records() {
		return fmt.Errorf("%d records are marked as duplicates, and %d were found (bug)", r.counts.duplicates, r.duplicates.Metrics.Records())
	}
	return nil
}

// errSums tells two checksums that should be one.
type errSums struct{ want, got readsum.Sum }

func (e errSums) Error() string { return fmt.Sprintf("read %s, written %s", e.want, e.got) }

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
	if flag&flagDuplicate != 0 {
		c.duplicates++
	}
}
