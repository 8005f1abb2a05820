package bases

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// without runs f with the scalar code only.
func without(f func()) {
	old := vectors
	defer func() { vectors = old }()
	vectors = false
	f()
}

// answer is what all functions say about a sequence.
type answer struct {
	fwd, rev           []uint64
	clean              bool
	codes, codesOfBack []byte
}

// ask gives the functions memory that is dirty, and one more element that they must leave.
func ask(t *testing.T, seq []byte) answer {
	t.Helper()
	const dirt = 0xa5
	w, n := words(len(seq)), len(seq)
	a := answer{fwd: make([]uint64, w+1), rev: make([]uint64, w+1), codes: make([]byte, n+1), codesOfBack: make([]byte, n+1)}
	for i := range w + 1 {
		a.fwd[i], a.rev[i] = dirt, dirt
	}
	a.codes[n], a.codesOfBack[n] = dirt, dirt
	a.clean = PackBoth(a.fwd, a.rev, seq)
	Codes(a.codes, seq)
	CodesReverse(a.codesOfBack, seq)
	if a.fwd[w] != dirt || a.rev[w] != dirt || a.codes[n] != dirt || a.codesOfBack[n] != dirt {
		t.Fatalf("written beyond the end of %q", seq)
	}
	return a
}

// compare wants the scalar code's answer, for a sequence that ends where its memory does.
func compare(t *testing.T, seq []byte) {
	t.Helper()
	seq = slices.Clip(seq)
	got := ask(t, seq)
	var want answer
	without(func() { want = ask(t, seq) })
	if !slices.Equal(got.fwd, want.fwd) || !slices.Equal(got.rev, want.rev) || got.clean != want.clean ||
		!bytes.Equal(got.codes, want.codes) || !bytes.Equal(got.codesOfBack, want.codesOfBack) {
		t.Fatalf("%q: got %+v\nwant %+v", seq, got, want)
	}
}

// randomLetters has other letters in one sequence of four.
func randomLetters(r *rand.Rand, n int) []byte {
	s := make([]byte, n)
	for i := range s {
		s[i] = "ACGTacgt"[r.IntN(8)]
	}
	if n > 0 && r.IntN(4) == 0 {
		for range 1 + r.IntN(3) {
			s[r.IntN(n)] = byte(r.Uint32())
		}
	}
	return s
}

func TestLettersOneByOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	check := func(t *testing.T, seq []byte) {
		a := ask(t, seq)
		clean := true
		for i, c := range seq {
			v := bytes.IndexByte([]byte("AaCcGgTt"), c) / 2
			if c != 'A' && v == 0 && c != 'a' {
				v, clean = N, false
			}
			back := len(seq) - 1 - i
			base := func(w []uint64, i int) int { return int(w[i/perWord]>>(2*(i%perWord))) & 3 }
			if base(a.fwd, i) != v&3 || base(a.rev, back) != 3-v&3 {
				t.Fatalf("letter %d of %q: packed as %d and %d", i, seq, base(a.fwd, i), base(a.rev, back))
			}
			if v != N && a.codesOfBack[back] != byte(3-v) || v == N && a.codesOfBack[back] != N || a.codes[i] != byte(v) {
				t.Fatalf("letter %d of %q: codes %d and %d", i, seq, a.codes[i], a.codesOfBack[back])
			}
		}
		if a.clean != clean {
			t.Fatalf("%q: clean is %v", seq, a.clean)
		}
	}
	for n := range 600 {
		seq := randomLetters(r, n)
		check(t, seq)
		without(func() { check(t, seq) })
	}
	for c := range 256 {
		for _, n := range []int{1, 7, 8, 9, 31, 32, 33, 64, 150} {
			seq := bytes.Repeat([]byte("G"), n)
			seq[r.IntN(n)] = byte(c)
			check(t, seq)
			without(func() { check(t, seq) })
		}
	}
}

// TestKernelsAgreeWithScalar takes a million sequences, or as many as there is time for.
func TestKernelsAgreeWithScalar(t *testing.T) {
	total, limit := 1_000_000, 5*time.Second
	if testing.Short() {
		total, limit = 20_000, time.Second
	}
	r := rand.New(rand.NewPCG(2, 2))
	start, done := time.Now(), 0
	for ; done < total && time.Since(start) < limit; done++ {
		compare(t, randomLetters(r, r.IntN([]int{40, 70, 70, 300}[done%4])))
	}
	t.Logf("%d sequences", done)
}

func FuzzLetters(f *testing.F) {
	f.Add([]byte("ACGTNacgtn"))
	f.Add(bytes.Repeat([]byte("GATTACA"), 10))
	f.Fuzz(func(t *testing.T, seq []byte) { compare(t, seq) })
}

func BenchmarkLetters(b *testing.B) {
	for _, n := range []int{100, 150, 250} {
		r := rand.New(rand.NewPCG(3, 3))
		seq := make([]byte, n)
		for i := range seq {
			seq[i] = "ACGT"[r.IntN(4)]
		}
		word, rev, codes := make([]uint64, words(n)), make([]uint64, words(n)), make([]byte, n)
		for _, f := range []struct {
			name string
			run  func()
		}{
			{"pack", func() { Pack(word, seq) }},
			{"packBoth", func() { PackBoth(word, rev, seq) }},
			{"codes", func() { Codes(codes, seq) }},
			{"codesReverse", func() { CodesReverse(codes, seq) }},
		} {
			run := func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f.run()
				}
			}
			name := fmt.Sprintf("n=%d,to=%s,kernel=", n, f.name)
			b.Run(name+"scalar", func(b *testing.B) { without(func() { run(b) }) })
			if vectors {
				b.Run(name+"avx2", run)
			}
		}
	}
}
