package syncmer

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// with runs f with one kernel.
func with(k kernel, f func()) {
	old := inUse
	defer func() { inUse = old }()
	inUse = k
	f()
}

// pack packs codes, and leaves the bits behind the last as they come.
func pack(codes []byte, spare int, rest byte) []byte {
	p := make([]byte, (len(codes)+3)/4+spare)
	for i := range p {
		p[i] = rest
	}
	for i, c := range codes {
		shift := 2 * uint(i&3)
		p[i>>2] = p[i>>2]&^(3<<shift) | c<<shift
	}
	return p
}

// textbook finds syncmers the slow way: each k-mer by itself, and by whole hashes.
func textbook(codes []byte) []int32 {
	hash := func(at int) uint64 {
		var fwd, rev uint32
		for i, c := range codes[at : at+S] {
			fwd = fwd<<2 | uint32(c)
			rev |= uint32(3-c) << (2 * i)
		}
		h := uint64(min(fwd, rev)) * golden
		return h ^ h>>32
	}
	var out []int32
	for p := 0; p+K <= len(codes); p++ {
		least := true
		for i := range K - S + 1 {
			least = least && hash(p+mid) <= hash(p+i)
		}
		if least {
			out = append(out, int32(p))
		}
	}
	return out
}

// randomCodes makes a sequence that often repeats itself, as ties need.
func randomCodes(r *rand.Rand, n int) []byte {
	s := make([]byte, n)
	letters := 4
	if r.IntN(8) == 0 {
		letters = 1 + r.IntN(2)
	}
	for i := range s {
		s[i] = byte(r.IntN(letters))
	}
	for range r.IntN(3) {
		period := 1 + r.IntN(6)
		from := r.IntN(n + 1)
		for i := from + period; i < min(n, from+r.IntN(60)); i++ {
			s[i] = s[i-period]
		}
	}
	return s
}

// compare wants the positions from every kernel, and their hashes.
func compare(t *testing.T, packed []byte, n int, want []int32) {
	t.Helper()
	dst, hashes := make([]int32, n), make([]uint64, n)
	for _, k := range usable {
		with(k, func() {
			got := dst[:Find(dst, packed, n)]
			if !slices.Equal(got, want) {
				t.Fatalf("kernel=%v, n=%d, %d bytes: got %v\nwant %v\n%v", k, n, len(packed), got, want, packed)
			}
			Hash(hashes, packed, got)
			for i, p := range got {
				if h := hashAt(packed, int(p)); hashes[i] != h {
					t.Fatalf("kernel=%v, n=%d, %d bytes: hash at %d of %d is %#x, want %#x\n%v", k, n, len(packed), i, len(got), hashes[i], h, packed)
				}
			}
		})
	}
}

func TestHashIsThatOfTheCanonicalKmer(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for trial := range 10000 {
		codes := make([]byte, 12+K)
		for i := range codes {
			codes[i] = byte(r.IntN(4))
		}
		at := r.IntN(12 + 1)
		if trial%10 == 0 {
			for i := range K / 2 {
				codes[at+K-1-i] = 3 - codes[at+i]
			}
		}
		var fwd, rev uint64
		for i, c := range codes[at : at+K] {
			fwd = fwd<<2 | uint64(c)
			rev |= uint64(3-c) << (2 * i)
		}
		want := mixK(min(fwd, rev)) << 1
		if rev < fwd {
			want |= 1
		} else if rev == fwd {
			want = Palindrome
		}
		pos := slices.Repeat([]int32{int32(at)}, 5)
		dst := make([]uint64, len(pos))
		packed := pack(codes, trial%9, byte(r.Uint32()))
		for _, k := range usable {
			with(k, func() { Hash(dst, packed, pos) })
			for _, h := range dst {
				if h != want {
					t.Fatalf("kernel=%v: hash of %v is %#x, want %#x", k, codes[at:at+K], dst, want)
				}
			}
		}
	}
}

func TestFindOfEveryLength(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for n := range 600 {
		codes := randomCodes(r, n)
		want := textbook(codes)
		for spare := range 20 {
			compare(t, pack(codes, spare, byte(r.Uint32())), n, want)
		}
	}
}

