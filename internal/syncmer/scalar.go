package syncmer

// mix orders s-mers. It is the greater half of a product of 64 bits: neighbours in a k-mer that
// differ always differ in it, which TestGreaterHalvesDecide proves by trying all, so the lesser
// half need not be compared.
func mix(x uint32) uint32 { return uint32(uint64(x) * golden >> 32) }

const golden = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio

// findScalar is Find without vectors.
func findScalar(dst []int32, packed []byte, n int) int {
	var fwd, rev uint32           // the last S bases, and their reverse complement
	var h0, h1, h2, h3, h4 uint32 // hashes of the last s-mers
	found := 0
	for i := range n {
		c := uint32(packed[i>>2]>>(2*uint(i&3))) & 3
		fwd = fwd<<2 | c
		rev = rev>>2 | (3-c)<<(2*(S-1))
		h0, h1, h2, h3, h4 = h1, h2, h3, h4, mix(min(fwd, rev))
		if i < K-1 {
			continue
		}
		dst[found] = int32(i - K + 1)
		if h2 <= min(h0, h1, h3, h4) {
			found++
		}
	}
	return found
}
