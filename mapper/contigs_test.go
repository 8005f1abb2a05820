package mapper

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// contigsOf makes a reference of the given lengths that has no bases.
func contigsOf(t testing.TB, lens []int64) *Reference {
	t.Helper()
	r := &Reference{}
	for i, n := range lens {
		if err := r.addContig(fmt.Sprintf("ctg%d", i)); err != nil {
			t.Fatal(err)
		}
		r.contigs[i].Len = n
		r.total += n
	}
	r.makeHints()
	return r
}

func TestContigAtFindsTheContig(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 21))
	for _, c := range []struct {
		name string
		lens func() []int64
	}{
		{"one", func() []int64 { return []int64{1} }},
		{"like human", func() []int64 { return []int64{248e6, 242e6, 198e6, 190e6, 181e6, 170e6, 57e6, 16569} }},
		{"some of them empty", func() []int64 { return []int64{0, 5, 0, 0, 7, 1 << 20, 0, 3, 0} }},
		{"a long one and many short ones", func() []int64 {
			lens := []int64{maxContig}
			for range 5000 {
				lens = append(lens, int64(rng.IntN(300)))
			}
			return append(lens, maxContig, 1)
		}},
		{"many of one kb", func() []int64 {
			lens := make([]int64, 10_000)
			for i := range lens {
				lens[i] = int64(900 + rng.IntN(200))
			}
			return lens
		}},
	} {
		r := contigsOf(t, c.lens())
		if !r.checkContigs() {
			t.Errorf("%s: the table is refused", c.name)
		}
		for i, ctg := range r.contigs {
			if ctg.Len == 0 {
				continue
			}
			for _, p := range []int64{ctg.Off, ctg.Off + rng.Int64N(ctg.Len), ctg.Off + ctg.Len - 1} {
				if got := r.contigAt(p); got != i {
					t.Fatalf("%s: contigAt(%d) = %d, want %d", c.name, p, got, i)
				}
			}
		}
		if got := r.contigAt(r.total); got != len(r.contigs)-1 {
			t.Errorf("%s: a position behind the genome is in contig %d", c.name, got)
		}
	}
}

func TestNearHoleNeverMissesOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(22, 22))
	r := &Reference{total: 1 << 20}
	for at := int64(3000); at < r.total-70_000; {
		n := 1 + rng.Int64N([]int64{1, 50, 3000, 70_000}[rng.IntN(4)])
		r.noteHole(at, at+n)
		at += n + 1 + rng.Int64N(60_000)
	}
	if !r.makeHoleMap() {
		t.Fatal("the holes are refused")
	}
	far, no := 0, 0
	for range 200_000 {
		n := 1 + rng.Int64N([]int64{400, 1100, 20_000}[rng.IntN(3)])
		pos := rng.Int64N(r.total - n)
		touches, near := false, false
		for _, h := range r.holes {
			touches = touches || h.start < pos+n && h.end > pos
			near = near || h.start < pos+n+2<<holeBlock && h.end > pos-2<<holeBlock
		}
		switch got := r.nearHole(pos, n); {
		case touches && !got:
			t.Fatalf("[%d,+%d) touches a hole, nearHole says no", pos, n)
		case got && !near:
			far++
		case !got:
			no++
		}
	}
	if far > 0 || no == 0 {
		t.Errorf("%d ranges far from any hole were called near, %d were not", far, no)
	}
}

// manyContigs writes a FASTA file of n contigs of the given length.
func manyContigs(t testing.TB, n, length int) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(23, 23))
	seq := randomBases(rng, 1<<20)
	var b bytes.Buffer
	for i := range n {
		at := rng.IntN(len(seq) - length)
		fmt.Fprintf(&b, ">scaffold_%d\n%s\n", i, seq[at:at+length])
	}
	path := filepath.Join(t.TempDir(), "many.fa")
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// BenchmarkOpenIndex opens an index in the page cache. One million contigs should take
// milliseconds: their table is checked, nothing is copied.
func BenchmarkOpenIndex(b *testing.B) {
	for _, contigs := range []int{10, 1_000_000} {
		b.Run(fmt.Sprintf("contigs=%d", contigs), func(b *testing.B) {
			ref, err := LoadFASTA(vfs.OS, manyContigs(b, contigs, 40))
			if err != nil {
				b.Fatal(err)
			}
			ix, err := Build(context.Background(), ref, 2)
			if err != nil {
				b.Fatal(err)
			}
			path := filepath.Join(b.TempDir(), "many.apx")
			f, _ := os.Create(path)
			if _, err := ix.WriteTo(f); err != nil {
				b.Fatal(err)
			}
			f.Close()
			ix.Close()
			for b.Loop() {
				ix, err := OpenIndex(vfs.OS, path)
				if err != nil {
					b.Fatal(err)
				}
				ix.Close()
			}
		})
	}
}

func BenchmarkContigAt(b *testing.B) {
	for _, contigs := range []int{24, 1_000_000} {
		lens := make([]int64, contigs)
		for i := range lens {
			lens[i] = 3e9 / int64(contigs)
		}
		r := contigsOf(b, lens)
		b.Run(fmt.Sprintf("contigs=%d", contigs), func(b *testing.B) {
			p, sum := int64(1), 0
			for b.Loop() {
				p = (p*6364136223846793005 + 1442695040888963407) & (1<<62 - 1)
				sum += r.contigAt(p % r.total)
			}
		})
	}
}
