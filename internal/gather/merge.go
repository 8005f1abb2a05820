package gather

import (
	"context"
	"errors"
	"io"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/sorter"
)

// merger gives out the records of several parts in order.
type merger struct {
	refs    int32
	streams []*stream
	heads   [][]byte     // the next record of each, with block_size
	keys    []sorter.Key // of heads
	tree    loserTree
	taken   int // part whose head was given out last; -1 before the first
}

// openMerger opens the parts, which must be at least one, and reads their first records.
func (r *run) openMerger(parts []*part) (*merger, error) {
	m := &merger{
		refs: int32(len(r.header.lens)), streams: make([]*stream, len(parts)),
		heads: make([][]byte, len(parts)), keys: make([]sorter.Key, len(parts)), taken: -1,
	}
	depth := mergeDepth + 2*r.cfg.Threads/len(parts)
	for i, p := range parts { // all begin to read before the first is waited for
		err := p.open(r.cfg.FS)
		if err == nil {
			m.streams[i], err = r.openStream(p, p.start, depth)
		}
		if err != nil {
			return nil, err
		}
	}
	leaves := make([]leaf, len(parts))
	for i := range parts {
		var err error
		if leaves[i], err = m.advance(i); err != nil {
			return nil, err
		}
	}
	m.tree = newLoserTree(leaves)
	return m, nil
}

// next returns the next record, with block_size, valid until the next call; io.EOF at the end.
func (m *merger) next() ([]byte, error) {
	if m.taken >= 0 {
		l, err := m.advance(m.taken)
		if err != nil {
			return nil, err
		}
		m.tree.replace(m.taken, l)
	}
	if m.taken = m.tree.first.src; m.taken >= len(m.streams) {
		m.taken = -1
		return nil, io.EOF
	}
	return m.heads[m.taken], nil
}

// advance reads the next record of part i. A part may go back in strand only: other programs
// order records of one place otherwise.
func (m *merger) advance(i int) (leaf, error) {
	s := m.streams[i]
	rec, _, err := s.record()
	if err == io.EOF {
		return leaf{sorter.Unplaced, len(m.streams) + i}, s.src.p.checkCount(s.count)
	}
	if err != nil {
		return leaf{}, err
	}
	body := rec[4:]
	if ref := bamrec.Ref(body); ref < -1 || ref >= m.refs {
		return leaf{}, s.bad(errors.New("no such reference"))
	}
	key := keyOf(body)
	if s.count > 1 && key|1 < m.keys[i] {
		return leaf{}, badData("samtools sort puts it in order", describe(s.src.p.path, "record %d: %w", s.count, bgzfout.ErrOrder))
	}
	m.heads[i], m.keys[i] = rec, key
	return leaf{key, i}, nil
}

// mergeParts merges all records into the output.
func (r *run) mergeParts(ctx context.Context, out *output) error {
	parts := byGiven(r.parts)
	fan, err := r.fanIn(len(parts))
	if err != nil {
		return err
	}
	if len(parts) > fan {
		spill, err := r.openSpill()
		if err != nil {
			return err
		}
		defer spill.remove()
		if parts, err = spill.reduce(ctx, parts, fan); err != nil {
			return err
		}
	}
	r.result.Passes++
	bam, err := r.mergeTo(ctx, parts, out.w, out.kind, r.cfg.Level)
	if err != nil {
		return err
	}
	r.result.Records, r.result.Bytes = bam.Records(), bam.Bytes()
	return out.writeIndex(func(dst io.Writer, _ bgzfout.Config) error { return bam.WriteIndex(dst) })
}

func byGiven(parts []*part) []*part {
	var some []*part
	for _, p := range parts {
		if !p.empty() {
			some = append(some, p)
		}
	}
	return some
}

// mergeTo merges parts into one BAM, and closes them.
func (r *run) mergeTo(ctx context.Context, parts []*part, dst io.Writer, kind bgzfout.IndexKind, level int) (*bgzfout.BAM, error) {
	defer closeAll(parts)
	m, err := r.openMerger(parts)
	if err != nil {
		return nil, err
	}
	noted := &notingWriter{w: dst}
	bam, err := bgzfout.NewBAM(noted, r.header.encode(), r.header.lens, kind, r.bgzf(level))
	if err != nil {
		return nil, err
	}
	if err = m.drain(ctx, bam); err == nil {
		err = bam.Close()
	}
	bam.Abort(err) // nothing after a Close
	if noted.err != nil {
		err = outputError(noted.err)
	}
	return bam, err
}

// drain adds all records to bam.
func (m *merger) drain(ctx context.Context, bam *bgzfout.BAM) error {
	for {
		rec, err := m.next()
		if err == io.EOF {
			return nil
		}
		if err == nil && bam.Records()%checkEach == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if err := bam.Add(rec); err != nil {
			// Unless it is of the disk, which whoever called knows, it is about the record.
			return badData("", describe(m.streams[m.taken].src.p.path, "%w", err))
		}
	}
}

// notingWriter keeps the first error of writing. Its writes and the look at err are ordered by
// the end of the BAM's goroutines.
type notingWriter struct {
	w   io.Writer
	err error
}

func (n *notingWriter) Write(p []byte) (int, error) {
	done, err := n.w.Write(p)
	if err != nil && n.err == nil {
		n.err = err
	}
	return done, err
}

func (r *run) bgzf(level int) bgzfout.Config {
	return bgzfout.Config{Level: level, Workers: r.cfg.Threads}
}
