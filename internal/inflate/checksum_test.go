package inflate

import (
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

func TestChecksumOfParts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 15))
	data := []byte(text(1 << 20))
	for range 200 {
		var got checksum
		rest := data[:r.IntN(len(data))]
		want := crc32.ChecksumIEEE(rest)
		size := len(rest)
		for len(rest) > 0 {
			n := r.IntN(min(len(rest), 1<<r.IntN(20)) + 1)
			got.add(crc32.ChecksumIEEE(rest[:n]), int64(n))
			rest = rest[n:]
		}
		if got.crc != want || got.size != int64(size) {
			t.Fatalf("%08x of %d bytes, want %08x of %d", got.crc, got.size, want, size)
		}
	}
}

// TestChecksumOfMuch goes where the length does not fit into 32 bits.
func TestChecksumOfMuch(t *testing.T) {
	one := checksum{crc: crc32.ChecksumIEEE(make([]byte, 1<<16)), size: 1 << 16}
	sum := one
	for range 20 { // doubles
		sum.add(sum.crc, sum.size)
	}
	other := checksum{}
	for range 2 { // halves
		half := one
		for range 19 {
			half.add(half.crc, half.size)
		}
		other.add(half.crc, half.size)
	}
	if sum != other || sum.size != 1<<36 {
		t.Errorf("%v and %v", sum, other)
	}
	if a, b := shiftCRC(shiftCRC(1, 1<<40), 12345), shiftCRC(1, 1<<40+12345); a != b {
		t.Errorf("%08x and %08x", a, b)
	}
}