// TestKernelsAgreeWithScalar takes a million sequences, or as many as there is time for.
func TestKernelsAgreeWithScalar(t *testing.T) {
	total, limit := 1_000_000, 4*time.Second
	if testing.Short() {
		total, limit = 20_000, time.Second
	}
	r := rand.New(rand.NewPCG(2, 2))
	start, done := time.Now(), 0
	want := make([]int32, 600)
	for ; done < total && time.Since(start) < limit; done++ {
		n := r.IntN([]int{40, 80, 160, 600}[done%4])
		packed := pack(randomCodes(r, n), r.IntN(20), byte(r.Uint32()))
		compare(t, packed, n, want[:findScalar(want, packed, n)])
	}
	t.Logf("%d sequences", done)
}

// TestLongSequence is longer than anything a kernel counts in a register.
func TestLongSequence(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	const n = 1<<18 + 19
	codes := make([]byte, n)
	for i := range codes {
		codes[i] = byte(r.IntN(4))
	}
	compare(t, pack(codes, 0, 0), n, textbook(codes))
	compare(t, pack(codes, wordSize, 0xff), n, textbook(codes))
	compare(t, pack(make([]byte, n), 0, 0xff), n, textbook(make([]byte, n)))
}

// TestGreaterHalvesDecide looks at all pairs of canonical s-mers whose hashes have the same
// greater half. None of them stand one or two bases apart, so mix may leave the lesser half out.
func TestGreaterHalvesDecide(t *testing.T) {
	if testing.Short() {
		t.Skip("goes through all s-mers")
	}
	follows := func(x, y uint32) bool { return x<<2>>2 == y>>2 || x<<4>>4 == y>>4 }
	touch := func(x, y uint32) bool { return follows(x, y) || follows(y, x) }
	pairs := 0
	for _, apart := range nearProducts() {
		for first := apart >> 16; first < 1<<16; first++ {
			for last := first; last < 1<<16; last++ { // of the reverse complement
				y, ry := first<<16|reverse(last)>>16, last<<16|reverse(first)>>16
				x := y - apart
				rx := reverse(x)
				if x > y || x > rx || y > ry || mix(x) != mix(y) {
					continue
				}
				pairs++
				if touch(x, y) || touch(x, ry) || touch(rx, y) || touch(rx, ry) {
					t.Errorf("%#x and %#x", x, y)
				}
			}
		}
	}
	t.Logf("%d pairs", pairs)
}

// nearProducts returns the differences of s-mers whose products with golden may have the same
// greater half.
func nearProducts() (apart []uint32) {
	product := uint64(0)
	for d := uint32(1); d != 0; d++ {
		if product += golden; product+1<<32 < 1<<33 {
			apart = append(apart, d)
		}
	}
	return apart
}

// reverse complements an s-mer.
func reverse(x uint32) uint32 {
	x = bits.ReverseBytes32(^x)
	x = x>>4&0x0f0f0f0f | x&0x0f0f0f0f<<4
	return x>>2&0x33333333 | x&0x33333333<<2
}

func FuzzFind(f *testing.F) {
	f.Add([]byte("\x1b\x2d\x3c\x4e\x5f\x60"), uint8(0))
	f.Add(make([]byte, 40), uint8(7))
	f.Fuzz(func(t *testing.T, packed []byte, less uint8) {
		n := max(0, 4*len(packed)-int(less))
		want := make([]int32, n)
		compare(t, packed, n, want[:findScalar(want, packed, n)])
	})
}

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{100, 150, 250, 1 << 18} {
		r := rand.New(rand.NewPCG(5, 5))
		packed := make([]byte, n/4+2*wordSize)
		for i := range packed {
			packed[i] = byte(r.Uint32())
		}
		dst := make([]int32, n)
		for _, k := range usable {
			b.Run(fmt.Sprintf("n=%d,kernel=%v", n, k), func(b *testing.B) {
				with(k, func() {
					b.ReportAllocs()
					b.SetBytes(int64(n))
					for b.Loop() {
						Find(dst, packed, n)
					}
				})
			})
		}
	}
}

func BenchmarkHash(b *testing.B) {
	for _, n := range []int{100, 150, 250, 1 << 18} {
		r := rand.New(rand.NewPCG(6, 6))
		packed := make([]byte, n/4+2*wordSize)
		for i := range packed {
			packed[i] = byte(r.Uint32())
		}
		pos, dst := make([]int32, n), make([]uint64, n)
		pos = pos[:Find(pos, packed, n)]
		for _, k := range usable {
			if k == avx512 {
				continue // has no hash of its own
			}
			b.Run(fmt.Sprintf("n=%d,kernel=%v", n, k), func(b *testing.B) {
				with(k, func() {
					b.ReportAllocs()
					b.SetBytes(int64(n))
					for b.Loop() {
						Hash(dst, packed, pos)
					}
				})
			})
		}
	}
}
