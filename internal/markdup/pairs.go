package markdup

// pairs decides about the pairs of a partition, and sets down those of their ends that the filter,
// if there is one, has not ruled out.
func (c *decider) pairs(partition int, f filter) error {
	return c.inPasses(partition, func(p pass) error {
		err := c.scan(partition, func(sig signature) error {
			hash := sig.hash()
			if !p.has(hash) {
				return nil
			}
			return c.pair(sig, hash, f)
		})
		if err == nil && c.m.cfg.OpticalDistance > 0 {
			err = c.opticalIn(partition, p)
		}
		return err
	})
}

// pair has sig meet the best of its set.
func (c *decider) pair(sig signature, hash uint64, f filter) error {
	best, slot := c.table.find(sig, hash, signature.sameEnds)
	if best == nil {
		if !c.table.insert(sig, hash, slot) {
			return errFull
		}
		if f != nil && sig.both() { // of others Add has set down the ends
			return c.meet(sig, f)
		}
		return nil
	}
	if !sig.beatsPair(best, c.m.names) {
		best[0] |= severalFlag
		c.pairRecords += c.bits.set(sig.template(), sig.reads())
		return nil
	}
	c.pairRecords += c.bits.set(best.template(), best.reads())
	if !c.table.replace(best, sig, hash, slot) {
		return errFull
	}
	c.table.at(c.table.slots[slot])[0] |= severalFlag
	return nil
}

// meet sets down the ends of a pair, mates on different strands, that single reads may have.
func (c *decider) meet(sig signature, f filter) error {
	reverse := sig.key().tag&^leftMost == orientRF
	for _, five := range [2]uint64{sig.five(), sig.mate()} {
		strand := byte(0)
		if reverse {
			strand = 1
		}
		if f.has(endHash(five, strand)) {
			if err := c.found.putEnd(c.ctx, five, reverse); err != nil {
				return err
			}
		}
		reverse = !reverse
	}
	return nil
}
