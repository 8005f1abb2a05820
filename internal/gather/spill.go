package gather

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

const (
	// mergeDepth is how many batches of each part are in memory: one being taken apart, one
	// being filled.
	mergeDepth = 2
	// runtimeSlack covers code, stacks, headers, and the collector's lag.
	runtimeSlack = 64 << 20
	// spareFiles are those open besides the parts: output, standard streams, the runtime's.
	spareFiles = 16
	// spillLevel costs little CPU, and a third of the disk.
	spillLevel = 1
)

// fanIn is how many of n parts can be merged at once, within the memory and the open files
// allowed.
func (r *run) fanIn(n int) (int, error) {
	const perPart = mergeDepth * batchMemory
	fan := n
	if open := r.cfg.MaxOpen; open > 0 {
		fan = min(fan, max(open-spareFiles, 2))
	}
	if r.cfg.Memory > 0 {
		// Besides mergeDepth batches a part, openMerger gives out twice as many as threads.
		fixed := runtimeSlack + r.bgzf(r.cfg.Level).MemoryBound() + int64(2*r.cfg.Threads)*batchMemory
		if least := fixed + 2*perPart; r.cfg.Memory < least {
			return 0, misuse(fmt.Sprintf("give -m %dM or more, or fewer threads", least>>20+1),
				"%d MiB of memory are too little to merge", r.cfg.Memory>>20)
		}
		fan = int(min(int64(fan), (r.cfg.Memory-fixed)/perPart))
	}
	return fan, nil
}

// spill is a private folder for what is between two passes of a merge.
type spill struct {
	run  *run
	dir  string
	made int // files so far
}

func (r *run) openSpill() (*spill, error) {
	parent := r.cfg.TempDir
	if parent == "" {
		parent = os.TempDir()
	}
	dir, err := vfs.TempDir(r.cfg.FS, parent)
	return &spill{run: r, dir: dir}, outputError(err)
}

func (s *spill) remove() {
	if s.run.cfg.FS.RemoveAll(s.dir) != nil {
		_ = s.run.cfg.FS.RemoveAll(s.dir) // one that failed by chance should not leave litter
	}
}

// reduce merges parts, in groups of neighbours so that ties stay in order, until fan are left.
func (s *spill) reduce(ctx context.Context, parts []*part, fan int) ([]*part, error) {
	for len(parts) > fan {
		s.run.result.Passes++
		var next []*part
		for len(parts) > 0 {
			n := min(fan, len(parts))
			p, err := s.group(ctx, parts[:n])
			if err != nil {
				return nil, err
			}
			next, parts = append(next, p), parts[n:]
		}
		parts = next
	}
	return parts, nil
}

// group merges some parts into one file of the folder, and removes those of them that lie there.
func (s *spill) group(ctx context.Context, parts []*part) (*part, error) {
	if len(parts) == 1 {
		return parts[0], nil
	}
	path := filepath.Join(s.dir, fmt.Sprintf("part-%05d.bam", s.made))
	s.made++
	f, err := s.run.cfg.FS.CreateNew(path, 0o600)
	if err != nil {
		return nil, outputError(err)
	}
	_, err = s.run.mergeTo(ctx, parts, f, bgzfout.None, spillLevel)
	if cerr := f.Close(); err == nil {
		err = outputError(cerr)
	}
	for _, p := range parts {
		if filepath.Dir(p.path) == s.dir {
			err = errors.Join(err, outputError(s.run.cfg.FS.Remove(p.path)))
		}
	}
	if err != nil {
		return nil, err
	}
	return s.run.spilledPart(path)
}

// spilledPart is a file of the folder as a part.
func (r *run) spilledPart(path string) (*part, error) {
	info, err := r.cfg.FS.Stat(path)
	if err != nil {
		return nil, err
	}
	p := &part{path: path, info: info, want: -1}
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
	if _, err := readHeader(s); err != nil {
		return nil, err
	}
	p.start = s.tell()
	return p, nil
}
