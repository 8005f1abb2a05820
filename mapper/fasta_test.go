package mapper

import (
	"bytes"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

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
		{"blank lines, blanks around lines", "\n\n>a\n AC\t\n\n  \nGT \n", []string{"a"}, []int64{4}, false},
		{"an empty record between others", ">a\nAC\n>b\n>c\nGT\n", []string{"a", "b", "c"}, []int64{2, 0, 2}, false},
		{"all the letters of IUPAC, RNA too", ">a\nACGTUMRWSYKVHDBNacgtumrwsykvhdbn\n", []string{"a"}, []int64{32}, false},
		{"a gap character", ">a\nAC-T\n", nil, nil, true},
		{"a blank inside a line", ">a\nACGTACGT ACGTACGTACGT\n", nil, nil, true},
		{"a letter that is A but for a bit", ">a\nACGTACGTACGTACGTACGTACG\xc1\n", nil, nil, true},
		{"a name that SAM does not allow", ">a,b\nACGT\n", nil, nil, true},
		{"an end that gzip does not have", "\x1f\x8b\x08\x00", nil, nil, true},
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
		ref.Close()
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

func TestBadBaseIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.fa")
	os.WriteFile(path, []byte(">a\nACGT\n>b c\n"+strings.Repeat("ACGTTGCA\n", 100_000)+"ACG*\n"), 0o666)
	if _, err := LoadFASTA(vfs.OS, path); err == nil || !strings.Contains(err.Error(), `b: base 800004: '*' is not a nucleotide`) {
		t.Errorf("%v", err)
	}
}

// TestFASTAIsReadAsWritten compares with the bases that were written, whatever the lines and
// the pieces in which the file arrives.
func TestFASTAIsReadAsWritten(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 41))
	for _, line := range []int{1, 59, 60, 1 << 30} {
		for _, end := range []string{"\n", "\r\n"} {
			var text bytes.Buffer
			var want [][]byte
			for i, n := range []int{1, 2, 3, 0, 1000, pieceBases - 1, pieceBases, pieceBases + 1, 3*pieceBases + 5} {
				if line == 1 && n > 2000 {
					continue
				}
				s := randomBases(rng, n)
				for range n / 500 {
					at := rng.IntN(n)
					copy(s[at:], []string{"NNNNNNNNNNNNNNNN", "acgtnacgt", "RY", "u"}[rng.IntN(4)])
				}
				want = append(want, s)
				fmt.Fprintf(&text, ">s%d%s", i, end)
				for ; len(s) > 0; s = s[min(line, len(s)):] {
					text.Write(s[:min(line, len(s))])
					text.WriteString(end)
				}
			}
			for name, wrap := range map[string]func(io.Reader) io.Reader{
				"whole": func(r io.Reader) io.Reader { return r }, "halves": iotest.HalfReader, "data with the end": iotest.DataErrReader,
			} {
				ref := &Reference{}
				if err := readFASTA(ref, wrap(bytes.NewReader(text.Bytes()))); err != nil {
					t.Fatal(err)
				}
				checkBases(t, fmt.Sprintf("line=%d,end=%q,%s", line, end, name), ref, want)
				ref.Close()
			}
		}
	}
}

func checkBases(t *testing.T, name string, ref *Reference, want [][]byte) {
	t.Helper()
	for i, s := range want {
		c := ref.contigs[i]
		if sum := md5.Sum(bytes.ToUpper(s)); c.md5 != sum || c.Len != int64(len(s)) {
			t.Errorf("%s: contig %d has %d bases with M5 %x, want %d with %x", name, i, c.Len, c.md5, len(s), sum)
			continue
		}
		if got := unpack(nil, ref.packed, ref.holes, c.Off, c.Off+c.Len); !slices.Equal(got, codesOf(s)) {
			t.Errorf("%s: contig %d has other bases", name, i)
		}
	}
}

func FuzzFASTA(f *testing.F) {
	f.Add([]byte(">a b\nACGTNacgtn\n>b\nACGTACGTACGTACGTA"))
	f.Add([]byte("\n>a\r\nAC\r\n\r\nGT"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ref := &Reference{}
		if readFASTA(ref, bytes.NewReader(data)) != nil {
			ref.Close()
			return
		}
		defer ref.Close()
		var again bytes.Buffer
		for i, c := range ref.contigs {
			fmt.Fprintf(&again, ">%s\n%s\n", ref.name(i), lettersOf(unpack(nil, ref.packed, ref.holes, c.Off, c.Off+c.Len)))
		}
		ref2 := &Reference{}
		defer ref2.Close()
		if err := readFASTA(ref2, &again); err != nil || !bytes.Equal(ref.packed, ref2.packed) || !slices.Equal(ref.holes, ref2.holes) || !slices.Equal(ref.Names(), ref2.Names()) {
			t.Errorf("what was read cannot be written and read again: %v", err)
		}
	})
}
