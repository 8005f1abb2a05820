package mapper

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"github.com/zeebo/xxh3"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// The .apx file is what the Index holds in memory, so that it is used where it is mapped.
// Integers are little-endian; sections begin at multiples of 64 bytes, and at least 64 zero
// bytes follow each one, so that vector loads at a section's end stay inside the file.
//
//	┌──────────────────────────────────────────────┐
//	│ magic "APXINDEX"  8 │ version 4 │ k 2 │ s 2  │
//	│ bucket bits 8 │ total bases 8 │ contigs 8    │
//	│ FASTA size 8 │ FASTA mtime, ns 8             │
//	│ digest of names, lengths and M5s 16          │
//	│ seven sections: offset 8, length 8           │
//	│ xxh3 of everything after the header 8        │
//	│ xxh3 of the header so far 8                  │
//	├──────────────────────────────────────────────┤
//	│ contigs: 40 each, see contig                 │
//	│ names of the contigs, one behind the other   │
//	│ hints: contig at the start of a block, 4 each│
//	│ packed genome, four bases a byte             │
//	│ holes: start 8, end 8                        │
//	│ starts: 4 each                               │
//	│ entries: 8 each                              │
//	└──────────────────────────────────────────────┘
//
// The hints' blocks follow from the total and the number of contigs: see hintShiftFor.
const (
	apxMagic   = "APXINDEX"
	apxVersion = 2
	apxHeader  = 256 // bytes, header checksum included, padded
	apxAlign   = 64
	apxTable   = 8 + 4 + 2 + 2 + 5*8 + 16 // offset of the section table
	apxSums    = apxTable + 16*sections   // offset of the body's checksum
)

// The sections, in the order of the file.
const (
	secContigs = iota
	secNames
	secHints
	secPacked
	secHoles
	secStarts
	secEntries
	sections
)

func init() {
	if x := uint16(1); *(*byte)(unsafe.Pointer(&x)) != 1 {
		panic("alignpipe: .apx files need a little-endian machine")
	}
}

// SetSource records which FASTA file the index is for.
func (ix *Index) SetSource(size, mtimeNS int64) { ix.source = source{size, mtimeNS} }

// Matches says whether the index was made from the FASTA file at path as it is now: same
// size, same time of change.
func (ix *Index) Matches(fsys vfs.FS, path string) (bool, error) {
	st, err := fsys.Stat(path)
	if err != nil {
		return false, err
	}
	return ix.source == source{st.Size(), st.ModTime().UnixNano()}, nil
}

func bytesOf[T any](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
}

func sliceOf[T any](b []byte) []T {
	var t T
	if len(b) < int(unsafe.Sizeof(t)) {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), len(b)/int(unsafe.Sizeof(t)))
}

// zeros are what stands behind a section.
var zeros [2 * apxAlign]byte

func padding(n int) []byte { return zeros[:apxAlign+-n&(apxAlign-1)] }

// WriteTo writes the .apx file.
func (ix *Index) WriteTo(w io.Writer) (int64, error) {
	parts := [sections][]byte{bytesOf(ix.contigs), ix.names, bytesOf(ix.hints), ix.packed, bytesOf(ix.holes), bytesOf(ix.starts), bytesOf(ix.entries)}
	out := &pieceWriter{w: w}
	out.write(ix.header(&parts))
	for _, p := range parts {
		out.write(p)
		out.write(padding(len(p)))
	}
	out.flush()
	return out.done, out.err
}

func (ix *Index) header(parts *[sections][]byte) []byte {
	le := binary.LittleEndian
	h := le.AppendUint32([]byte(apxMagic), apxVersion)
	h = le.AppendUint16(le.AppendUint16(h, seedK), seedS)
	h = le.AppendUint64(h, uint64(ix.bucketBits))
	h = le.AppendUint64(h, uint64(ix.total))
	h = le.AppendUint64(h, uint64(len(ix.contigs)))
	h = le.AppendUint64(le.AppendUint64(h, uint64(ix.source.size)), uint64(ix.source.mtimeNS))
	digest := ix.digest()
	h = append(h, digest[:]...)
	at := uint64(apxHeader)
	hash := xxh3.New()
	for _, p := range parts {
		h = le.AppendUint64(le.AppendUint64(h, at), uint64(len(p)))
		hash.Write(p)
		hash.Write(padding(len(p)))
		at += uint64(len(p) + len(padding(len(p))))
	}
	h = le.AppendUint64(h, hash.Sum64())
	h = le.AppendUint64(h, xxh3.Hash(h))
	return append(h, make([]byte, apxHeader-len(h))...)
}

// pieceSize is what WriteTo writes at a time, at multiples of itself: large enough that the
// kernel keeps the file in huge pages, which random access to it gains from ever after, and
// small enough that who is below can stop it.
const pieceSize = 4 << 20

// pieceWriter cuts what it is given into pieces of pieceSize.
type pieceWriter struct {
	w    io.Writer
	part []byte // of a piece
	done int64
	err  error
}

func (p *pieceWriter) write(b []byte) {
	for len(b) > 0 {
		n := min(pieceSize-len(p.part), len(b))
		if n == pieceSize { // a whole one, without a copy
			p.put(b[:n])
		} else if p.part = append(p.part, b[:n]...); len(p.part) == pieceSize {
			p.flush()
		}
		b = b[n:]
	}
}

func (p *pieceWriter) flush() {
	p.put(p.part)
	p.part = p.part[:0]
}

