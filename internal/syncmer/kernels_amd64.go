package syncmer

import "golang.org/x/sys/cpu"

//go:generate sh -c "cd gen && go run . -out ../find_amd64.s -stubs ../find_amd64.go -pkg syncmer"

// usable has the kernels of this CPU, the preferred one first.
var usable = func() (ks []kernel) {
	x := &cpu.X86
	if x.HasAVX2 && x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VBMI && x.HasAVX512GFNI && x.HasPOPCNT {
		ks = append(ks, avx512)
	}
	if x.HasAVX2 && x.HasPOPCNT {
		ks = append(ks, avx2)
	}
	return append(ks, scalar)
}()

// inUse is what Find calls. Tests change it.
var inUse = usable[0]

// findVector finds the syncmers among the first kmers of packed. The calls are direct, so that
// the compiler sees that nothing escapes.
func findVector(dst []int32, packed []byte, kmers int) int {
	if inUse == avx512 {
		return findAVX512(&dst[0], &packed[0], kmers)
	}
	return findAVX2(&dst[0], &packed[0], kmers)
}
