package gather

import "github.com/alignpipe/alignpipe/sorter"

// leaf is the next record of a part: its key, and the part's number, which breaks ties. A part
// without more records has the highest key and a number above those of all parts.
type leaf struct {
	key sorter.Key
	src int
}

func (a leaf) before(b leaf) bool { return a.key < b.key || a.key == b.key && a.src < b.src }

// loserTree finds the first of k leaves with one comparison a level. Leaf i is node k+i, the
// parent of node n is n/2, and an inner node holds the loser of the match between its children.
// (The sorter has one that ranks by the ordinals of its records besides, which parts have not.)
type loserTree struct {
	first leaf
	loser []leaf
}

// newLoserTree takes at least one leaf.
func newLoserTree(leaves []leaf) loserTree {
	k := len(leaves)
	t := loserTree{loser: make([]leaf, k)}
	winner := make([]leaf, 2*k)
	copy(winner[k:], leaves)
	for n := k - 1; n > 0; n-- {
		a, b := winner[2*n], winner[2*n+1]
		if b.before(a) {
			a, b = b, a
		}
		winner[n], t.loser[n] = a, b
	}
	t.first = winner[1]
	return t
}

// replace puts the next leaf of part i, which had the first one, in its place.
func (t *loserTree) replace(i int, l leaf) {
	for n := (len(t.loser) + i) / 2; n > 0; n /= 2 {
		if t.loser[n].before(l) {
			t.loser[n], l = l, t.loser[n]
		}
	}
	t.first = l
}
