package mapper

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

func TestBuildDoesNotDependOnThreads(t *testing.T) {
	genome := testGenome(rand.New(rand.NewPCG(5, 5)))
	want := buildIndex(t, genome, 1)
	for _, threads := range []int{2, 7} {
		ix := buildIndex(t, genome, threads)
		if !slices.Equal(ix.starts, want.starts) || !slices.Equal(ix.entries, want.entries) {
			t.Errorf("threads=%d: another index than with one", threads)
		}
	}
}

func TestFindReturnsEveryPlaceOfASeed(t *testing.T) {
	genome := testGenome(rand.New(rand.NewPCG(6, 6)))
	ix := buildIndex(t, genome, 2)
	n := 0
	find := func(s seed) []uint64 {
		var l lookUps
		hits := seedHits{seed: s}
		l.add(&hits)
		l.run(ix)
		return ix.entries[hits.lo:hits.hi]
	}
	for _, c := range ix.contigs {
		syncmers(codesOf(genome[c.Name]), func(s seed) {
			n++
			want := uint64(c.Off + int64(s.pos))
			if s.rev {
				want |= revBit
			}
			for _, e := range find(s) {
				if e&(revBit|posMask) == want {
					return
				}
			}
			t.Errorf("%s:%d: its seed is not found", c.Name, s.pos)
		})
	}
	if n != len(ix.entries) {
		t.Errorf("index has %d seeds, the genome %d", len(ix.entries), n)
	}
}

func TestIndexFileRoundTrip(t *testing.T) {
	ix := buildIndex(t, testGenome(rand.New(rand.NewPCG(7, 7))), 2)
	ix.SetSource(1234, 5678)
	var file bytes.Buffer
	if n, err := ix.WriteTo(&file); err != nil || n != int64(file.Len()) {
		t.Fatalf("WriteTo = %d, %v; wrote %d", n, err, file.Len())
	}
	path := filepath.Join(t.TempDir(), "x.apx")
	os.WriteFile(path, file.Bytes(), 0o666)
	got, err := OpenIndex(vfs.OS, path)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	if !slices.Equal(got.contigs, ix.contigs) || !slices.Equal(got.holes, ix.holes) || !bytes.Equal(got.packed, ix.packed) ||
		!slices.Equal(got.starts, ix.starts) || !slices.Equal(got.entries, ix.entries) || got.source != ix.source {
		t.Error("the index read back is another one")
	}
	if err := Check(vfs.OS, path); err != nil {
		t.Error(err)
	}
	if is, err := IsIndex(vfs.OS, path); !is || err != nil {
		t.Errorf("IsIndex = %v, %v", is, err)
	}
}

func TestDamagedIndexIsRefused(t *testing.T) {
	ix := buildIndex(t, map[string][]byte{"one": randomBases(rand.New(rand.NewPCG(8, 8)), 500)}, 1)
	var file bytes.Buffer
	ix.WriteTo(&file)
	data := file.Bytes()
	for _, n := range []int{0, 7, 8, 100, apxHeader, apxHeader + 10, len(data) / 2, len(data) - apxAlign} {
		if _, err := parseIndex(data[:n]); err == nil {
			t.Errorf("cut to %d of %d bytes: accepted", n, len(data))
		}
	}
	for i := range apxHeader - apxAlign/2 {
		bad := slices.Clone(data)
		bad[i] ^= 1
		if _, err := parseIndex(bad); err == nil && i < 168 {
			t.Errorf("header byte %d flipped: accepted", i)
		}
	}
	path := filepath.Join(t.TempDir(), "x.apx")
	bad := slices.Clone(data)
	bad[len(bad)-apxAlign-1] ^= 1
	os.WriteFile(path, bad, 0o666)
	if err := Check(vfs.OS, path); !errors.Is(err, ErrInput) {
		t.Errorf("Check of a damaged body = %v", err)
	}
}

func FuzzParseIndex(f *testing.F) {
	ix := buildIndex(f, map[string][]byte{"one": randomBases(rand.New(rand.NewPCG(8, 8)), 500)}, 1)
	var file bytes.Buffer
	ix.WriteTo(&file)
	f.Add(file.Bytes()[:apxHeader+100])
	f.Add([]byte(apxMagic))
	f.Fuzz(func(t *testing.T, data []byte) { parseIndex(data) })
}

func TestLoadFASTA(t *testing.T) {
	for _, c := range []struct {
		name, text string
		names      []string
		lens       []int64
		bad        bool
	}{
		{"two records, wrapped, mixed case", ">a x y\nACGT\nacg\n>b\nNNRA\n", []string{"a", "b"}, []int64{7, 4}, false},
		{"CRLF and no final newline", ">a\r\nAC\r\nGT", []string{"a"}, []int64{4}, false},
		{"nothing", "", nil, nil, true},
		{"only empty records", ">a\n>b\n", nil, nil, true},
		{"sequence before a name", "ACGT\n", nil, nil, true},
		{"a character that is no base", ">a\nAC1T\n", nil, nil, true},
		{"the same name twice", ">a\nAC\n>a\nGT\n", nil, nil, true},
		{"no name", ">\nACGT\n", nil, nil, true},
		{"FASTQ", "@a\nACGT\n+\nIIII\n", nil, nil, true},
	} {
		path := filepath.Join(t.TempDir(), "x.fa")
		os.WriteFile(path, []byte(c.text), 0o666)
		ref, err := LoadFASTA(vfs.OS, path)
		if c.bad {
			if !errors.Is(err, ErrInput) {
				t.Errorf("%s: %v, want ErrInput", c.name, err)
			}
			continue
		}
		if err != nil || !slices.Equal(ref.Names(), c.names) || !slices.Equal(ref.Lens(), c.lens) {
			t.Errorf("%s: %v %v, %v", c.name, ref, c.names, err)
		}
	}
}

func TestM5IsOfTheUpperCaseSequence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.fa")
	os.WriteFile(path, []byte(">a\nacgtACGTacgtACGTacgtACGTNNNN\n"), 0o666)
	ref, err := LoadFASTA(vfs.OS, path)
	if err != nil {
		t.Fatal(err)
	}
	// echo -n ACGTACGTACGTACGTACGTACGTNNNN | md5sum
	if got, want := ref.MD5s()[0], "4c9dbf4132ba1b036882188b4e66eeda"; got != want {
		t.Errorf("M5 %s, want %s", got, want)
	}
}
