package mapper

import (
	"bufio"
	"bytes"
	"crypto/md5"
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

// packedSlack is how many bytes may be read behind the packed genome, so that kernels can
// load whole vectors at its end.
const packedSlack = 64

// Reference is a genome held as two bits a base. Everything but A, C, G and T is kept
// aside as a run of N.
type Reference struct {
	contigs   []contig
	names     []byte   // of all contigs
	hints     []uint32 // contig at the start of each block of 1<<hintShift bases
	hintShift uint
	packed    []byte // four bases a byte, the first in the low bits; packedSlack more are in its capacity
	total     int64  // bases
	holes     []hole // ascending, disjoint
	holeMap   []uint64
	release   func() error // frees packed, or the mapping that all is in
}

// Close frees the reference. An index that was built from it has taken it over.
func (r *Reference) Close() error {
	if r.release == nil {
		return nil
	}
	err := r.release()
	*r = Reference{}
	return err
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
	ref.makeHints()
	ref.makeHoleMap()
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
	if len(bases) > maxContig {
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
	if err := r.addContig(name); err != nil {
		return err
	}
	c := &r.contigs[len(r.contigs)-1]
	c.md5, c.Len = md5.Sum(bases), int64(len(bases))
	return r.pack(bases)
}

var isIUPAC = func() (t [256]bool) {
	for _, c := range []byte("ACGTUMRWSYKVHDBN") {
		t[c] = true
	}
	return t
}()
