package mapper

import (
	"sort"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

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
func (r *Reference) pack(bases []byte) error {
	if err := r.grow(int64(len(bases))); err != nil {
		return err
	}
	for _, c := range bases {
		v := code[c]
		if v > 3 {
			r.noteHole(r.total, r.total+1)
			v = 0
		}
		r.packed[r.total>>2] |= v << (2 * uint(r.total&3))
		r.total++
	}
	return nil
}

// grow makes room for n more bases behind the genome, outside the Go heap. Bytes beyond the
// genome are zero.
func (r *Reference) grow(n int64) error {
	need := int((r.total + n + 3) / 4)
	if need+packedSlack > cap(r.packed) {
		old := r.packed[:cap(r.packed)]
		mem, err := vfs.Alloc(max(need+packedSlack, len(old)/2*3, 4096))
		if err != nil {
			return err
		}
		copy(mem, old)
		r.packed = mem
		r.release = func() error { return vfs.Free(mem) }
		if err := vfs.Free(old); err != nil {
			return err
		}
	}
	r.packed = r.packed[:need]
	return nil
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
