//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import (
	"errors"
	"math/rand/v2"
	"testing"
)

// blockStarts decodes data and returns the places of its blocks that are looked for.
func blockStarts(t *testing.T, data []byte) (starts []place) {
	t.Helper()
	z := new(inflater)
	out := make([]byte, 4<<20)
	for ip, op := 0, 0; ; {
		if at, ok := placeOf(8*int64(ip)-int64(z.held), z.hold|uint64(data[ip])<<z.held); ok {
			starts = append(starts, at)
		}
		taken, put, err := z.run(out, op, 0, data[ip:], edges{lastIn: true, block: true})
		ip, op = ip+taken, op+put
		if err == nil {
			return starts
		}
		if !errors.Is(err, errBoundary) {
			t.Fatal(err)
		}
	}
}

// places returns all that a finder finds in data, whose last headerIn bytes it does not look at.
func places(data []byte) (found []place) {
	f := finder{z: new(inflater), in: data, end: 8 * len(data)}
	for from := 0; ; {
		at, ok := f.next(from)
		if !ok {
			return found
		}
		found = append(found, at)
		from = int(at.bit) + 1
	}
}

func TestAllBlocksAreFound(t *testing.T) {
	inputs := map[string][]byte{
		"reads": deflated(t, fastq(1<<20, 40), 6), "level 1": deflated(t, fastq(1<<20, 4), 1), "stored": deflated(t, fastq(1<<20, 4), 0),
		"random blocks": randomBlocks(rand.New(rand.NewPCG(1, 13)), 300_000, 200),
	}
	for name, data := range inputs {
		data = append(data, make([]byte, headerIn+8)...)
		found := places(data)
		i, wrong := 0, 0
		for _, at := range blockStarts(t, data) {
			for i < len(found) && found[i].bit < at.bit {
				i++
				wrong++
			}
			if i == len(found) || found[i] != at {
				t.Fatalf("%s: no block found at %v", name, at)
			}
			i++
		}
		if wrong > i/10+2 {
			t.Errorf("%s: %d places are no blocks, %d are", name, wrong, i)
		}
	}
}

func TestNoiseHasFewPlaces(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 14))
	noise := make([]byte, 1<<20)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	if n := len(places(noise)); n > 10 {
		t.Errorf("%d places in a megabyte of noise", n)
	}
}

// TestFinderAsSimple compares with looking at each bit for all that a block's header must have.
func TestFinderAsSimple(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 14))
	data := randomBlocks(r, 30_000, 30)
	f := finder{z: new(inflater), in: data, end: 8 * (len(data) - headerIn)}
	got := 0
	for from := 0; ; got++ {
		at := f.nextCoded(from)
		for bit := from; bit < at; bit++ {
			b := bitReader{in: data, ip: bit >> 3}
			b.fill()
			b.drop(uint(bit & 7))
			if v, _ := b.take(3); v == kindCodes && f.codesFit(bit) {
				z := new(inflater)
				z.codeLengths(&b)
				if z.own.pre.slow.count[0] == 0 && complete(&z.own.pre.slow) {
					t.Fatalf("a block at bit %d was passed over", bit)
				}
			}
		}
		if at == f.end {
			break
		}
		from = at + 1
	}
	if got < 5 {
		t.Errorf("only %d blocks", got)
	}
}

// complete tells whether all words are taken.
func complete(c *canonical) bool {
	n := 0
	for i, count := range c.count {
		n += int(count) << maxCode >> i
	}
	return n == 1<<maxCode
}
