package gather

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/inflate"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/sorter"
)

// part is one BAM file to be joined.
type part struct {
	path  string
	given int // its number in the order of the command line
	info  fs.FileInfo
	want  int64 // records that a manifest counts; -1 where none does

	file  vfs.File // nil while closed
	start uint64   // virtual offset of the first record, or of the end-of-file block
	eof   int64    // address of the end-of-file block
	first sorter.Key
	last  sorter.Key     // known once endsWithin has found it
	index *bgzfout.Index // likewise
}

// empty tells that there are no records.
func (p *part) empty() bool { return p.start == uint64(p.eof)<<16 }

func (p *part) open(fsys vfs.FS) (err error) {
	if p.file == nil {
		p.file, err = fsys.Open(p.path)
	}
	return err
}

func (p *part) close() {
	if p.file != nil {
		p.file.Close() // read only: nothing to lose
		p.file = nil
	}
}

// openPart checks both ends of a part, joins its header to the others, and closes it again: there
// may be more parts than files that can be open.
func (r *run) openPart(in input) (*part, error) {
	p := &part{path: in.path, want: in.records, info: in.info}
	if err := p.open(r.cfg.FS); err != nil {
		return nil, err
	}
	defer p.close()
	if err := p.findEnd(); err != nil {
		return nil, err
	}
	s, err := r.openStream(p, 0, 0)
	if err != nil {
		return nil, err
	}
	h, err := readHeader(s)
	if err == nil {
		p.start = s.tell()
		err = r.header.join(h, p.path, r.parts)
	}
	if err != nil {
		return nil, err
	}
	rec, at, err := s.record()
	switch {
	case err == io.EOF:
		p.start = uint64(p.eof) << 16 // what empty blocks there may be are left out
		return p, p.checkCount(0)
	case err != nil:
		return nil, err
	default:
		p.start, p.first = at, keyOf(rec[4:])
	}
	return p, nil
}

// findEnd demands the end-of-file block.
func (p *part) findEnd() error {
	p.eof = p.info.Size() - int64(len(inflate.EOFBlock))
	if p.eof < 0 {
		return badData("", describe(p.path, "not a BAM file: it is too short"))
	}
	tail := make([]byte, len(inflate.EOFBlock))
	if _, err := p.file.ReadAt(tail, p.eof); err != nil {
		return fmt.Errorf("read part: %w", err)
	}
	if string(tail) != inflate.EOFBlock {
		return badData("write the part again: what made it did not finish", describe(p.path, "cut short, or not BAM: no end-of-file block"))
	}
	return nil
}

// endsWithin finds the index and the last key of a part. It returns false, and knows neither, when
// it meets a record that limit does not allow.
func (r *run) endsWithin(ctx context.Context, p *part, limit bound) (bool, error) {
	if err := p.open(r.cfg.FS); err != nil {
		return false, err
	}
	defer p.close()
	found, err := r.believeIndex(p)
	if err != nil {
		return false, err
	}
	if !found {
		ok, err := r.scan(ctx, p, limit)
		if !ok || err != nil {
			return false, err
		}
		r.result.Scanned++
	}
	return limit.allows(p.last), p.checkCount(p.index.Records())
}

// checkCount compares what a part holds with what its manifest says.
func (p *part) checkCount(records int64) error {
	if p.want < 0 || records == p.want {
		return nil
	}
	return badData("write the shards again", describe(p.path, "%d records, but the manifest says %d", records, p.want))
}

// scan reads a part to its end and makes its index. It stops early at a record that limit does
// not allow.
func (r *run) scan(ctx context.Context, p *part, limit bound) (ok bool, err error) {
	x := bgzfout.NewIndexer(r.kind, r.header.lens)
	s, err := r.openStream(p, p.start, 2*r.cfg.Threads+2)
	if err != nil {
		return false, err
	}
	for {
		rec, at, err := s.record()
		if err == io.EOF {
			break
		}
		if err == nil && s.count%checkEach == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return false, err
		}
		p.last = keyOf(rec[4:])
		if !limit.allows(p.last) {
			return false, nil
		}
		if err := x.Add(rec[4:], at); err != nil {
			return false, badData(sortHint(err), describe(p.path, "%w", err))
		}
	}
	if p.index, err = x.Finish(uint64(p.eof) << 16); err != nil {
		return false, fmt.Errorf("index of %s: %w", p.path, err)
	}
	return true, nil
}

// checkEach is how many records pass between two looks at whether the run is to stop.
const checkEach = 4096

func sortHint(err error) string {
	if errors.Is(err, bgzfout.ErrOrder) {
		return "samtools sort puts it in order"
	}
	return ""
}

// believeIndex looks for an index that belongs to the part, and then for its last record.
func (r *run) believeIndex(p *part) (bool, error) {
	for _, name := range indexNames(p.path, r.kind) {
		info, err := r.cfg.FS.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, err
		}
		if info.ModTime().Before(p.info.ModTime()) {
			continue
		}
		data, err := readFile(r.cfg.FS, name)
		if err != nil {
			return false, err
		}
		x, err := bgzfout.ReadIndex(data, r.kind, r.header.lens)
		if err != nil {
			continue // it is of no use, which scanning makes up for
		}
		fits, err := r.fits(p, x)
		if fits || err != nil {
			return fits, err
		}
	}
	return false, nil
}

// indexNames are the names that an index goes by.
func indexNames(path string, kind bgzfout.IndexKind) []string {
	short := path[:len(path)-len(filepath.Ext(path))] + kind.Ext()
	return []string{path + kind.Ext(), short}
}

func readFile(fsys vfs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// fits compares an index with both ends of the part: it must begin with the first record, and what
// follows on its last chunk must end where it says, and be of the reference it says. A part that
// cannot be read there has no fitting index; scanning will tell why.
func (r *run) fits(p *part, x *bgzfout.Index) (bool, error) {
	beg, end, placed := x.Stretch()
	switch {
	case x.Records() == 0:
		return false, nil // there are some
	case placed && beg != p.start, placed && int64(end>>16) > p.eof:
		return false, nil
	}
	from, ref := p.start, int32(-1)
	if placed {
		from, ref = x.LastChunk()
	}
	last, ok, err := r.follow(p, from, end, ref, x.Unplaced() > 0)
	if !ok || err != nil {
		return false, err
	}
	p.index, p.last = x, last
	return true, nil
}

// follow reads the records from an offset on, which are to be of reference ref, up to end; behind
// it lies a record without a place, or else the end of the part.
func (r *run) follow(p *part, from, end uint64, ref int32, unplaced bool) (last sorter.Key, ok bool, err error) {
	s, err := r.openStream(p, from, 0)
	if err != nil {
		return 0, false, onlyMachine(err)
	}
	for ref >= 0 {
		rec, at, err := s.record()
		if err == io.EOF {
			return last, !unplaced && end == uint64(p.eof)<<16, nil
		}
		if err != nil {
			return 0, false, onlyMachine(err)
		}
		if at >= end {
			return sorter.Unplaced, unplaced && at == end && bamrec.Ref(rec[4:]) < 0, nil
		}
		if bamrec.Ref(rec[4:]) != ref {
			return 0, false, nil
		}
		last = keyOf(rec[4:])
	}
	rec, _, err := s.record() // the index knows of no others
	if err == io.EOF {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, onlyMachine(err)
	}
	return sorter.Unplaced, bamrec.Ref(rec[4:]) < 0, nil
}

// onlyMachine drops errors about what the part holds.
func onlyMachine(err error) error {
	var known *Error
	if errors.As(err, &known) && known.Class == BadData {
		return nil
	}
	return err
}
