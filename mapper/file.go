package mapper

import (
	"bufio"
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
// Integers are little-endian; sections begin at multiples of 64 bytes.
//
//	┌──────────────────────────────────────────────┐
//	│ magic "APXINDEX"  8 │ version 4 │ k 2 │ s 2  │
//	│ bucket bits 8 │ total bases 8 │ contigs 8    │
//	│ FASTA size 8 │ FASTA mtime, ns 8             │
//	│ digest of names, lengths and M5s 16          │
//	│ five sections: offset 8, length 8            │
//	│ xxh3 of everything after the header 8        │
//	│ xxh3 of the header so far 8                  │
//	├──────────────────────────────────────────────┤
//	│ contigs: name length 4, name, M5 32, length 8│
//	│ packed genome, four bases a byte             │
//	│ holes: start 8, end 8                        │
//	│ starts: 4 each                               │
//	│ entries: 8 each                              │
//	└──────────────────────────────────────────────┘
const (
	apxMagic   = "APXINDEX"
	apxVersion = 1
	apxHeader  = 192 // bytes, header checksum included, padded
	apxAlign   = 64
	sections   = 5
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

func (ix *Index) contigTable() []byte {
	var b []byte
	for _, c := range ix.contigs {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(c.Name)))
		b = append(append(b, c.Name...), c.MD5...)
		b = binary.LittleEndian.AppendUint64(b, uint64(c.Len))
	}
	return b
}

func bytesOf[T any](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
}

// WriteTo writes the .apx file.
func (ix *Index) WriteTo(w io.Writer) (int64, error) {
	parts := [sections][]byte{ix.contigTable(), ix.packed, bytesOf(ix.holes), bytesOf(ix.starts), bytesOf(ix.entries)}
	hash := xxh3.New()
	var pad [apxAlign]byte
	h := append([]byte(nil), apxMagic...)
	le := binary.LittleEndian
	h = le.AppendUint32(h, apxVersion)
	h = le.AppendUint16(le.AppendUint16(h, seedK), seedS)
	h = le.AppendUint64(h, uint64(ix.bucketBits))
	h = le.AppendUint64(h, uint64(ix.total))
	h = le.AppendUint64(h, uint64(len(ix.contigs)))
	h = le.AppendUint64(le.AppendUint64(h, uint64(ix.source.size)), uint64(ix.source.mtimeNS))
	digest := xxh3.Hash128(parts[0]).Bytes()
	h = append(h, digest[:]...)
	at := int64(apxHeader)
	for _, p := range parts {
		h = le.AppendUint64(le.AppendUint64(h, uint64(at)), uint64(len(p)))
		hash.Write(p)
		hash.Write(pad[:padding(len(p))])
		at += int64(len(p)) + int64(padding(len(p)))
	}
	h = le.AppendUint64(h, hash.Sum64())
	h = le.AppendUint64(h, xxh3.Hash(h))
	h = append(h, make([]byte, apxHeader-len(h))...)
	bw := bufio.NewWriterSize(w, 1<<20)
	n, err := bw.Write(h)
	done := int64(n)
	for _, p := range parts {
		if err == nil {
			n, err = bw.Write(p)
			done += int64(n)
		}
		if err == nil {
			n, err = bw.Write(pad[:padding(len(p))])
			done += int64(n)
		}
	}
	if err == nil {
		err = bw.Flush()
	}
	return done, err
}

func padding(n int) int { return -n & (apxAlign - 1) }

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

// OpenIndex maps an .apx file. The header and the section table are checked here; the
// bodies are checked by [Index.Check], and bounds are checked in use.
func OpenIndex(fsys vfs.FS, path string) (*Index, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	defer f.Close()
	data, unmap, err := vfs.Map(f)
	if err != nil {
		return nil, fmt.Errorf("index: %s: %w", path, err)
	}
	ix, err := parseIndex(data)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s: %w", ErrInput, path, err), unmap())
	}
	ix.release = unmap
	return ix, nil
}

