//go:build ignore

// Makereads draws read pairs from a reference, seeded, so that the same command makes
// the same files. Run it in this folder: go run makereads.go
//
// A pair is named simNNNN:POS1:POS2:S, POS being the leftmost base (from 1) of each
// mate on the reference and S the strand of mate 1. Fragments are 350 +- 40 bases, reads
// 100 to 151; 0.4 % of bases are substituted (qualities say where), one read in 40 has an
// insertion or deletion of 1 to 6 bases, one pair in 100 has a mate that is random, and a few
// bases are N.
package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"strings"
)

const pairs = 2000

func main() {
	ref := reference("lambda.fa.gz")
	rng := rand.New(rand.NewPCG(48502, 1))
	one, two := create("lambda_1.fq.gz"), create("lambda_2.fq.gz")
	for i := range pairs {
		size := max(160, int(350+40*rng.NormFloat64()))
		start := rng.IntN(len(ref) - size)
		len1, len2 := 100+rng.IntN(52), 100+rng.IntN(52)
		strand := "+-"[rng.IntN(2)]
		left, right := ref[start:start+len1], ref[start+size-len2:start+size]
		pos1, pos2 := start+1, start+size-len2+1
		a, b := left, reverseComplement(right)
		if strand == '-' {
			a, b, pos1, pos2 = b, a, pos2, pos1
		}
		if rng.IntN(100) == 0 {
			b = random(rng, len(b))
		}
		name := fmt.Sprintf("sim%04d:%d:%d:%c", i, pos1, pos2, strand)
		one.write(name+"/1", a, rng)
		two.write(name+"/2", b, rng)
	}
	one.close()
	two.close()
}

func reference(path string) string {
	f, err := os.Open(path)
	check(err)
	z, err := gzip.NewReader(f)
	check(err)
	text, err := io.ReadAll(z)
	check(err)
	_, bases, _ := strings.Cut(string(text), "\n")
	return strings.ToUpper(strings.ReplaceAll(bases, "\n", ""))
}

func reverseComplement(s string) string {
	out := make([]byte, len(s))
	for i := range s {
		out[len(s)-1-i] = "TGCAN"[strings.IndexByte("ACGTN", s[i])]
	}
	return string(out)
}

func random(rng *rand.Rand, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = "ACGT"[rng.IntN(4)]
	}
	return string(out)
}

type output struct {
	f *os.File
	z *gzip.Writer
	w *bufio.Writer
}

func create(path string) *output {
	f, err := os.Create(path)
	check(err)
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	check(err)
	return &output{f, z, bufio.NewWriter(z)}
}

func (o *output) write(name, seq string, rng *rand.Rand) {
	bases := []byte(seq)
	if rng.IntN(40) == 0 {
		at, n := 20+rng.IntN(len(bases)-40), 1+rng.IntN(6)
		tail := string(bases[at:])
		if rng.IntN(2) == 0 {
			bases = []byte(string(bases[:at]) + random(rng, n) + tail)[:len(seq)]
		} else {
			bases = []byte(string(bases[:at]) + tail[n:])
		}
	}
	quals := make([]byte, len(bases))
	for i := range bases {
		quals[i] = byte('!' + 36 - rng.IntN(4))
		switch r := rng.IntN(2500); {
		case r < 10:
			bases[i], quals[i] = "ACGT"[rng.IntN(4)], byte('!'+8+rng.IntN(8))
		case r == 10:
			bases[i], quals[i] = 'N', '#'
		}
	}
	_, err := fmt.Fprintf(o.w, "@%s\n%s\n+\n%s\n", name, bases, quals)
	check(err)
}

func (o *output) close() {
	check(o.w.Flush())
	check(o.z.Close())
	check(o.f.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
