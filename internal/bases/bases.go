package bases

// perWord is how many bases a word of 64 bits holds, and how many letters a kernel takes at a
// time. The last ones of a sequence are taken together with some before them.
const perWord = 32

// N is the code of all letters but ACGT, in either case, where codes have a byte.
const N = 4

// Pack writes seq to dst, 32 bases a word and the first in the low bits: A is 0, C 1, G 2, T 3,
// and what is none of them counts as A. The last word is filled up with zeros. It returns
// whether all were ACGT.
func Pack(dst []uint64, seq []byte) (clean bool) {
	if len(seq) < perWord || !vectors {
		return packScalar(dst, seq)
	}
	dst = dst[:words(len(seq))]
	return packAVX2(&dst[0], &seq[0], len(seq)) == 0
}

// PackBoth writes seq to fwd as Pack does, and its reverse complement to rev. There, what is no
// ACGT counts as T.
func PackBoth(fwd, rev []uint64, seq []byte) (clean bool) {
	clean = Pack(fwd, seq)
	if len(seq) < perWord || !vectors {
		reverseScalar(rev, fwd, len(seq))
		return clean
	}
	rev = rev[:words(len(seq))]
	packReverseAVX2(&rev[0], &seq[0], len(seq))
	return clean
}

// Codes writes a code for each letter of seq to dst, which is other memory.
func Codes(dst, seq []byte) {
	dst = dst[:len(seq)]
	if len(seq) < perWord || !vectors {
		codesScalar(dst, seq)
		return
	}
	codesAVX2(&dst[0], &seq[0], len(seq))
}

// CodesReverse writes the codes of the reverse complement of seq to dst, which is other memory.
func CodesReverse(dst, seq []byte) {
	dst = dst[:len(seq)]
	if len(seq) < perWord || !vectors {
		codesReverseScalar(dst, seq)
		return
	}
	codesReverseAVX2(&dst[0], &seq[0], len(seq))
}

// words is how many words n bases take.
func words(n int) int { return (n + perWord - 1) / perWord }
