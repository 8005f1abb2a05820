package readsum_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/readsum"
)

type read struct {
	name      string
	mate      uint8
	seq, qual string
}

const alphabet = "=ACMGRSVTWYHKDBN"

// golden pins the value that this package gave first; it has no second opinion.
const golden = "1:f416bcafa254d65cc7940788aa2a37b5"

func randomRead(rng *rand.Rand, n int) read {
	r := read{name: fmt.Sprint("read/", rng.IntN(1e9)), mate: uint8(rng.IntN(3))}
	seq, qual := make([]byte, n), make([]byte, n)
	for i := range seq {
		seq[i], qual[i] = alphabet[rng.IntN(16)], byte(33+rng.IntN(94))
	}
	r.seq, r.qual = string(seq), string(qual)
	return r
}

func add(h *readsum.Hasher, s *readsum.Sum, r read) {
	h.Add(s, []byte(r.name), r.mate, []byte(r.seq), []byte(r.qual))
}

func sumOf(reads ...read) (s readsum.Sum) {
	var h readsum.Hasher
	for _, r := range reads {
		add(&h, &s, r)
	}
	return s
}

// record is the read as the mapper writes it, without block_size.
func record(r read, reverse bool, extra uint16) []byte {
	flag := extra
	switch r.mate {
	case 1:
		flag |= bamrec.FlagPaired | bamrec.FlagFirst
	case 2:
		flag |= bamrec.FlagPaired | bamrec.FlagSecond
	}
	if reverse {
		flag |= bamrec.FlagReverse
	}
	return bamrec.Append(nil, &bamrec.Record{Name: []byte(r.name), Flag: flag, Ref: 3, Pos: 1000, MapQ: 9,
		Cigar: []uint32{uint32(len(r.seq))<<4 | 4, 7 << 4}, MateRef: -1, MatePos: -1, Seq: []byte(r.seq),
		Qual: []byte(r.qual), Reverse: reverse, Tags: bamrec.AppendTagInt(nil, [2]byte{'N', 'M'}, 70000)})[4:]
}

func TestBothSidesAgreeOnEveryLengthAndStrand(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var h readsum.Hasher
	var fastq, bam readsum.Sum
	for n := range 300 {
		for _, reverse := range []bool{false, true} {
			for _, missing := range []bool{false, true} {
				r := randomRead(rng, n)
				if missing {
					r.qual = ""
				}
				add(&h, &fastq, r)
				h.AddBAM(&bam, record(r, reverse, 0))
				if fastq != bam {
					t.Fatalf("len=%d reverse=%v missing=%v mate=%d: %v, bam %v", n, reverse, missing, r.mate, fastq, bam)
				}
			}
		}
	}
	if fastq.Count != 1200 {
		t.Errorf("count %d", fastq.Count)
	}
}

func TestBothSidesAgreeOnOddReads(t *testing.T) {
	for name, r := range map[string]read{
		"empty read":             {"r", 0, "", ""},
		"empty read of a pair":   {"r", 2, "", ""},
		"empty name":             {"", 1, "A", "I"},
		"every letter":           {"r", 1, alphabet, "!!!!!!!!~~~~~~~~"},
		"lowest quality":         {"r", 1, "AC", "!!"},
		"highest quality":        {"r", 1, "AC", "~~"},
		"name of 254 bytes":      {string(bytes.Repeat([]byte("n"), 254)), 0, "ACG", "III"},
		"a read of 200000 bases": randomRead(rand.New(rand.NewPCG(2, 2)), 200_000),
	} {
		for _, reverse := range []bool{false, true} {
			var h readsum.Hasher
			var got readsum.Sum
			h.AddBAM(&got, record(r, reverse, 0))
			if want := sumOf(r); got != want {
				t.Errorf("%s, reverse=%v: %v, want %v", name, reverse, got, want)
			}
		}
	}
}

func TestSecondaryAndSupplementaryAreNotReads(t *testing.T) {
	var h readsum.Hasher
	var s readsum.Sum
	for _, flag := range []uint16{bamrec.FlagSecondary, bamrec.FlagSupplementary, 0x900} {
		h.AddBAM(&s, record(read{"r", 1, "ACGT", "IIII"}, false, flag))
	}
	if s != (readsum.Sum{}) {
		t.Errorf("counted: %v", s)
	}
}

func TestOrderAndPartsDoNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	reads := make([]read, 500)
	for i := range reads {
		reads[i] = randomRead(rng, rng.IntN(200))
	}
	want := sumOf(reads...)
	for range 5 {
		rng.Shuffle(len(reads), func(i, j int) { reads[i], reads[j] = reads[j], reads[i] })
		cut := rng.IntN(len(reads))
		got := sumOf(reads[cut:]...)
		got.Merge(sumOf(reads[:cut]...))
		if got != want {
			t.Fatalf("cut at %d: %v, want %v", cut, got, want)
		}
	}
}

func TestEveryChangeShows(t *testing.T) {
	base := []read{{"a", 1, "ACGT", "IIII"}, {"a", 2, "ACGA", "IIIJ"}, {"b", 0, "AC", ""}}
	want := sumOf(base...)
	for name, reads := range map[string][]read{
		"a read lost":                    base[:2],
		"a read twice":                   append(base[:3:3], base[0]),
		"a pair of reads twice":          append(base[:3:3], base[0], base[0]),
		"one lost, another twice":        {base[0], base[1], base[1]},
		"mates swapped":                  {{"a", 2, "ACGT", "IIII"}, {"a", 1, "ACGA", "IIIJ"}, base[2]},
		"a base changed":                 {{"a", 1, "ACGC", "IIII"}, base[1], base[2]},
		"a quality changed":              {{"a", 1, "ACGT", "IIIH"}, base[1], base[2]},
		"a quality lost":                 {{"a", 1, "ACGT", ""}, base[1], base[2]},
		"qualities exchanged":            {{"a", 1, "ACGT", "IIIJ"}, {"a", 2, "ACGA", "IIII"}, base[2]},
		"a letter from name to sequence": {base[0], base[1], {"", 0, "bAC", ""}},
		"reverse complement":             {{"a", 1, "ACGT", "IIII"}, {"a", 2, "TCGT", "JIII"}, base[2]},
	} {
		if got := sumOf(reads...); got == want {
			t.Errorf("%s: same sum", name)
		}
	}
}

func TestMergeCarriesAndStringIsStable(t *testing.T) {
	s := readsum.Sum{Count: 1, Hi: 1, Lo: ^uint64(0)}
	s.Merge(readsum.Sum{Count: 2, Hi: ^uint64(0), Lo: 1})
	if s != (readsum.Sum{Count: 3, Hi: 1, Lo: 0}) {
		t.Errorf("Merge = %+v", s)
	}
	if got := s.String(); got != "3:00000000000000010000000000000000" {
		t.Errorf("String = %s", got)
	}
	// The hash is part of what users compare between versions: it must not change.
	if got := sumOf(read{"r1", 1, "ACGTN", "IIII!"}).String(); got != golden {
		t.Errorf("sum of a fixed read = %s, want %s", got, golden)
	}
}

func TestNoAllocationOnceWarm(t *testing.T) {
	r := randomRead(rand.New(rand.NewPCG(4, 4)), 151)
	name, seq, qual := []byte(r.name), []byte(r.seq), []byte(r.qual)
	forward, reverse := record(r, false, 0), record(r, true, 0)
	var h readsum.Hasher
	var s readsum.Sum
	if n := testing.AllocsPerRun(100, func() {
		h.Add(&s, name, 1, seq, qual)
		h.AddBAM(&s, forward)
		h.AddBAM(&s, reverse)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHasher(b *testing.B) {
	r := randomRead(rand.New(rand.NewPCG(4, 4)), 151)
	name, seq, qual := []byte(r.name), []byte(r.seq), []byte(r.qual)
	var h readsum.Hasher
	var s readsum.Sum
	b.Run("side=fastq/bases=151", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			h.Add(&s, name, 1, seq, qual)
		}
	})
	for _, reverse := range []bool{false, true} {
		rec := record(r, reverse, 0)
		b.Run(fmt.Sprintf("side=bam/bases=151/reverse=%v", reverse), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.AddBAM(&s, rec)
			}
		})
	}
}
