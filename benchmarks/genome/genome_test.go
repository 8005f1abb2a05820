package main

import (
	"bytes"
	"strings"
	"testing"
)

// generate returns the file, and the sequence of each chromosome.
func generate(t *testing.T, args ...string) (file []byte, seqs map[string]string) {
	t.Helper()
	var out, talk bytes.Buffer
	if err := run(args, &out, &talk); err != nil {
		t.Fatal(err)
	}
	seqs = map[string]string{}
	name := ""
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, ">"); ok {
			name, _, _ = strings.Cut(rest, " ")
			seqs[name] = ""
			continue
		}
		if len(line) == 0 || len(line) > lineBases {
			t.Fatalf("a line of %d bases", len(line))
		}
	}
	for _, record := range strings.Split(out.String(), ">")[1:] {
		head, body, _ := strings.Cut(record, "\n")
		name, _, _ = strings.Cut(head, " ")
		seqs[name] = strings.ReplaceAll(body, "\n", "")
	}
	return out.Bytes(), seqs
}

func TestSameSeedSameGenome(t *testing.T) {
	one, _ := generate(t, "-size", "300000", "-seed", "3")
	two, _ := generate(t, "-size", "300000", "-seed", "3")
	other, _ := generate(t, "-size", "300000", "-seed", "4")
	if !bytes.Equal(one, two) {
		t.Error("the same seed gives two genomes")
	}
	if bytes.Equal(one, other) {
		t.Error("two seeds give the same genome")
	}
}

func TestComposition(t *testing.T) {
	const size = 20_000_001
	_, seqs := generate(t, "-size", "20000001")
	if len(seqs) != 24 {
		t.Errorf("%d chromosomes", len(seqs))
	}
	total, count := 0, map[rune]int{}
	for _, s := range seqs {
		total += len(s)
		for _, c := range s {
			count[c]++
		}
	}
	if total != size {
		t.Errorf("%d bases, want %d", total, size)
	}
	if got, want := float64(len(seqs["chr1"]))/float64(len(seqs["chr21"])), 248956./46710; got < .99*want || got > 1.01*want {
		t.Errorf("chr1 is %.2f times as long as chr21, want %.2f", got, want)
	}
	sum := func(letters string) float64 {
		n := 0
		for _, c := range letters {
			n += count[c]
		}
		return float64(n) / size
	}
	for _, c := range []struct {
		name      string
		letters   string
		low, high float64
	}{
		{"all letters", "ACGTacgtN", 1, 1},
		{"N", "N", .02, .06},
		{"repeats", "acgt", .42, .56},
		{"G and C", "GCgc", .37, .45},
	} {
		if got := sum(c.letters); got < c.low || got > c.high {
			t.Errorf("%s: %.3f of the genome, want %.3f to %.3f", c.name, got, c.low, c.high)
		}
	}
}

// TestRepeatsAreRepeats counts 16-mers that stand at many places: hardly any would in a
// random sequence of this size.
func TestRepeatsAreRepeats(t *testing.T) {
	_, seqs := generate(t, "-size", "4000000")
	places := map[string]int{}
	n := 0
	for _, s := range seqs {
		s = strings.ToUpper(s)
		for i := 0; i+16 <= len(s); i++ {
			if w := s[i : i+16]; !strings.Contains(w, "N") {
				places[w]++
				n++
			}
		}
	}
	often := 0
	for _, k := range places {
		if k >= 5 {
			often += k
		}
	}
	if share := float64(often) / float64(n); share < .05 || share > .3 {
		t.Errorf("%.3f of the 16-mers stand at five places or more", share)
	}
}

func TestMutatorKeepsToItsRate(t *testing.T) {
	m := newMaker(nil, minSize, 1)
	src := bytes.Repeat([]byte("ACGTTGCA"), 50_000)
	for _, percent := range []int{1, 5, 20} {
		same := 0
		dst := m.mut.copy(nil, src, percent)
		for i, j := 0, 0; i < len(src) && j < len(dst); i, j = i+8, j+8 {
			if bytes.Equal(src[i:i+8], dst[j:j+8]) {
				same++
				continue
			}
			at := bytes.Index(dst[j:min(j+64, len(dst))], []byte("ACGTTGCA")) // indels shift
			if at >= 0 {
				j += at - 8
			}
		}
		share, want := float64(same)/float64(len(src)/8), 1.0
		for range 8 {
			want *= 1 - float64(percent)/100
		}
		if share < want-.1 || share > want+.1 {
			t.Errorf("%d %%: %.2f of the words are as they were, want about %.2f", percent, share, want)
		}
	}
	if d := m.mut.copy(nil, src, 0); !bytes.Equal(d, src) {
		t.Error("a copy without changes has some")
	}
}

func TestFlipIsItsOwnInverse(t *testing.T) {
	b := []byte("ACGTNacgtGG")
	flip(b)
	if string(b) != "CCacgtNACGT" {
		t.Errorf("%s", b)
	}
	flip(b)
	if string(b) != "ACGTNacgtGG" {
		t.Errorf("%s", b)
	}
}

func TestSizesThatCannotBe(t *testing.T) {
	for _, size := range []string{"1000", "1e13", "-5"} {
		if err := run([]string{"-size", size}, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
			t.Errorf("-size %s: accepted", size)
		}
	}
}