func parseIndex(data []byte) (*Index, error) {
	le := binary.LittleEndian
	if len(data) < apxHeader || !bytes.HasPrefix(data, []byte(apxMagic)) {
		return nil, errors.New("not an .apx index")
	}
	const sums = 8 + 4 + 2 + 2 + 5*8 + 16 + sections*16 // offset of the body's checksum
	if v := le.Uint32(data[8:]); v != apxVersion {
		return nil, fmt.Errorf("index version %d, this program reads version %d: build it again", v, apxVersion)
	}
	if xxh3.Hash(data[:sums+8]) != le.Uint64(data[sums+8:]) {
		return nil, errors.New("the index header is damaged")
	}
	if k, s := le.Uint16(data[12:]), le.Uint16(data[14:]); k != seedK || s != seedS {
		return nil, fmt.Errorf("index made with k=%d, s=%d, not %d and %d: build it again", k, s, seedK, seedS)
	}
	ix := &Index{bucketBits: uint(le.Uint64(data[16:]))}
	ix.total = int64(le.Uint64(data[24:]))
	ix.source = source{int64(le.Uint64(data[40:])), int64(le.Uint64(data[48:]))}
	var part [sections][]byte
	for i := range part {
		off, n := le.Uint64(data[72+16*i:]), le.Uint64(data[80+16*i:])
		if off%apxAlign != 0 || off > uint64(len(data)) || n > uint64(len(data))-off {
			return nil, errors.New("the index is cut short")
		}
		part[i] = data[off : off+n : off+n]
	}
	if err := ix.parseContigs(part[0], le.Uint64(data[32:])); err != nil {
		return nil, err
	}
	ix.packed = part[1]
	ix.holes, ix.starts, ix.entries = sliceOf[hole](part[2]), sliceOf[uint32](part[3]), sliceOf[uint64](part[4])
	if ix.bucketBits < minBuckets || ix.bucketBits > maxBuckets || len(ix.starts) != 1<<ix.bucketBits+1 || int64(len(ix.packed)) != (ix.total+3)/4 {
		return nil, errors.New("the index is inconsistent")
	}
	return ix, nil
}

func (ix *Index) parseContigs(b []byte, n uint64) error {
	le := binary.LittleEndian
	for range n {
		if len(b) < 4 || uint64(len(b)) < 4+uint64(le.Uint32(b))+32+8 {
			return errors.New("the index's contig table is damaged")
		}
		l := int(le.Uint32(b))
		c := Contig{Name: string(b[4 : 4+l]), MD5: string(b[4+l : 36+l]), Off: 0, Len: int64(le.Uint64(b[36+l:]))}
		if k := len(ix.contigs); k > 0 {
			c.Off = ix.contigs[k-1].Off + ix.contigs[k-1].Len
		}
		if c.Len < 0 || c.Len >= 1<<31 {
			return errors.New("the index's contig table is damaged")
		}
		ix.contigs = append(ix.contigs, c)
		b = b[44+l:]
	}
	if k := len(ix.contigs); len(b) != 0 || k == 0 || ix.contigs[k-1].Off+ix.contigs[k-1].Len != ix.total {
		return errors.New("the index's contig table is damaged")
	}
	return nil
}

func sliceOf[T any](b []byte) []T {
	var t T
	if len(b) < int(unsafe.Sizeof(t)) {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), len(b)/int(unsafe.Sizeof(t)))
}

// Check reads the whole index at path and compares its checksum.
func Check(fsys vfs.FS, path string) error {
	f, err := fsys.Open(path)
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	defer f.Close()
	data, unmap, err := vfs.Map(f)
	if err != nil {
		return fmt.Errorf("index: %s: %w", path, err)
	}
	defer unmap()
	if _, err := parseIndex(data); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrInput, path, err)
	}
	const sums = 8 + 4 + 2 + 2 + 5*8 + 16 + sections*16
	if xxh3.Hash(data[apxHeader:]) != binary.LittleEndian.Uint64(data[sums:]) {
		return fmt.Errorf("%w: %s: the index is damaged", ErrInput, path)
	}
	return nil
}
