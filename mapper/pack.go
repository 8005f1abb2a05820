package mapper

import (
	"encoding/binary"
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

// isIUPAC are the upper-case letters that may stand for a nucleotide.
var isIUPAC = func() (t [256]bool) {
	for _, c := range []byte("ACGTUMRWSYKVHDBN") {
		t[c] = true
	}
	return t
}()

// pack appends bases to the packed genome, folds them to upper case in place, and notes runs
// of non-ACGT. It returns the index of the first one that is no nucleotide, or -1.
func (r *Reference) pack(bases []byte) (bad int, err error) {
	if err := r.grow(int64(len(bases))); err != nil {
		return 0, err
	}
	i := min(int(-r.total&3), len(bases)) // to a whole byte
	if bad := r.packEach(bases, 0, i); bad >= 0 {
		return bad, nil
	}
	for ; i+8 <= len(bases); i += 8 {
		up, codes, ok := packEight(binary.LittleEndian.Uint64(bases[i:]))
		if !ok {
			if bad := r.packEach(bases, i, i+8); bad >= 0 {
				return bad, nil
			}
			continue
		}
		binary.LittleEndian.PutUint64(bases[i:], up)
		binary.LittleEndian.PutUint16(r.packed[r.total>>2:], codes)
		r.total += 8
	}
	return r.packEach(bases, i, len(bases)), nil
}

// packEach packs bases[from:to] one by one.
func (r *Reference) packEach(bases []byte, from, to int) (bad int) {
	for i := from; i < to; i++ {
		c := bases[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
			bases[i] = c
		}
		if !isIUPAC[c] {
			return i
		}
		v := code[c]
		if v > 3 {
			r.noteHole(r.total, r.total+1)
			v = 0
		}
		r.packed[r.total>>2] |= v << (2 * uint(r.total&3))
		r.total++
	}
	return -1
}

// packEight folds eight letters to upper case and packs them; ok says that all are ACGT.
//
// Bits 1 and 2 of the letters give the code: A 00, C 01, G 11, T 10, where G and T change
// places by c>>1 ^ c>>2. Whether the letter is one of the four shows when it is made again
// from its code: A is 41, C 43, G 47, T 54.
func packEight(x uint64) (up uint64, codes uint16, ok bool) {
	const each = 0x0101010101010101
	up = x &^ (0x20 * each)
	lo := (up>>1 ^ up>>2) & each
	hi := up >> 2 & each
	both := lo & hi
	again := 0x41*each ^ lo<<1 ^ (hi<<1 | hi<<2) ^ (both | both<<4)
	two := lo | hi<<1
	two = (two | two>>6) & 0x000f000f000f000f
	two = (two | two>>12) & 0x000000ff000000ff
	return up, uint16(two | two>>24), again == up
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

// reserve takes address space for n bases. It is a guess of the whole: memory that is never
// written is never there, and grow finds more.
func (r *Reference) reserve(n int64) error {
	err := r.grow(min(n, maxTotal))
	r.packed = r.packed[:0]
	return err
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
