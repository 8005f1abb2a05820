package deflate

import (
	"math/rand/v2"
	"syscall"
	"testing"
)

// guarded returns a function that gives up to n bytes which end before a page that nobody may
// touch, or with low begin behind one.
func guarded(t *testing.T, n int) func(size int, low bool) []byte {
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
	return func(size int, low bool) []byte {
		if low {
			return mem[page : page+size : page+size]
		}
		return mem[page+n-size : page+n : page+n]
	}
}

// Input and room have neighbours that end the program when they are read or written. The room is
// as small as Append allows without a larger one.
func TestNothingOutsideIsTouched(t *testing.T) {
	in, out := guarded(t, MaxInput), guarded(t, MaxInput+Overhead+endBits)
	rng := rand.New(rand.NewPCG(21, 22))
	for level := range 10 {
		e := mustNew(t, level)
		for i := range 400 {
			size := edgeSizes[rng.IntN(len(edgeSizes)-6)]
			if i%100 == 0 {
				size = edgeSizes[len(edgeSizes)-1-rng.IntN(6)]
			}
			src := in(size, i&1 > 0)
			copy(src, patterns[rng.IntN(len(patterns))].make(size))
			want := len(e.Append(nil, src))
			room := out(want+endBits, i&2 > 0)
			if got := e.Append(room[:0], src); len(got) != want || want > 0 && &got[0] != &room[0] {
				t.Fatalf("level %d, %d bytes: room of %d bytes was not enough for %d", level, size, len(room), want)
			}
		}
	}
}
