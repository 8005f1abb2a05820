package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/mapper"
)

// IndexSuffix is what an index adds to the name of its reference.
const IndexSuffix = ".apx"

// loadIndex opens the index named by cfg.Ref, or the one beside that FASTA file when it
// was made from the file as it is now, or builds one in memory.
func loadIndex(ctx context.Context, cfg *Config, budget int64) (*mapper.Index, error) {
	is, err := mapper.IsIndex(cfg.FS, cfg.Ref)
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	if is {
		return mapper.OpenIndex(cfg.FS, cfg.Ref)
	}
	if ix := savedIndex(cfg); ix != nil {
		return ix, nil
	}
	return buildIndex(ctx, cfg.FS, cfg.Ref, cfg.Threads, budget)
}

// savedIndex is REF.apx where it is there and matches, else nil. It only saves time, so
// whatever is wrong with it is told, not fatal.
func savedIndex(cfg *Config) *mapper.Index {
	path := cfg.Ref + IndexSuffix
	ix, err := mapper.OpenIndex(cfg.FS, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var matches bool
	if err == nil {
		if matches, err = ix.Matches(cfg.FS, cfg.Ref); matches && err == nil {
			return ix
		}
		err = errors.Join(err, ix.Close())
	}
	cfg.Log.Warn("index is not used; `alignpipe index` would renew it", "index", path, "matches", matches, "error", err)
	return nil
}

// buildIndex reads a FASTA file and indexes it, where budget (0: no bound) allows that.
func buildIndex(ctx context.Context, fsys vfs.FS, path string, threads int, budget int64) (ix *mapper.Index, err error) {
	info, err := fsys.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	ref, err := mapper.LoadFASTA(fsys, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, ref.Close()) }() // the index has taken it over by then, if there is one
	plan, err := mapper.NewPlan(ctx, ref, threads)
	if err != nil {
		return nil, err
	}
	if need := ref.Bytes() + plan.Bytes() + runtimeSlack; budget > 0 && need > budget {
		return nil, Misuse(fmt.Sprintf("give -m %s or more", FormatSize(need)),
			"%s of memory are too little to index %s", FormatSize(budget), path)
	}
	if ix, err = plan.Build(ctx); err != nil {
		return nil, err
	}
	ix.SetSource(info.Size(), info.ModTime().UnixNano())
	return ix, nil
}

// BuildIndex makes the index of the FASTA file ref under the name out, whole or not at all.
func BuildIndex(ctx context.Context, fsys vfs.FS, ref, out string, threads int) (err error) {
	if is, err := mapper.IsIndex(fsys, ref); err == nil && is {
		return Misuse("", "%s is an index already", ref)
	}
	vfs.ReapStale(fsys, out)
	ix, err := buildIndex(ctx, fsys, ref, threads, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ix.Close()) }()
	file, err := vfs.CreateAtomic(fsys, out)
	if err != nil {
		return outputError(err)
	}
	defer file.Abort()
	if _, err := ix.WriteTo(stopWriter{ctx, file}); err != nil {
		return outputError(err)
	}
	return outputError(vfs.Commit(file))
}

// CheckIndex reads the whole index at path and compares its checksum.
func CheckIndex(fsys vfs.FS, path string) error { return mapper.Check(fsys, path) }

// stopWriter ends a long write when the run is stopped.
type stopWriter struct {
	ctx context.Context
	w   interface{ Write([]byte) (int, error) }
}

func (s stopWriter) Write(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.w.Write(p)
}
