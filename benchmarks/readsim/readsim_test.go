package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// reference writes two contigs, one with a hole, and returns their sequences.
func reference(t *testing.T) (path string, seqs map[string]string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	seqs = map[string]string{}
	var text strings.Builder
	for _, name := range []string{"a", "b"} {
		b := make([]byte, map[string]int{"a": 300_000, "b": 90_000}[name])
		for i := range b {
			b[i] = "ACGTacgt"[rng.IntN(8)]
		}
		seqs[name] = strings.ToUpper(string(b))
	}
	seqs["a"] = seqs["a"][:150_000] + strings.Repeat("N", 2000) + seqs["a"][152_000:]
	for _, name := range []string{"a", "b"} {
		fmt.Fprintf(&text, ">%s x\n", name)
		for s := seqs[name]; s != ""; s = s[min(70, len(s)):] {
			text.WriteString(s[:min(70, len(s))] + "\n")
		}
	}
	path = filepath.Join(t.TempDir(), "ref.fa")
	if err := os.WriteFile(path, []byte(text.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	return path, seqs
}

// simulate returns the lines of the three files.
func simulate(t *testing.T, ref string, args ...string) (out [3][]string) {
	t.Helper()
	prefix := filepath.Join(t.TempDir(), "r")
	if err := run(append([]string{"-ref", ref, "-o", prefix, "-plain"}, args...), io.Discard); err != nil {
		t.Fatal(err)
	}
	for i, end := range []string{"_1.fq", "_2.fq", "_truth.tsv"} {
		text, err := os.ReadFile(prefix + end)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	}
	return out
}

func revComp(s string) string {
	b := make([]byte, len(s))
	for i := range s {
		b[len(s)-1-i] = "TGCA"[strings.IndexByte("ACGT", s[i])]
	}
	return string(b)
}

// TestReadsWithoutChangesAreTheReference holds reads and truth to each other.
func TestReadsWithoutChangesAreTheReference(t *testing.T) {
	ref, seqs := reference(t)
	out := simulate(t, ref, "-pairs", "2000", "-len", "100", "-snp", "0", "-indel", "0", "-err", "0")
	if len(out[0]) != 8000 || len(out[1]) != 8000 || len(out[2]) != 2000 {
		t.Fatalf("%d, %d and %d lines", len(out[0]), len(out[1]), len(out[2]))
	}
	forward, sizes := 0, 0
	for i, line := range out[2] {
		var name, contig string
		var at [4]int
		if _, err := fmt.Sscan(line, &name, &contig, &at[0], &at[1], &at[2], &at[3]); err != nil {
			t.Fatal(err)
		}
		one, two := out[0][4*i+1], out[1][4*i+1]
		w1, w2 := seqs[contig][at[0]:at[1]], seqs[contig][at[2]:at[3]]
		switch {
		case out[0][4*i] != "@"+name || out[1][4*i] != "@"+name:
			t.Fatalf("names %q and %q, the truth says %q", out[0][4*i], out[1][4*i], name)
		case one == w1 && two == revComp(w2) && at[0] <= at[2]:
			forward++
		case one == revComp(w1) && two == w2 && at[2] <= at[0]:
		default:
			t.Fatalf("%s: the mates are not what stands there, facing each other", line)
		}
		sizes += max(at[1], at[3]) - min(at[0], at[2])
	}
	if forward < 900 || forward > 1100 {
		t.Errorf("the first mate is forward in %d of 2000 pairs", forward)
	}
	if mean := sizes / 2000; mean < 390 || mean > 410 {
		t.Errorf("fragments have %d bases on average, want 400", mean)
	}
}

// TestRatesAreAsAsked counts changes against the reference, without indels.
func TestRatesAreAsAsked(t *testing.T) {
	ref, seqs := reference(t)
	for _, c := range []struct {
		name      string
		args      []string
		low, high float64
	}{
		{"variants", []string{"-snp", "0.01", "-indel", "0", "-err", "0"}, .0092, .0108},
		{"errors", []string{"-snp", "0", "-indel", "0", "-err", "0.004"}, .0037, .0043},
		{"many errors", []string{"-snp", "0", "-indel", "0", "-err", "0.02"}, .019, .021},
	} {
		out := simulate(t, ref, append(c.args, "-pairs", "4000")...)
		bases, wrong, early, late, said := 0, 0, 0, 0, 0.0
		for i, line := range out[2] {
			var name, contig string
			var at [4]int
			fmt.Sscan(line, &name, &contig, &at[0], &at[1], &at[2], &at[3])
			for mate := range 2 {
				read, qual, want := out[mate][4*i+1], out[mate][4*i+3], seqs[contig][at[2*mate]:at[2*mate+1]]
				if (mate == 0) != (at[0] <= at[2]) {
					want = revComp(want)
				}
				if at[0] == at[2] { // which mate is forward does not show
					continue
				}
				for j := range read {
					bases++
					said += chance(int(qual[j]) - 33)
					if read[j] != want[j] {
						wrong++
						if j < 50 {
							early++
						} else if j >= 100 {
							late++
						}
					}
				}
			}
		}
		if rate := float64(wrong) / float64(bases); rate < c.low || rate > c.high {
			t.Errorf("%s: rate %.5f, want %.5f to %.5f", c.name, rate, c.low, c.high)
		}
		if c.name != "variants" {
			if late < 2*early {
				t.Errorf("%s: %d in the first third of reads, %d in the last", c.name, early, late)
			}
			if said /= float64(wrong); said < .9 || said > 1.1 {
				t.Errorf("%s: qualities promise %.2f times the errors there are", c.name, said)
			}
		}
	}
}

// TestVariantsBelongToTheGenome looks for reads over one place that disagree.
func TestVariantsBelongToTheGenome(t *testing.T) {
	ref, seqs := reference(t)
	out := simulate(t, ref, "-pairs", "20000", "-snp", "0.01", "-indel", "0", "-err", "0")
	type place struct {
		contig string
		pos    int
	}
	seen, variants := map[place]byte{}, 0
	for i, line := range out[2] {
		var name, contig string
		var at [4]int
		fmt.Sscan(line, &name, &contig, &at[0], &at[1], &at[2], &at[3])
		read := out[0][4*i+1]
		if at[0] >= at[2] {
			continue
		}
		for j := range read {
			p := place{contig, at[0] + j}
			if before, ok := seen[p]; ok && before != read[j] {
				t.Fatalf("%v is %c in one read and %c in another", p, before, read[j])
			}
			seen[p] = read[j]
			if read[j] != seqs[contig][p.pos] {
				variants++
			}
		}
	}
	if variants == 0 {
		t.Error("no variants")
	}
}

func TestIndelsShiftTheTruth(t *testing.T) {
	ref, _ := reference(t)
	out := simulate(t, ref, "-pairs", "3000", "-snp", "0", "-indel", "0.01", "-err", "0")
	shorter, longer := 0, 0
	for _, line := range out[2] {
		var name, contig string
		var at [4]int
		fmt.Sscan(line, &name, &contig, &at[0], &at[1], &at[2], &at[3])
		for _, n := range []int{at[1] - at[0], at[3] - at[2]} {
			switch {
			case n < 150:
				shorter++
			case n > 150:
				longer++
			}
		}
	}
	if shorter < 1500 || longer < 1500 { // of 6000 reads with 1.5 indels each
		t.Errorf("%d reads lie on fewer bases than they have, %d on more", shorter, longer)
	}
}

func TestSameSeedSameReads(t *testing.T) {
	ref, _ := reference(t)
	one, two := simulate(t, ref, "-pairs", "500"), simulate(t, ref, "-pairs", "500")
	other := simulate(t, ref, "-pairs", "500", "-seed", "2")
	for i := range one {
		if strings.Join(one[i], "") != strings.Join(two[i], "") {
			t.Error("the same seed gives other files")
		}
		if strings.Join(one[i], "") == strings.Join(other[i], "") {
			t.Error("two seeds give the same file")
		}
	}
}

func TestCompressedFilesHoldThePlainOnes(t *testing.T) {
	ref, _ := reference(t)
	plain := simulate(t, ref, "-pairs", "3000")
	prefix := filepath.Join(t.TempDir(), "r")
	if err := run([]string{"-ref", ref, "-o", prefix, "-pairs", "3000"}, io.Discard); err != nil {
		t.Fatal(err)
	}
	for i, end := range []string{"_1.fq.gz", "_2.fq.gz", "_truth.tsv.gz"} {
		packed, _ := os.ReadFile(prefix + end)
		zr, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(zr)
		if err != nil || string(text) != strings.Join(plain[i], "\n")+"\n" {
			t.Errorf("%s: differs from the plain file (%v)", end, err)
		}
	}
}

func TestImpossibleRuns(t *testing.T) {
	ref, _ := reference(t)
	out := filepath.Join(t.TempDir(), "r")
	for name, args := range map[string][]string{
		"no reference":              {"-o", out},
		"a reference that is not":   {"-ref", ref + "x", "-o", out},
		"fragments beyond contigs":  {"-ref", ref, "-o", out, "-frag", "500000"},
		"fragments below reads":     {"-ref", ref, "-o", out, "-frag", "100"},
		"more errors than the bins": {"-ref", ref, "-o", out, "-err", "0.1"},
	} {
		if err := run(args, io.Discard); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
