package mapper

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alignpipe/alignpipe/reader"
)

// TestMapSurvivesADamagedIndex overwrites what OpenIndex does not check, and maps. Records may
// say anything, but must be one primary for each read.
func TestMapSurvivesADamagedIndex(t *testing.T) {
	rng := rand.New(rand.NewPCG(49, 1))
	genome := testGenome(rng)
	ix := buildIndex(t, genome, 1)
	var file bytes.Buffer
	ix.WriteTo(&file)
	pairs, _ := simPairs(rng, genome, scaled(64), pairShape{120, 320, 40, FR, .01})
	unlike(rng, pairs, .3)
	long, _ := simPairs(rng, genome, 4, pairShape{maxPacked + 90, 1200, 40, FR, .01})
	whole := file.Bytes()
	section := func(data []byte, i int) []byte {
		le := binary.LittleEndian
		at, n := le.Uint64(data[apxTable+16*i:]), le.Uint64(data[apxTable+16*i+8:])
		return data[at : at+n]
	}
	bytesOfAll := func(b []byte) {
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
	}
	someBytes := func(b []byte) {
		for range 1 + len(b)/50 {
			b[rng.IntN(len(b))] ^= byte(1 + rng.IntN(255))
		}
	}
	eachWord := func(x uint64) func(b []byte) {
		return func(b []byte) {
			for i := range b {
				b[i] = byte(x >> (8 * (i % 8)))
			}
		}
	}
	positions := func(b []byte) { // seeds are found, where they stand is wrong
		for i := 0; i+8 <= len(b); i += 8 {
			e := binary.LittleEndian.Uint64(b[i:])
			binary.LittleEndian.PutUint64(b[i:], e&^posMask|rng.Uint64N(posMask)>>rng.IntN(posBits))
		}
	}
	shuffled := func(b []byte) {
		for n := len(b) / 8; n > 1; n-- {
			i, j := 8*(n-1), 8*rng.IntN(n)
			x, y := binary.LittleEndian.Uint64(b[i:]), binary.LittleEndian.Uint64(b[j:])
			binary.LittleEndian.PutUint64(b[i:], y)
			binary.LittleEndian.PutUint64(b[j:], x)
		}
	}
	for _, c := range []struct {
		name string
		sec  []int
		do   func([]byte)
	}{
		{"random entries", []int{secEntries}, bytesOfAll},
		{"some bytes of entries", []int{secEntries}, someBytes},
		{"entries of zero", []int{secEntries}, eachWord(0)},
		{"entries of ones", []int{secEntries}, eachWord(^uint64(0))},
		{"entries at random places", []int{secEntries}, positions},
		{"entries in another order", []int{secEntries}, shuffled},
		{"random starts", []int{secStarts}, bytesOfAll},
		{"some bytes of starts", []int{secStarts}, someBytes},
		{"every bucket is the whole table", []int{secStarts}, eachWord(uint64(len(ix.entries)) << 32)},
		{"starts beyond the entries", []int{secStarts}, eachWord(^uint64(0))},
		{"every bucket is the whole table, of one seed", []int{secStarts, secEntries}, eachWord(uint64(len(ix.entries)) << 32)},
		{"a random genome", []int{secPacked}, bytesOfAll},
		{"a genome of A only", []int{secPacked}, eachWord(0)},
		{"some bytes of everything", []int{secPacked, secHints, secStarts, secEntries}, someBytes},
		{"random everything", []int{secPacked, secHints, secStarts, secEntries}, bytesOfAll},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := slices.Clone(whole)
			for _, s := range c.sec {
				c.do(section(data, s))
			}
			reseal(data)
			bad, err := parseIndex(data)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range []Orientation{FR, RF, FF} {
				p := DefaultParams()
				p.Orientation = o
				p.Insert = EstimateInsert(bad, p, []*reader.Batch{pairs})
				for _, b := range []*reader.Batch{pairs, {Reads: pairs.Reads}, long} {
					if n, err := countPrimaries(bad, p, b); err != nil || n != len(b.Reads) {
						t.Errorf("%d primary records of %d reads, %v", n, len(b.Reads), err)
					}
				}
			}
		})
	}
}

// countPrimaries maps b and looks at no more of the records than their flags.
func countPrimaries(ix *Index, p Params, b *reader.Batch) (n int, err error) {
	err = NewWorker(ix, p).Map(b, func(rec []byte, ref, pos int32, _ bool, _ uint64) error {
		if binary.LittleEndian.Uint16(rec[18:])&flagSupplementary == 0 {
			n++
		}
		if ref >= int32(len(ix.contigs)) || ref >= 0 && (pos < 0 || int64(pos) >= ix.contigs[ref].Len) {
			return fmt.Errorf("a record at %d:%d", ref, pos)
		}
		return nil
	})
	return n, err
}
