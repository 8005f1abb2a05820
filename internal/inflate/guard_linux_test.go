//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import (
	"math/rand/v2"
	"syscall"
	"testing"
)

// guarded returns n bytes with a page before and a page after that nobody may touch: one slice
// that begins behind the first, and one that ends before the second.
func guarded(t *testing.T, n int) (low, high func(size int) []byte) {
	t.Helper()
	page := syscall.Getpagesize()
	n = (n + page - 1) / page * page
	mem, err := syscall.Mmap(-1, 0, n+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { syscall.Munmap(mem) })
	for _, guard := range [][]byte{mem[:page], mem[page+n:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Skip(err)
		}
	}
	low = func(size int) []byte { return mem[page : page+size : page+size] }
	high = func(size int) []byte { return mem[page+n-size : page+n : page+n] }
	return low, high
}

// TestNothingOutsideIsTouched gives input and room whose neighbours end the program when they
// are read or written, and data of all kinds, good and bad.
func TestNothingOutsideIsTouched(t *testing.T) {
	inLow, inHigh := guarded(t, 1<<14)
	outLow, outHigh := guarded(t, 1<<14)
	var z blockReader
	for seed := range some(20_000) {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		src := randomDeflate(r, 1<<r.IntN(13))
		if seed%2 == 1 {
			mutate(r, &src)
		}
		if len(src) > 1<<14 {
			continue
		}
		room := r.IntN(1 << r.IntN(15))
		in, out := inLow(len(src)), outLow(room)
		copy(in, src)
		z.inflate(out, 0, in)
		in, out = inHigh(len(src)), outHigh(room)
		copy(in, src)
		taken, put, _ := z.inflate(out, 0, in)
		if taken > len(in) || put > len(out) {
			t.Fatalf("seed %d: %d of %d taken, %d of %d put", seed, taken, len(in), put, len(out))
		}
	}
}
