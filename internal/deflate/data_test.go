package deflate

import (
	"fmt"
	"math/rand/v2"
)

func fill(rng *rand.Rand, b []byte) {
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
}

// periodic returns random bytes that repeat.
func periodic(rng *rand.Rand, n, period int) []byte {
	b := make([]byte, n)
	fill(rng, b[:min(n, period)])
	for i := period; i < n; i++ {
		b[i] = b[i-period]
	}
	return b
}

// patterns make inputs of any size.
var patterns = []struct {
	name string
	make func(n int) []byte
}{
	{"zeros", func(n int) []byte { return make([]byte, n) }},
	{"random bytes", func(n int) []byte {
		b := make([]byte, n)
		fill(rand.New(rand.NewPCG(1, uint64(n))), b)
		return b
	}},
	{"all bytes in turn", func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(i)
		}
		return b
	}},
	{"period of 3", func(n int) []byte { return periodic(rand.New(rand.NewPCG(2, uint64(n))), n, 3) }},
	{"bytes of ever lower frequency, for the longest codes", func(n int) []byte {
		rng := rand.New(rand.NewPCG(3, uint64(n)))
		b := make([]byte, n)
		for i := range b {
			for b[i] = 0; b[i] < 40 && rng.Uint32()&1 == 0; {
				b[i]++
			}
		}
		return b
	}},
	{"zeros that end in a repeat of the start", func(n int) []byte {
		b := make([]byte, n)
		copy(b, "unlike!")
		copy(b[n-min(n, 7):], "unlike!")
		return b
	}},
	{"alignment records", func(n int) []byte { return records(rand.New(rand.NewPCG(4, uint64(n))), n) }},
	{"mixture", func(n int) []byte { return mixture(rand.New(rand.NewPCG(5, uint64(n))), n) }},
}

// mixture returns stretches of random bytes, of few symbols, of runs, and of what came before.
func mixture(rng *rand.Rand, n int) []byte {
	b := make([]byte, 0, n+400)
	for len(b) < n {
		at, length := len(b), 1+rng.IntN(1+rng.IntN(400))
		b = b[:at+min(length, cap(b)-at)]
		part := b[at:]
		switch kind := rng.IntN(5); {
		case kind == 0:
			fill(rng, part)
		case kind == 1:
			symbols := 1 + rng.IntN(6)
			for i := range part {
				part[i] = byte('F' + rng.IntN(symbols))
			}
		case kind == 2:
			v := byte(rng.Uint32())
			for i := range part {
				part[i] = v
			}
		case at > 0:
			back := 1 + rng.IntN(at)
			for i := range part {
				part[i] = b[at+i-back]
			}
		default:
			clear(part)
		}
	}
	return b[:n]
}

// records returns n bytes that are like sorted alignment records: fixed fields, a name, bases of
// a genome in half bytes, qualities of four bins, and tags.
func records(rng *rand.Rand, n int) []byte {
	genome := make([]byte, 4000)
	for i := range genome {
		genome[i] = 1 << rng.IntN(4)
	}
	b := make([]byte, 0, n+500)
	for pos := 0; len(b) < n; pos += rng.IntN(20) {
		b = append(b, 86, 1, 0, 0, 2, 0, 0, 0, byte(pos), byte(pos>>8), 1, 0, 40, 60, 200, 18, 1, 0, 99, 0, 150, 0, 0, 0)
		b = append(b, fmt.Sprintf("A00123:45:HXXXXXXX:1:%d:%d:%d\x00", 1100+rng.IntN(578), 1000+rng.IntN(30000), 1000+rng.IntN(30000))...)
		for i := 0; i < 150; i += 2 {
			b = append(b, genome[(pos+i)%len(genome)]<<4|genome[(pos+i+1)%len(genome)])
		}
		for range 150 {
			q := byte(37)
			if rng.IntN(8) == 0 {
				q = []byte{2, 11, 25}[rng.IntN(3)]
			}
			b = append(b, q)
		}
		b = append(b, "NMC\x00MDZ150\x00ASC\x96XSC\x00MCZ150M\x00"...)
	}
	return b[:n]
}
