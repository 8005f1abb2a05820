package affine

import "golang.org/x/sys/cpu"

//go:generate sh -c "cd gen && go run . -out ../fill_amd64.s -stubs ../fill_amd64.go -pkg affine"

var hasAVX512 = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL

// kernels has the preferred ones first. Tests choose among them.
var kernels = []kernel{
	{"avx2-bytes64", 32, maxReadBytes, -1 << 7, fillBytes64AVX2, cpu.X86.HasAVX2},
	{"avx2-bytes128", 64, maxReadBytes, -1 << 7, fillBytes128AVX2, cpu.X86.HasAVX2},
	{"avx512-words64", 32, maxReadWords, -1 << 15, fillWords64AVX512, hasAVX512},
	{"avx2-words64", 32, maxReadWords, -1 << 15, fillWords64AVX2, cpu.X86.HasAVX2},
}

// encodeReadBulk encodes the first bases of a read, as far as whole vectors go, into the end
// of codes, and returns how many.
func encodeReadBulk(codes, read []byte) int {
	n := len(read) &^ 31
	if n == 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	encodeReadAVX2(&codes[:len(read)+1][len(read)], &read[0], n)
	return n
}

// encodeWindowBulk encodes the first bases of a window, as far as whole vectors go.
func encodeWindowBulk(codes, window []byte) int {
	n := len(window) &^ 31
	if n == 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	encodeWindowAVX2(&codes[0], &window[0], n)
	return n
}
