package mapper

import "sort"

// code maps an ASCII base to 0..3 for ACGT (either case) and 4 for everything else.
var code = func() (t [256]byte) {
	for i := range t {
		t[i] = 4
	}
	for i, c := range []byte("ACGT") {
		t[c], t[c+'a'-'A'] = byte(i), byte(i)
	}
	return t
}()

const letters = "ACGTN"

// pack appends bases to the packed genome and notes runs of non-ACGT.
func (r *Reference) pack(bases []byte) {
	need := int((r.total + int64(len(bases)) + 3) / 4)
	if need > cap(r.packed) {
		grown := make([]byte, len(r.packed), max(need, cap(r.packed)*3/2))
		copy(grown, r.packed)
		r.packed = grown
	}
	r.packed = r.packed[:need]
	for _, c := range bases {
		v := code[c]
		if v > 3 {
			r.noteHole(r.total)
			v = 0
		}
		r.packed[r.total>>2] |= v << (2 * uint(r.total&3))
		r.total++
	}
}

func (r *Reference) noteHole(at int64) {
	if n := len(r.holes); n > 0 && r.holes[n-1].end == at {
		r.holes[n-1].end++
		return
	}
	r.holes = append(r.holes, hole{at, at + 1})
}

// unpackTable turns one packed byte into four codes.
var unpackTable = func() (t [256][4]byte) {
	for i := range t {
		for j := range 4 {
			t[i][j] = byte(i>>(2*j)) & 3
		}
	}
	return t
}()

// unpack writes the codes of genome bases [from, to) to dst, 4 in holes, and returns it.
// The range must lie inside the genome.
func unpack(dst []byte, packed []byte, holes []hole, from, to int64) []byte {
	n := int(to - from)
	if cap(dst) < n+8 {
		dst = make([]byte, n+8, 2*n+64)
	}
	dst = dst[:n+8]
	at := from &^ 3
	skip := int(from - at)
	out := -skip
	for ; out < n; out += 4 {
		four := &unpackTable[packed[at>>2]]
		if out >= 0 {
			copy(dst[out:out+4], four[:])
		} else {
			copy(dst, four[skip:])
		}
		at += 4
	}
	dst = dst[:n]
	i := sort.Search(len(holes), func(i int) bool { return holes[i].end > from })
	for ; i < len(holes) && holes[i].start < to; i++ {
		for p := max(holes[i].start, from); p < min(holes[i].end, to); p++ {
			dst[p-from] = 4
		}
	}
	return dst
}

// base returns the code of one base; A in holes.
func (r *Reference) base(at int64) byte { return r.packed[at>>2] >> (2 * uint(at&3)) & 3 }

// nearHole says whether bases [at, at+n) touch a run of non-ACGT.
func (r *Reference) nearHole(at, n int64) bool {
	i := sort.Search(len(r.holes), func(i int) bool { return r.holes[i].end > at })
	return i < len(r.holes) && r.holes[i].start < at+n
}
