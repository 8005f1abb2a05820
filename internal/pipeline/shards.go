package pipeline

import (
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/sorter"
)

// shardSink writes a folder of coordinate ranges. The cuts depend on all records, so the
// folder is made when they are mapped.
type shardSink struct {
	run *run
	set *bgzfout.ShardSet
}

// openShards refuses what cannot become a folder before there is work to lose.
func (r *run) openShards() (sink, error) {
	dir := r.cfg.Output
	info, err := r.cfg.FS.Stat(dir)
	if err == nil && !info.IsDir() {
		return nil, Misuse("with --shards the output is a folder", "output %s exists and is not a folder", dir)
	}
	if err != nil {
		parent := filepath.Dir(filepath.Clean(dir))
		if info, err := r.cfg.FS.Stat(parent); err != nil {
			return nil, fmt.Errorf("output: %w", err)
		} else if !info.IsDir() {
			return nil, &fs.PathError{Op: "output", Path: parent, Err: fs.ErrInvalid}
		}
	}
	return r.keep(&shardSink{run: r}), nil
}

func (s *shardSink) begin(sorted *sorter.Sorter) (err error) {
	r := s.run
	keys := sorted.Cuts(r.cfg.Shards)
	cuts := make([]uint64, len(keys))
	for i, k := range keys {
		cuts[i] = uint64(k)
	}
	s.set, err = bgzfout.NewShardSet(r.cfg.FS, r.cfg.Output, r.bamHeader(), r.index.Lens(), cuts, r.kind, r.bgzf())
	return err
}

func (s *shardSink) add(key sorter.Key, rec []byte) error { return s.set.Add(uint64(key), rec) }

func (s *shardSink) finish() error {
	call := s.run.stages.Sync.Begin(meter.BlkSync)
	err := s.set.Commit(s.run.reader.Sum().String())
	call.End()
	if stale := s.set.Stale(); err == nil && len(stale) > 0 {
		s.run.cfg.Log.Warn("files of an earlier run could not be removed; the manifest does not name them", "files", stale)
	}
	return err
}

func (s *shardSink) abort() error {
	if s.set != nil {
		s.set.Abort(errAborted)
	}
	return nil
}

// bamFiles are the BAM files behind a name: the file itself, or the shards that the
// manifest of a folder names, in order.
func bamFiles(fsys vfs.FS, path string) ([]string, error) {
	info, err := fsys.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	f, err := fsys.Open(filepath.Join(path, bgzfout.ManifestName))
	if err != nil {
		return nil, fmt.Errorf("shards: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("shards: %w", err)
	}
	m, err := bgzfout.ParseManifest(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errBadBAM, path, err)
	}
	var files []string
	for i := range m.Shards {
		name := m.Shards[i].Name
		if name != filepath.Base(name) {
			return nil, fmt.Errorf("%w: %s: the manifest names %q, which is not in the folder", errBadBAM, path, name)
		}
		files = append(files, filepath.Join(path, name))
	}
	return files, nil
}
