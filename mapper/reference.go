package mapper

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/biogo/biogo/alphabet"
	"github.com/biogo/biogo/io/seqio/fasta"
	"github.com/biogo/biogo/seq/linear"
	"github.com/klauspost/compress/gzip"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// ErrInput marks a reference or index that can't be used because of what is in it.
var ErrInput = errors.New("bad reference")

// Contig is one sequence of the reference.
type Contig struct {
	Name string
	MD5  string // of the upper-case sequence, as in @SQ M5
	Off  int64  // of its first base in the packed genome
	Len  int64  // bases
}

// Reference is a genome held as two bits a base. Everything but A, C, G and T is kept
// aside as a run of N.
type Reference struct {
	contigs []Contig
	packed  []byte // four bases a byte, the first in the low bits
	total   int64  // bases
	holes   []hole // ascending, disjoint
}

// hole is a run of bases other than ACGT, in packed coordinates, half-open.
type hole struct{ start, end int64 }

// Names returns the names of the contigs, in file order.
func (r *Reference) Names() []string {
	names := make([]string, len(r.contigs))
	for i := range r.contigs {
		names[i] = r.contigs[i].Name
	}
	return names
}

// Lens returns the lengths of the contigs in bases.
func (r *Reference) Lens() []int64 {
	lens := make([]int64, len(r.contigs))
	for i := range r.contigs {
		lens[i] = r.contigs[i].Len
	}
	return lens
}

// MD5s returns the M5 values of the contigs, in hexadecimal.
func (r *Reference) MD5s() []string {
	sums := make([]string, len(r.contigs))
	for i := range r.contigs {
		sums[i] = r.contigs[i].MD5
	}
	return sums
}

// LoadFASTA reads a FASTA file: plain, gzip or BGZF.
func LoadFASTA(fsys vfs.FS, path string) (*Reference, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	defer f.Close()
	file := &faultKeeper{r: f}
	src, err := openFASTA(bufio.NewReaderSize(file, 1<<20))
	var ref *Reference
	if err == nil {
		ref, err = readFASTA(src)
	}
	switch {
	case file.fault != nil: // the disk's fault, not that of what is in the file
		return nil, fmt.Errorf("reference: %w", file.fault)
	case err != nil:
		return nil, fmt.Errorf("%w: %s: %w", ErrInput, path, err)
	}
	return ref, nil
}

// faultKeeper remembers the first error of a file other than its end.
type faultKeeper struct {
	r     io.Reader
	fault error
}

func (k *faultKeeper) Read(p []byte) (int, error) {
	n, err := k.r.Read(p)
	if err != nil && err != io.EOF && k.fault == nil {
		k.fault = err
	}
	return n, err
}

// openFASTA returns the text of a FASTA file that may be gzip or BGZF.
func openFASTA(br *bufio.Reader) (io.Reader, error) {
	if magic, _ := br.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return gzip.NewReader(br)
	}
	if first, _ := br.Peek(1); len(first) == 1 && first[0] != '>' && first[0] != '\n' && first[0] != '\r' {
		return nil, errors.New("neither FASTA nor an .apx index")
	}
	return br, nil
}

func readFASTA(src io.Reader) (*Reference, error) {
	ref := &Reference{}
	seen := map[string]bool{}
	r := fasta.NewReader(src, linear.NewSeq("", nil, alphabet.DNAredundant))
	for {
		s, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		sq := s.(*linear.Seq)
		name := sq.ID
		if i := bytes.IndexAny([]byte(name), " \t"); i >= 0 {
			name = name[:i]
		}
		if err := checkName(name, seen); err != nil {
			return nil, err
		}
		if err := ref.add(name, alphabet.LettersToBytes(sq.Seq)); err != nil {
			return nil, err
		}
	}
	if ref.total == 0 {
		return nil, errors.New("no sequence in it")
	}
	return ref, nil
}

// checkName holds names to what SAM allows for a reference sequence.
func checkName(name string, seen map[string]bool) error {
	if name == "" {
		return errors.New("a sequence without a name")
	}
	if seen[name] {
		return fmt.Errorf("the name %q is there twice", name)
	}
	seen[name] = true
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c < '!' || c > '~' || bytes.IndexByte([]byte("\\,\"'`()[]{}<>"), c) >= 0 || i == 0 && (c == '*' || c == '=') {
			return fmt.Errorf("the name %q has a character that SAM does not allow", name)
		}
	}
	return nil
}

// add appends one sequence; bases is folded to upper case in place.
func (r *Reference) add(name string, bases []byte) error {
	if int64(len(bases)) >= 1<<31 {
		return fmt.Errorf("%s: longer than BAM can hold (2^31-1)", name)
	}
	for i, c := range bases {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
			bases[i] = c
		}
		if !isIUPAC[c] {
			return fmt.Errorf("%s: base %d: %q is not a nucleotide", name, i+1, c)
		}
	}
	sum := md5.Sum(bases)
	r.contigs = append(r.contigs, Contig{Name: name, MD5: hex.EncodeToString(sum[:]), Off: r.total, Len: int64(len(bases))})
	r.pack(bases)
	return nil
}

var isIUPAC = func() (t [256]bool) {
	for _, c := range []byte("ACGTUMRWSYKVHDBN") {
		t[c] = true
	}
	return t
}()
