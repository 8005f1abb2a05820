package markdup

import "sync/atomic"

// filter has a bit for each hash, set where a single read has that end; nil where there are no
// single reads. As several hashes share a bit it lets some ends pass that no single read has.
type filter []uint64

const (
	bitsPerRead = 16  // of the filter: one end in 16 passes without need
	leastFilter = 512 // words
)

// newFilter makes one for a number of single reads, nil for none.
func (m *Marker) newFilter(reads int64) (filter, error) {
	if reads == 0 {
		return nil, nil
	}
	n := int64(leastFilter)
	for n*64 < reads*bitsPerRead && 2*n*8 <= m.shares.filter {
		n *= 2
	}
	b, err := m.memory.alloc(n * 8)
	return words(b), err
}

// bit leaves out the low bits of a hash, by which a table tells its entries apart.
func (f filter) bit(hash uint64) (word uint64, mask uint64) {
	i := hash >> 8 & uint64(len(f)*64-1)
	return i >> 6, 1 << (i & 63)
}

func (f filter) has(hash uint64) bool {
	word, mask := f.bit(hash)
	return f[word]&mask != 0
}

// fill enters the single reads of a partition.
func (c *decider) fill(partition int, f filter) error {
	return c.scan(partition, func(sig signature) error {
		if sig.kind() == kindSingle {
			word, mask := f.bit(sig.hash())
			atomic.OrUint64(&f[word], mask)
		}
		return nil
	})
}

// singles decides about the single reads of a partition, with the ends of pairs among them.
func (c *decider) singles(partition int) error {
	return c.inPasses(partition, func(p pass) error {
		return c.scan(partition, func(sig signature) error {
			hash := sig.hash()
			if !p.has(hash) {
				return nil
			}
			return c.single(sig, hash)
		})
	})
}

// single has sig meet the best of its end: a read of a pair is best always.
func (c *decider) single(sig signature, hash uint64) error {
	best, slot := c.table.find(sig, hash, sameEnd)
	if best == nil {
		if !c.table.insert(sig, hash, slot) {
			return errFull
		}
		return nil
	}
	if best.kind() == kindSingle && (sig.kind() == kindEnd || sig.beatsSingle(best)) {
		c.singleRecords += c.bits.set(best.template(), best.reads())
		c.table.replace(best, sig, hash, slot) // never longer
	} else if sig.kind() == kindSingle {
		c.singleRecords += c.bits.set(sig.template(), sig.reads())
	}
	return nil
}

func sameEnd(a, b signature) bool { return a.five() == b.five() && a.strand() == b.strand() }
