package sorter

import "math/bits"

// leaf is the head of one source, ranked by key, ordinal and the source's index: earlier runs of
// a slab come first, should ordinals be equal.
type leaf struct{ key, ord, src uint64 }

// exhausted is the leaf of a source without records: above all others, as src tells even from a
// record with the highest key and ordinal.
func exhausted(index, sources int) leaf {
	return leaf{^uint64(0), ^uint64(0), uint64(index + sources)}
}

// before compares 192 bits at once: which record comes first is not predictable, so branches
// would cost more.
func (a leaf) before(b leaf) bool {
	_, borrow := bits.Sub64(a.src, b.src, 0)
	_, borrow = bits.Sub64(a.ord, b.ord, borrow)
	_, borrow = bits.Sub64(a.key, b.key, borrow)
	return borrow != 0
}

// loserTree finds the first of k leaves, with one comparison for each level when one changes.
// Leaf i has the node k+i, and the parent of node n is n/2; an inner node holds the loser of the
// match between its children.
type loserTree struct {
	first  leaf
	loser  []leaf               // by node; 0 is not used
	before func(a, b leaf) bool // in place of leaf.before, when not nil
}

func newLoserTree(leaves []leaf, before func(a, b leaf) bool) loserTree {
	k := len(leaves)
	t := loserTree{loser: make([]leaf, k), before: before}
	if before == nil {
		before = leaf.before
	}
	winner := make([]leaf, 2*k)
	copy(winner[k:], leaves)
	for n := k - 1; n > 0; n-- {
		a, b := winner[2*n], winner[2*n+1]
		if before(b, a) {
			a, b = b, a
		}
		winner[n], t.loser[n] = a, b
	}
	t.first = winner[min(1, 2*k-1)]
	return t
}

// replace puts a new leaf in the place of the first one, that of source index.
func (t *loserTree) replace(index int, l leaf) {
	if t.before != nil {
		t.replaceBy(index, l)
		return
	}
	loser := t.loser
	for n := (len(loser) + index) / 2; n > 0; n /= 2 {
		if other := loser[n]; other.before(l) {
			loser[n], l = l, other
		}
	}
	t.first = l
}

// replaceBy is replace with a comparison that is not leaf's own.
func (t *loserTree) replaceBy(index int, l leaf) {
	for n := (len(t.loser) + index) / 2; n > 0; n /= 2 {
		if other := t.loser[n]; t.before(other, l) {
			t.loser[n], l = l, other
		}
	}
	t.first = l
}