func (p *pieceWriter) put(b []byte) {
	if p.err != nil || len(b) == 0 {
		return
	}
	var n int
	n, p.err = p.w.Write(b)
	p.done += int64(n)
}

// IsIndex says whether the file at path begins like an .apx file.
func IsIndex(fsys vfs.FS, path string) (bool, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	head := make([]byte, len(apxMagic))
	switch _, err := io.ReadFull(f, head); err {
	case nil:
		return string(head) == apxMagic, nil
	case io.EOF, io.ErrUnexpectedEOF:
		return false, nil
	default:
		return false, fmt.Errorf("reference: %w", err)
	}
}

// OpenIndex maps an .apx file. The header, the section table, the contigs and the holes are
// checked here; the other bodies are checked by [Check], and bounds are checked in use. The
// file is read ahead in the background.
func OpenIndex(fsys vfs.FS, path string) (*Index, error) {
	data, unmap, err := mapFile(fsys, path)
	if err != nil {
		return nil, err
	}
	ix, err := parseIndex(data)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s: %w", ErrInput, path, err), unmap())
	}
	stop := vfs.Ahead(data)
	ix.Reference.release = func() error {
		stop()
		return unmap()
	}
	return ix, nil
}

func mapFile(fsys vfs.FS, path string) (data []byte, unmap func() error, err error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("index: %w", err)
	}
	defer f.Close()
	if data, unmap, err = vfs.Map(f); err != nil {
		return nil, nil, fmt.Errorf("index: %s: %w", path, err)
	}
	return data, unmap, nil
}

func parseIndex(data []byte) (*Index, error) {
	le := binary.LittleEndian
	if err := checkHeader(data); err != nil {
		return nil, err
	}
	ix := &Index{bucketBits: uint(le.Uint64(data[16:]))}
	ix.total = int64(le.Uint64(data[24:]))
	ix.source = source{int64(le.Uint64(data[40:])), int64(le.Uint64(data[48:]))}
	part, err := cutSections(data)
	if err != nil {
		return nil, err
	}
	ix.contigs, ix.names, ix.hints = sliceOf[contig](part[secContigs]), part[secNames], sliceOf[uint32](part[secHints])
	ix.packed, ix.holes = part[secPacked], sliceOf[hole](part[secHoles])
	ix.starts, ix.entries = sliceOf[uint32](part[secStarts]), sliceOf[uint64](part[secEntries])
	if err := ix.checkTables(le.Uint64(data[32:])); err != nil {
		return nil, err
	}
	ix.hintShift = hintShiftFor(ix.total, len(ix.contigs))
	return ix, nil
}

// cutSections follows the section table. A section may be read packedSlack bytes past its end.
func cutSections(data []byte) (part [sections][]byte, err error) {
	le := binary.LittleEndian
	at := uint64(apxHeader)
	for i := range part {
		off, n := le.Uint64(data[apxTable+16*i:]), le.Uint64(data[apxTable+16*i+8:])
		left := uint64(len(data)) - at
		if off != at || n > left || left-n < uint64(len(padding(int(n)))) {
			return part, errors.New("the index is cut short")
		}
		part[i] = data[off : off+n : off+n+packedSlack]
		at += n + uint64(len(padding(int(n))))
	}
	if at != uint64(len(data)) {
		return part, errors.New("something follows the end of the index")
	}
	return part, nil
}

// checkHeader looks at what is in the header alone.
func checkHeader(data []byte) error {
	le := binary.LittleEndian
	if len(data) < apxHeader || !bytes.HasPrefix(data, []byte(apxMagic)) {
		return errors.New("not an .apx index")
	}
	if v := le.Uint32(data[8:]); v != apxVersion {
		return fmt.Errorf("index version %d, this program reads version %d: build it again", v, apxVersion)
	}
	if xxh3.Hash(data[:apxSums+8]) != le.Uint64(data[apxSums+8:]) {
		return errors.New("the index header is damaged")
	}
	if k, s := le.Uint16(data[12:]), le.Uint16(data[14:]); k != seedK || s != seedS {
		return fmt.Errorf("index made with k=%d, s=%d, not %d and %d: build it again", k, s, seedK, seedS)
	}
	return nil
}

// checkTables holds the sections to each other's sizes, and the small tables to their rules.
func (ix *Index) checkTables(contigs uint64) error {
	switch {
	case ix.bucketBits < minBuckets || ix.bucketBits > maxBuckets || len(ix.starts) != 1<<ix.bucketBits+1,
		ix.total <= 0 || ix.total > maxTotal || int64(len(ix.packed)) != (ix.total+3)/4:
		return errors.New("the index is inconsistent")
	case uint64(len(ix.contigs)) != contigs || !ix.checkContigs() || len(ix.hints) != hintsFor(ix.total, len(ix.contigs)):
		return errors.New("the index's contig table is damaged")
	case !ix.makeHoleMap():
		return errors.New("the index's table of holes is damaged")
	}
	return nil
}

// Check reads the whole index at path and compares its checksum.
func Check(fsys vfs.FS, path string) error {
	data, unmap, err := mapFile(fsys, path)
	if err != nil {
		return err
	}
	defer unmap()
	if _, err := parseIndex(data); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrInput, path, err)
	}
	if xxh3.Hash(data[apxHeader:]) != binary.LittleEndian.Uint64(data[apxSums:]) {
		return fmt.Errorf("%w: %s: the index is damaged", ErrInput, path)
	}
	return nil
}
