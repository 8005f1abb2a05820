package gather

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/inflate"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

const (
	// copyStep is how many bytes are copied between two looks at whether the run is to stop:
	// half a second of a slow disk.
	copyStep = 8 << 20
	// repackBytes is the payload of the blocks that take the place of a part's first one.
	repackBytes = 32 << 10
)

// byFirstKey returns the parts that have records in the order of their first ones; where those
// sort alike, in the order given.
func byFirstKey(parts []*part) []*part {
	var sorted []*part
	for _, p := range parts {
		if !p.empty() {
			sorted = append(sorted, p)
		}
	}
	slices.SortStableFunc(sorted, func(a, b *part) int { return cmp.Compare(a.first, b.first) })
	return sorted
}

// copyParts writes the header, the blocks of all parts, and the end.
func (r *run) copyParts(ctx context.Context, out *output, inOrder []*part) error {
	r.result.Copied = true
	w := &counter{w: out.w}
	head, err := blocksOf(r.header.encode())
	if err == nil {
		_, err = w.Write(head)
	}
	if err != nil {
		return outputError(err)
	}
	var indexes []*bgzfout.Index
	for _, p := range inOrder {
		r.result.Records += p.index.Records()
		if err := r.copyPart(ctx, w, p); err != nil {
			return err
		}
		indexes = append(indexes, p.index)
	}
	if _, err := w.Write([]byte(inflate.EOFBlock)); err != nil {
		return outputError(err)
	}
	r.result.Bytes = w.n
	joined, err := bgzfout.JoinIndexes(r.kind, r.header.lens, indexes)
	if err != nil {
		return err
	}
	return out.writeIndex(joined.WriteTo)
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// blocksOf returns data as BGZF blocks of its own, without the end-of-file block.
func blocksOf(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w := bgzfout.NewWriter(&b, bgzfout.Config{Level: 1})
	if err := w.WriteRecord(data); err != nil {
		w.Abort(err)
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte(inflate.EOFBlock)), nil
}

// copyPart appends the blocks of a part, and moves its index to where they are.
func (r *run) copyPart(ctx context.Context, w *counter, p *part) error {
	if err := p.open(r.cfg.FS); err != nil {
		return err
	}
	defer p.close()
	if err := p.unchanged(); err != nil {
		return err
	}
	m := move{from: int64(p.start >> 16)}
	if p.start&0xffff != 0 {
		if err := m.repack(w, p); err != nil {
			return err
		}
	}
	m.shift = w.n - m.from
	c := chain{p: p, at: m.from, wanted: p.index.Addresses()}
	for c.at < p.eof {
		from := c.at
		if err := c.follow(copyStep); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := vfs.CopyRange(w.w, p.file, from, c.at-from); err != nil {
			return copyError(err)
		}
		w.n += c.at - from
	}
	p.index.Move(m.to)
	return c.end()
}

// unchanged refuses a part that has been written to since it was opened first.
func (p *part) unchanged() error {
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != p.info.Size() || !info.ModTime().Equal(p.info.ModTime()) {
		return badData("wait until it is complete", describe(p.path, "it changed while it was read"))
	}
	return nil
}

// copyError tells an error of reading a part, which is the machine's, from one of writing.
func copyError(err error) error {
	var path *fs.PathError
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &path) && path.Op == "read" {
		return err
	}
	return outputError(err)
}

// move says where the blocks of a part come to lie.
type move struct {
	from   int64 // address of the first block that is copied
	shift  int64 // bytes from where it was to where it is
	first  int64 // address of the block that was packed anew; 0 if none was
	pieces []piece
}

// piece is where a part of the first block's plain data is.
type piece struct {
	at      int   // in the plain data of the first block
	address int64 // of the new block
}

// repack writes what follows on the header in the same block as blocks of their own, for the
// header of the output is another one.
func (m *move) repack(w *counter, p *part) error {
	m.first = m.from
	plain, size, err := p.readBlock(m.first)
	if err != nil {
		return err
	}
	m.from += int64(size)
	for at := int(p.start & 0xffff); at < len(plain); at += repackBytes {
		m.pieces = append(m.pieces, piece{at, w.n})
		block, err := blocksOf(plain[at:min(at+repackBytes, len(plain))])
		if err == nil {
			_, err = w.Write(block)
		}
		if err != nil {
			return outputError(err)
		}
	}
	return nil
}

// to is the new virtual offset of what was at the old one.
func (m *move) to(at uint64) uint64 {
	address, within := int64(at>>16), int(at&0xffff)
	if len(m.pieces) == 0 || address != m.first {
		return uint64(address+m.shift)<<16 | uint64(within)
	}
	i := len(m.pieces) - 1
	for i > 0 && m.pieces[i].at > within {
		i--
	}
	return uint64(m.pieces[i].address)<<16 | uint64(within-m.pieces[i].at)
}

// readBlock returns the plain data of one block, and the block's size.
func (p *part) readBlock(address int64) (plain []byte, size int, err error) {
	src := make([]byte, min(maxBlock, p.eof-address))
	if _, err := p.file.ReadAt(src, address); err != nil {
		return nil, 0, fmt.Errorf("read part: %w", err)
	}
	size, _ = inflate.BlockSize(src)
	if size == 0 || size > len(src) {
		return nil, 0, badData("", describe(p.path, "%w (compressed byte %d)", errChain, address))
	}
	plain, err = inflate.DecodeBlock(nil, src[:size])
	if err != nil {
		err = badData("", describe(p.path, "damaged: %w (compressed byte %d)", err, address))
	}
	return plain, size, err
}

// chain follows the sizes of a part's blocks to the end-of-file block, and holds the index to it.
type chain struct {
	p      *part
	at     int64
	wanted []int64 // addresses that must be those of blocks, ascending
	buf    [inflate.BlockHeaderBytes]byte
}

// follow goes on by at least step bytes, or to the end.
func (c *chain) follow(step int64) error {
	for limit := c.at + step; c.at < c.p.eof && c.at < limit; {
		if err := c.check(); err != nil {
			return err
		}
		size, err := c.size()
		if err != nil {
			return err
		}
		c.at += int64(size)
	}
	if c.at > c.p.eof {
		return c.broken()
	}
	return nil
}

func (c *chain) broken() error {
	return badData("", describe(c.p.path, "%w (compressed byte %d)", errChain, c.at))
}

// size reads the size of the block at c.at.
func (c *chain) size() (int, error) {
	for _, b := range [][]byte{c.buf[:], nil} {
		if b == nil { // other fields come before the size
			b = make([]byte, min(maxBlock, c.p.eof-c.at))
		}
		if _, err := c.p.file.ReadAt(b, c.at); err != nil {
			return 0, fmt.Errorf("read part: %w", err)
		}
		if size, _ := inflate.BlockSize(b); size > 0 {
			return size, nil
		}
	}
	return 0, c.broken()
}

// check takes the addresses up to c.at off the list. One that was passed is not that of a block,
// but for the first block of a part, which may not be in the chain.
func (c *chain) check() error {
	first := int64(c.p.start >> 16)
	for len(c.wanted) > 0 && c.wanted[0] <= c.at {
		if a := c.wanted[0]; a != c.at && a != first {
			return badData("remove the index of the part, or make it anew", describe(c.p.path, "its index points to byte %d, where no block begins", a))
		}
		c.wanted = c.wanted[1:]
	}
	return nil
}

// end demands that no address is left but that of the end-of-file block.
func (c *chain) end() error {
	if err := c.check(); err != nil {
		return err
	}
	if len(c.wanted) > 0 {
		c.at = c.wanted[0] + 1 // passed
		return c.check()
	}
	return nil
}
