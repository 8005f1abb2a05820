package deflate

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// The kernel must make the bytes of writeScalar, whatever is held and however many items there are.
func TestKernelWritesWhatScalarWrites(t *testing.T) {
	if !hasKernel {
		t.Skip("no BMI2")
	}
	t.Cleanup(func() { hasKernel = true })
	rng := rand.New(rand.NewPCG(23, 24))
	e := mustNew(t, 1)
	for i := range 3000 {
		src := mixture(rng, rng.IntN(2000))
		if i%50 == 0 {
			src = records(rng, MaxInput-rng.IntN(2))
		}
		hasKernel = true
		got := e.Append(nil, src)
		hasKernel = false
		if !bytes.Equal(got, e.Append(nil, src)) {
			t.Fatalf("round %d: blocks of %d bytes differ", i, len(src))
		}
	}
}

// All codes at their longest: 15 bits for every symbol, which no block has.
func TestKernelWritesTheLongestItems(t *testing.T) {
	if !hasKernel {
		t.Skip("no BMI2")
	}
	var lens symbols[uint8]
	var codes symbols[uint16]
	rng := rand.New(rand.NewPCG(25, 26))
	for s := range lens {
		lens[s], codes[s] = maxCodeBits, uint16(rng.Uint32N(1<<maxCodeBits))
	}
	var table codeTable
	table.fill(&codes, &lens)
	for n := range 50 {
		items := make([]item, n)
		for i := range items {
			symbol := uint32(distFlag + distCount - 1)
			if rng.IntN(3) == 0 {
				symbol = rng.Uint32N(distFlag)
			}
			items[i] = symbol
			if symbol >= distFlag {
				items[i] |= rng.Uint32N(1<<13) << extraShift
			}
		}
		var out [2][300]byte
		for held := range uint(8) {
			a, b := bitWriter{out: out[0][:]}, bitWriter{out: out[1][:]}
			a.put(1<<held-1, held)
			b.put(1<<held-1, held)
			table.write(&a, items)
			table.writeScalar(&b, items)
			if a.at != b.at || a.hold != b.hold || a.held != b.held || !bytes.Equal(out[0][:a.at], out[1][:a.at]) {
				t.Fatalf("%d items after %d bits: the kernel writes %d bytes, and others", n, held, a.at)
			}
		}
	}
}
