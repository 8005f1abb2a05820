package markdup

// table is an open hash table of signatures, one for each set of duplicates: the best so far.
type table struct {
	memory []byte
	slots  []uint64 // a hash's low half above, then 1 + where in entries; 0: free
	mask   uint64
	n      int
	most   int    // entries that keep the slots three quarters full at most
	bytes  []byte // entries, back to back
	used   int
}

const (
	slotBytes   = 8
	leastSlots  = 16
	slotShare   = 4  // of the memory: what slots take at most, as entries have 40 bytes or so
	fullQuarter = 3  // of four
	slotShift   = 24 // the low bits of the hash tell passes apart, see pass
)

// reset empties the table, and makes it fit for so many entries if it can.
func (t *table) reset(entries int64) {
	most := int64(len(t.memory)) / slotShare / slotBytes
	n := int64(leastSlots)
	for n < 2*entries && 2*n <= most {
		n *= 2
	}
	t.slots = words(t.memory[:n*slotBytes])
	clear(t.slots)
	t.mask = uint64(n - 1)
	t.n, t.most = 0, int(n*fullQuarter/4)
	t.bytes, t.used = t.memory[n*slotBytes:], 0
}

// find returns the entry of sig's set, or nil and the slot where a new one goes.
func (t *table) find(sig signature, hash uint64, same func(a, b signature) bool) (signature, uint64) {
	for i := hash >> slotShift & t.mask; ; i = (i + 1) & t.mask {
		slot := t.slots[i]
		if slot == 0 {
			return nil, i
		}
		if uint32(slot>>32) != uint32(hash) {
			continue
		}
		if entry := t.at(slot); same(entry, sig) {
			return entry, i
		}
	}
}

func (t *table) at(slot uint64) signature { return signature(t.bytes[uint32(slot)-1 : t.used]) }

// insert puts sig into a slot that find returned. It returns false where there is no room.
func (t *table) insert(sig signature, hash, slot uint64) bool {
	if t.n == t.most || !t.put(sig, hash, slot) {
		return false
	}
	t.n++
	return true
}

func (t *table) put(sig signature, hash, slot uint64) bool {
	size := sig.size()
	if t.used+size > len(t.bytes) {
		return false
	}
	t.slots[slot] = hash<<32 | uint64(t.used+1)
	t.used += copy(t.bytes[t.used:], sig[:size])
	return true
}

// replace puts sig in the place of an entry, or behind all where it is longer.
func (t *table) replace(entry, sig signature, hash, slot uint64) bool {
	if size := sig.size(); size <= entry.size() {
		copy(entry, sig[:size])
		return true
	}
	return t.put(sig, hash, slot)
}
