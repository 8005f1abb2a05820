package markdup

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"github.com/zeebo/xxh3"
)

// opticals holds members of sets of duplicates, to find those that lie close to each other on the
// flow cell. A member is optical where a better one of its set, be that a duplicate too, is on the
// same tile and within the distance on both axes.
//
//	memory   members → │ free │ ← their signatures
type opticals struct {
	memory []byte
	n      int // members
	bytes  int // of signatures
}

// member is a pair, or one read of it where its mates have a signature each.
type member struct {
	group uint64 // hash of the set and of the tile's name
	x, y  int64
	at    uint64 // of the signature, from the end of memory
	done  bool   // known to be optical
}

const memberBytes = int(unsafe.Sizeof(member{}))

func (o *opticals) members() []member {
	return unsafe.Slice((*member)(unsafe.Pointer(unsafe.SliceData(o.memory))), o.n)
}

func (o *opticals) signature(m *member) signature {
	return signature(o.memory[len(o.memory)-int(m.at):])
}

// add returns false where there is no room.
func (o *opticals) add(group uint64, x, y int64, sig signature) bool {
	size := sig.size()
	if (o.n+1)*memberBytes+o.bytes+size > len(o.memory) {
		return false
	}
	o.bytes += size
	copy(o.memory[len(o.memory)-o.bytes:], sig[:size])
	o.n++
	o.members()[o.n-1] = member{group: group, x: x, y: y, at: uint64(o.bytes)}
	return true
}

// stripe is a share of the members: groups by their hash, and of those what lies from low to high,
// high excluded. Members beside it are there to be met, not to be counted.
type stripe struct {
	pass
	low, high int64
}

// stripeDepth is how often groups are shared out before one of them is cut into stripes.
const stripeDepth = 12

func (s stripe) halves() []stripe {
	if s.depth < stripeDepth {
		return []stripe{{pass{s.depth + 1, s.want}, s.low, s.high}, {pass{s.depth + 1, s.want | 1<<s.depth}, s.low, s.high}}
	}
	if s.high-s.low < 2 {
		return nil
	}
	middle := s.low + (s.high-s.low)/2
	return []stripe{{s.pass, s.low, middle}, {s.pass, middle, s.high}}
}

// opticalIn counts the optical duplicates among the pairs of a pass, whose sets are in the table.
func (c *decider) opticalIn(partition int, p pass) error {
	todo := []stripe{{low: -math.MaxInt32, high: math.MaxInt32 + 1}}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		c.optical.n, c.optical.bytes = 0, 0
		err := c.scan(partition, func(sig signature) error { return c.addOptical(sig, p, s) })
		switch {
		case err == nil:
			c.opticalRecords += c.optical.count(s, int64(c.m.cfg.OpticalDistance), c.m.names)
		case err != errFull:
			return err
		default:
			halves := s.halves()
			if halves == nil {
				return fmt.Errorf("optical distance %d: %w", c.m.cfg.OpticalDistance, &MemoryError{Have: c.m.cfg.MemBytes, Least: 2 * c.m.cfg.MemBytes})
			}
			todo = append(todo, halves...)
		}
	}
	return nil
}

// addOptical takes sig if it is one of several, its name tells where it lay, and the set and tile
// are of this stripe.
func (c *decider) addOptical(sig signature, p pass, s stripe) error {
	hash := sig.hash()
	if !p.has(hash) {
		return nil
	}
	best, slot := c.table.find(sig, hash, signature.sameEnds)
	if best == nil || best[0]&severalFlag == 0 {
		return nil
	}
	var buf [maxName]byte
	name := c.m.names.append(buf[:0], sig)
	tile, x, y, ok := location(name)
	distance := int64(c.m.cfg.OpticalDistance)
	if !ok || x < s.low-distance || x >= s.high+distance {
		return nil
	}
	group := mix(xxh3.Hash(name[:tile]), slot)
	if s.has(group) && !c.optical.add(group, x, y, sig) {
		return errFull
	}
	return nil
}

// count returns how many records of a stripe are optical duplicates.
func (o *opticals) count(s stripe, distance int64, n *names) (records int64) {
	all := o.members()
	slices.SortFunc(all, func(a, b member) int { return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.x, b.x)) })
	for i := range all {
		a := &all[i]
		for j := i + 1; j < len(all) && all[j].group == a.group && all[j].x-a.x <= distance; j++ {
			b := &all[j]
			if a.done && b.done || max(a.y-b.y, b.y-a.y) > distance {
				continue
			}
			loser := a
			if o.signature(a).beatsPair(o.signature(b), n) {
				loser = b
			}
			if !loser.done && loser.x >= s.low && loser.x < s.high {
				reads := o.signature(loser).reads()
				records += int64(reads&1 + reads>>1)
			}
			loser.done = true
		}
	}
	return records
}

// location reads where a cluster lay from its name, as samtools does: machine:...:tile:x:y with
// three, four or six colons, or seven where a barcode follows. tile is the length of the name's
// start up to x.
func location(name []byte) (tile int, x, y int64, ok bool) {
	before := 0 // colons in front of x
	switch bytes.Count(name, []byte(":")) {
	case 3:
		before = 2
	case 4:
		before = 3
	case 6, 7:
		before = 5
	default:
		return 0, 0, 0, false
	}
	for ; before > 0; before-- {
		tile += bytes.IndexByte(name[tile:], ':') + 1
	}
	next := tile + bytes.IndexByte(name[tile:], ':') + 1
	x, okX := leadingNumber(name[tile:])
	y, okY := leadingNumber(name[next:])
	return tile, x, y, okX && okY
}

// leadingNumber is the number that text begins with, if it does; what is too large for a
// coordinate stays at the largest.
func leadingNumber(text []byte) (n int64, ok bool) {
	negative := false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative, text = text[0] == '-', text[1:]
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			break
		}
		n, ok = min(n*10+int64(c-'0'), math.MaxInt32), true
	}
	if negative {
		n = -n
	}
	return n, ok
}
