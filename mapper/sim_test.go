package mapper

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/reader"
)

// randomBases makes n bases from a seed.
func randomBases(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = "ACGT"[rng.IntN(4)]
	}
	return b
}

// testGenome has unique sequence, a repeat family, a run of N and a second contig.
func testGenome(rng *rand.Rand) map[string][]byte {
	one := randomBases(rng, 120_000)
	family := randomBases(rng, 300)
	for i := range 40 {
		copy(one[5000+i*2500:], family)
	}
	for i := 60_100; i < 60_600; i++ {
		one[i] = 'N'
	}
	return map[string][]byte{"one": one, "two": randomBases(rng, 30_000)}
}

func writeFASTA(t testing.TB, genome map[string][]byte) string {
	t.Helper()
	var b strings.Builder
	for _, name := range []string{"one", "two"} {
		fmt.Fprintf(&b, ">%s some description\n", name)
		for s := genome[name]; len(s) > 0; s = s[min(70, len(s)):] {
			fmt.Fprintf(&b, "%s\n", s[:min(70, len(s))])
		}
	}
	path := filepath.Join(t.TempDir(), "ref.fa")
	if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func buildIndex(t testing.TB, genome map[string][]byte, threads int) *Index {
	t.Helper()
	ref, err := LoadFASTA(vfs.OS, writeFASTA(t, genome))
	if err != nil {
		t.Fatal(err)
	}
	ix, err := Build(context.Background(), ref, threads)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ix.Close() })
	return ix
}

// truth is where a simulated read comes from.
type truth struct {
	contig string
	pos    int // 0-based
	rev    bool
}

func revComp(s []byte) []byte {
	out := make([]byte, len(s))
	for i, c := range s {
		out[len(s)-1-i] = map[byte]byte{'A': 'T', 'C': 'G', 'G': 'C', 'T': 'A', 'N': 'N'}[c]
	}
	return out
}

// mutate puts substitutions at the given rate, and sometimes one short indel, into a read.
func mutate(rng *rand.Rand, s []byte, rate float64) []byte {
	out := append([]byte(nil), s...)
	for i := range out {
		if rng.Float64() < rate {
			out[i] = "ACGT"[rng.IntN(4)]
		}
	}
	if rng.IntN(10) == 0 {
		at, n := 30+rng.IntN(len(out)-60), 1+rng.IntN(6)
		if rng.IntN(2) == 0 {
			out = append(out[:at], out[at+n:]...)
		} else {
			out = append(out[:at:at], append(randomBases(rng, n), out[at:]...)...)
		}
	}
	return out
}

// simulate makes pairs of 2x100 from fragments of about 300.
func simulate(rng *rand.Rand, genome map[string][]byte, pairs int) (*reader.Batch, []truth) {
	b := &reader.Batch{Paired: true}
	var where []truth
	for len(where) < 2*pairs {
		name := []string{"one", "one", "one", "two"}[rng.IntN(4)]
		g := genome[name]
		size := 250 + rng.IntN(100)
		at := rng.IntN(len(g) - size)
		frag := g[at : at+size]
		if strings.Contains(string(frag), "N") {
			continue
		}
		left, right := mutate(rng, frag[:100], .01), mutate(rng, revComp(frag[size-100:]), .01)
		tl, tr := truth{name, at, false}, truth{name, at + size - 100, true}
		if rng.IntN(2) == 0 {
			left, right, tl, tr = right, left, tr, tl
		}
		id := fmt.Appendf(nil, "r%d", len(where)/2)
		for _, s := range [][]byte{left, right} {
			b.Reads = append(b.Reads, reader.Read{Name: id, Seq: s, Qual: []byte(strings.Repeat("I", len(s)))})
			b.Bases += len(s)
		}
		where = append(where, tl, tr)
	}
	return b, where
}
