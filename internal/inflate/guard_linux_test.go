//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"
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

// TestGuessesTouchNothingOutside is the same for symbols.
func TestGuessesTouchNothingOutside(t *testing.T) {
	inLow, inHigh := guarded(t, 1<<15)
	outLow, outHigh := guarded(t, 1<<19)
	var d decoding
	kept := 0
	for seed := range some(3000) {
		r := rand.New(rand.NewPCG(uint64(seed), 17))
		src := randomBlocks(r, 1<<(8+r.IntN(7)), 1+r.IntN(10))
		if seed%2 == 1 {
			mutate(r, &src)
		}
		if len(src) > 1<<15 || len(src) < 8 {
			continue
		}
		room := 2 * (windowBytes + markRoom + r.IntN(1<<r.IntN(17)))
		for i, in := range [][]byte{inLow(len(src)), inHigh(len(src))} {
			copy(in, src)
			mem := [][]byte{outLow(room), outHigh(room)}[i]
			p := &piece{in: in, own: r.IntN(len(in)), mem: unsafe.Slice((*uint16)(unsafe.Pointer(&mem[0])), room/2)}
			for i := range windowBytes {
				p.mem[i] = marker | uint16(i)
			}
			d.reset(p, place{int64(r.IntN(8)), false})
			if seed%4 < 2 {
				d.reset(p, place{})
			}
			d.run()
			kept += d.kept.size()
		}
	}
	if kept == 0 {
		t.Error("nothing was decoded")
	}
}

// TestMatchesAtTheEnd has the longest match end at, and near, the last byte of the room.
func TestMatchesAtTheEnd(t *testing.T) {
	_, out := guarded(t, 1<<14)
	var z blockReader
	for _, distance := range []int{1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 60} {
		w := new(bitWriter)
		w.put(1|1<<1, 3)
		for i := range 64 {
			fixedLit.put(w, i)
		}
		for range 2 {
			putToken(w, &fixedLit, &fixedDist, token{length: 258, distance: distance})
		}
		fixedLit.put(w, 256)
		w.put(0, 64) // so that the input does not end too
		w.put(0, 64)
		w.align()
		const plain = 64 + 2*258
		for room := plain - 300; room < plain+400; room++ {
			_, put, err := z.inflate(out(room), 0, w.b)
			if (err == nil) != (room >= plain) || put != min(room, plain) {
				t.Fatalf("distance %d, room of %d: %d bytes, %v", distance, room, put, err)
			}
		}
	}
}
