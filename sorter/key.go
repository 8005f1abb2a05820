package sorter

// Key orders records by coordinate with one integer compare.
//
//	63 62       32 31       1 0
//	┌─┬──────────┬──────────┬─┐   pos is 0-based; r is 1 on the reverse strand.
//	│0│ ref (31) │ pos (31) │r│   Unplaced is all ones, above every real key.
//	└─┴──────────┴──────────┴─┘
type Key uint64

// Unplaced is the key of records without a place.
const Unplaced = ^Key(0)

// strandBits is the width of what stands below the position.
const strandBits = 1

// KeyOf returns the key of a record. ref is the reference's number, pos is 0-based. A negative
// ref gives Unplaced, a negative pos sorts as 0.
func KeyOf(ref, pos int32, reverse bool) Key {
	if ref < 0 {
		return Unplaced
	}
	k := Key(ref)<<32 | Key(max(pos, 0))<<strandBits
	if reverse {
		k |= 1
	}
	return k
}

// Ref returns the number of the reference, -1 for Unplaced.
func (k Key) Ref() int32 {
	if k == Unplaced {
		return -1
	}
	return int32(k >> 32)
}

// Pos returns the 0-based position, -1 for Unplaced.
func (k Key) Pos() int32 {
	if k == Unplaced {
		return -1
	}
	return int32(uint32(k) >> strandBits)
}

// Reverse reports whether the record lies on the reverse strand; false for Unplaced.
func (k Key) Reverse() bool { return k != Unplaced && k&1 == 1 }
