package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/sorter"
)

// shardSink is an output of coordinate ranges in a folder. Where they are cut depends on all
// records, so the folder is made when these are mapped.
type shardSink struct {
	run *run
	set *bgzfout.ShardSet
}

// openShards refuses what cannot become a folder before there is work to lose.
func (r *run) openShards() (output, error) {
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

// shardFiles is how many files of each shard stay open until all are committed: the BAM and its index.
const shardFiles = 2

// write merges the parts into shards, several at a time; the cuts depend on the records alone.
func (s *shardSink) write(ctx context.Context, sorted *sorter.Sorter) error {
	r, cfg := s.run, s.run.bgzf()
	side := min(r.cfg.Shards, r.cfg.Threads, sorted.Mergers(shardFiles*r.cfg.Shards))
	cfg.Workers = (r.cfg.Threads + side - 1) / side
	for _, st := range []*meter.Stage{cfg.CollectStage, cfg.CompressStage} {
		st.SetWorkers(side * cfg.Workers)
	}
	r.feeder.SetWorkers(side)
	cfg.WriteStage.SetWorkers(side)
	r.audit = newAuditor(side * (cfg.Workers + 1))
	var err error
	s.set, err = bgzfout.NewShardSet(r.cfg.FS, r.cfg.Output, r.bamHeader(), r.index.Lens(), r.cfg.Shards, r.kind, cfg)
	if err != nil {
		return err
	}
	cuts := sorted.Cuts(r.cfg.Shards)
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for i := range side {
		visit := r.visitor(i * (cfg.Workers + 1))
		g.Go(func() error {
			for n := next.Add(1) - 1; n <= int64(len(cuts)); n = next.Add(1) - 1 {
				if err := s.writeShard(ctx, sorted, cuts, int(n), visit); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return sorted.Complete()
}

// writeShard merges one part into its shard.
func (s *shardSink) writeShard(ctx context.Context, sorted *sorter.Sorter, cuts []sorter.Key, n int, visit func(int, uint64, []byte)) error {
	me := s.run.feeder.Enter()
	defer me.Exit()
	m, err := sorted.Part(ctx, cuts, n)
	if err != nil {
		return err
	}
	f, err := s.set.Open(n, visit)
	if err == nil {
		err = moveAll(ctx, m, f.Add)
	}
	if err == nil {
		err = f.Close()
	}
	return errors.Join(err, m.Close())
}

func (s *shardSink) finish() error {
	if _, err := s.run.metricsFile(s.set.Extra, duplicatesName); err != nil {
		return err
	}
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
