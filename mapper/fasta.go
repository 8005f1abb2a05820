package mapper

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// ErrInput marks a reference or index that can't be used because of what is in it.
var ErrInput = errors.New("bad reference")

// LoadFASTA reads a FASTA file: plain, gzip or BGZF. The caller closes what it returns.
func LoadFASTA(fsys vfs.FS, path string) (*Reference, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	defer f.Close()
	file := &faultKeeper{r: f}
	ref := &Reference{}
	src, ratio, err := openFASTA(bufio.NewReaderSize(file, 1<<20))
	if err == nil {
		if info, serr := f.Stat(); serr == nil && info.Mode().IsRegular() {
			err = ref.reserve(info.Size() * ratio)
		}
	}
	if err == nil {
		err = readFASTA(ref, src)
	}
	switch {
	case file.fault != nil: // the disk's fault, not that of what is in the file
		return nil, errors.Join(fmt.Errorf("reference: %w", file.fault), ref.Close())
	case err != nil:
		return nil, errors.Join(fmt.Errorf("%w: %s: %w", ErrInput, path, err), ref.Close())
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

// openFASTA returns the text of a FASTA file that may be gzip or BGZF, and how many bases a
// byte of the file may stand for.
func openFASTA(br *bufio.Reader) (src io.Reader, ratio int64, err error) {
	if magic, _ := br.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		src, err = gzip.NewReader(br)
		return src, 5, err
	}
	if first, _ := br.Peek(1); len(first) == 1 && first[0] != '>' && first[0] != '\n' && first[0] != '\r' {
		return nil, 0, errors.New("neither FASTA nor an .apx index")
	}
	return br, 1, nil
}

// fastaReader cuts FASTA text into lines, and gathers the bases of a contig in pieces that
// fit the cache, however long its lines are.
type fastaReader struct {
	ref   *Reference
	seen  map[string]bool
	sums  *summer
	line  []byte // of a header, or of a line that two reads share
	piece []byte // bases of the last contig, not packed yet; their capacity is pieceBases
	begun bool   // a header was read
}

const pieceBases = 256 << 10 // a larger piece would not stay in the cache between packing and summing

func readFASTA(ref *Reference, src io.Reader) error {
	r := &fastaReader{ref: ref, seen: map[string]bool{}, sums: newSummer()}
	r.piece = r.sums.piece()
	err := r.run(src)
	r.sums.finish(ref.contigs)
	switch {
	case err != nil:
		return err
	case ref.total == 0:
		return errors.New("no sequence in it")
	}
	ref.makeHints()
	ref.makeHoleMap()
	return nil
}

func (r *fastaReader) run(src io.Reader) error {
	buf := make([]byte, 256<<10)
	for {
		n, err := src.Read(buf)
		if perr := r.text(buf[:n]); perr != nil {
			return perr
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if err := r.endLine(nil); err != nil { // the last line may have no end
		return err
	}
	return r.endContig()
}

// text takes the next piece of the file.
func (r *fastaReader) text(b []byte) error {
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			r.line = append(r.line, b...)
			if len(r.line) > pieceBases && r.line[0] != '>' { // one line for a chromosome
				return r.unfinished()
			}
			return nil
		}
		if err := r.endLine(b[:end]); err != nil {
			return err
		}
		b = b[end+1:]
	}
	return nil
}

// unfinished takes what is there of a long line of bases. Trailing blanks stay, as more
// bases may follow.
func (r *fastaReader) unfinished() error {
	keep := len(bytes.TrimRight(r.line, " \t\r"))
	if err := r.bases(r.line[:keep]); err != nil {
		return err
	}
	r.line = append(r.line[:0], r.line[keep:]...)
	return nil
}

// endLine takes a line whose last part is b.
func (r *fastaReader) endLine(b []byte) error {
	if len(r.line) > 0 {
		r.line = append(r.line, b...)
		b = r.line
		r.line = r.line[:0]
	}
	if n := len(b); n == 0 || b[n-1] <= ' ' || b[0] <= ' ' {
		b = bytes.TrimSpace(b)
	}
	switch {
	case len(b) == 0:
		return nil
	case b[0] == '>':
		return r.header(b[1:])
	default:
		return r.bases(b)
	}
}

func (r *fastaReader) header(b []byte) error {
	if err := r.endContig(); err != nil {
		return err
	}
	if i := bytes.IndexAny(b, " \t"); i >= 0 {
		b = b[:i]
	}
	name := string(b)
	if err := checkName(name, r.seen); err != nil {
		return err
	}
	r.begun = true
	return r.ref.addContig(name)
}

func (r *fastaReader) bases(b []byte) error {
	if !r.begun {
		return errors.New("sequence before the first name")
	}
	for len(b) > 0 {
		n := min(len(b), cap(r.piece)-len(r.piece))
		r.piece = append(r.piece, b[:n]...)
		b = b[n:]
		if len(r.piece) == cap(r.piece) {
			if err := r.endPiece(); err != nil {
				return err
			}
		}
	}
	return nil
}

// endPiece packs the piece and hands it on to be summed.
func (r *fastaReader) endPiece() error {
	c := &r.ref.contigs[len(r.ref.contigs)-1]
	if c.Len+int64(len(r.piece)) > maxContig {
		return fmt.Errorf("%s: longer than BAM can hold (2^31-1)", r.ref.name(len(r.ref.contigs)-1))
	}
	if r.ref.total+int64(len(r.piece)) > maxTotal {
		return errors.New("more than 2^40 bases")
	}
	at, err := r.ref.pack(r.piece)
	if err != nil {
		return err
	}
	if at >= 0 {
		return fmt.Errorf("%s: base %d: %q is not a nucleotide", r.ref.name(len(r.ref.contigs)-1), c.Len+int64(at)+1, r.piece[at])
	}
	c.Len += int64(len(r.piece))
	r.piece = r.sums.add(r.piece)
	return nil
}

func (r *fastaReader) endContig() error {
	if !r.begun {
		return nil
	}
	if len(r.piece) > 0 {
		if err := r.endPiece(); err != nil {
			return err
		}
	}
	r.sums.end()
	return nil
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
