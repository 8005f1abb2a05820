package pipeline

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/internal/vfs/faultfs"
)

// TestSideBySideRunsFailCleanly fails operations, or cancels in them, while the compressors of several shards, or
// of one file with several writers, copy records out of slabs, whose memory is gone soon after. Each such run ends
// with the cause, and leaves what was there before, and no goroutine.
func TestSideBySideRunsFailCleanly(t *testing.T) {
	for _, tt := range []struct {
		name            string
		shards, threads int
		spill           bool
	}{
		{"shards", 3, 3, false},
		{"shards of runs", 3, 2, true},
		{"two writers", 0, 8, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := faultConfig(t, tt.shards)
			cfg.Threads, cfg.Level = tt.threads, 9 // slow, so that there is work left
			cfg.Reads = []string{write(t, "1.fq", many(gunzip(t, lambda1), 6))}
			if tt.spill {
				cfg.Reads = []string{write(t, "n.fq", heavyReads(300))}
				cfg.Memory = least(t, cfg)
			}
			failSideBySide(t, cfg)
		})
	}
}

func failSideBySide(t *testing.T, cfg Config) {
	written := func(op faultfs.Op) bool {
		return strings.Contains(op.Path, "out") || strings.Contains(op.Path, ".alignpipe-tmp")
	}
	var ops atomic.Int64
	cfg.FS = faultfs.New(vfs.OS, func(op faultfs.Op) error {
		if written(op) {
			ops.Add(1)
		}
		return nil
	})
	mustRun(t, cfg)
	dir := filepath.Dir(cfg.Output)
	good := digest(t, dir)
	before := runtime.NumGoroutine()
	last := ops.Load()
	for i := int64(0); i < last; i += 1 + last/8 {
		for _, cancels := range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			var n atomic.Int64
			cfg.FS = faultfs.New(vfs.OS, func(op faultfs.Op) error {
				if !written(op) || n.Add(1) != i+1 {
					return nil
				}
				if cancels {
					cancel()
					return nil
				}
				return syscall.EIO
			})
			_, err := Run(ctx, cfg)
			cancel()
			if err != nil && !errors.Is(err, syscall.EIO) && !errors.Is(err, context.Canceled) {
				t.Errorf("operation %d: %v", i, err)
			}
			if digest(t, dir) != good {
				t.Errorf("operation %d: error %v, and other files than before", i, err)
			}
			folderHolds(t, cfg.TempDir)
			goroutinesGone(t, before)
		}
	}
}

// digest sums up what is in a folder.
func digest(t *testing.T, dir string) (sum [sha256.Size]byte) {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			fmt.Fprintln(h, path)
			h.Write(mustRead(t, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return [sha256.Size]byte(h.Sum(nil))
}
