package gather

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/internal/vfs/faultfs"
)

// TestEveryFileOperationMayFail fails each operation once. The run must then fail with the cause
// and leave the old output and nothing else, or succeed as if nothing had happened, where the
// operation did not matter.
func TestEveryFileOperationMayFail(t *testing.T) {
	recs := randomRecs(30, testRefs, 600)
	tests := []struct {
		name  string
		parts [][]testRec
		kind  bgzfout.IndexKind
		open  int
		cause error
	}{
		{"copied, full disk", cutEvenly(recs, 3), bgzfout.BAI, 0, syscall.ENOSPC},
		{"copied, bad disk", cutEvenly(recs, 3), bgzfout.BAI, 0, syscall.EIO},
		{"copied, a disk that fills on the way", cutEvenly(recs, 3), bgzfout.BAI, 0, faultfs.Short(10, syscall.ENOSPC)},
		{"copied, lost answers", cutEvenly(recs, 2), bgzfout.BAI, 0, faultfs.After(syscall.EIO)},
		{"no index, bad disk", cutEvenly(recs, 2), bgzfout.None, 0, syscall.EIO},
		{"merged, full disk", deal(recs, 3), bgzfout.BAI, 0, syscall.ENOSPC},
		{"merged in passes, full disk", deal(recs, 5), bgzfout.None, 18, syscall.ENOSPC},
		{"merged in passes, bad disk", deal(recs, 5), bgzfout.None, 18, syscall.EIO},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			paths := writeParts(t, t.TempDir(), tt.parts, indexed(testRefs, tt.kind))
			failed := 0
			for i := 0; ; i++ {
				cfg := config(t.TempDir(), paths...)
				cfg.Threads, cfg.MaxOpen, cfg.TempDir = 1, tt.open, t.TempDir()
				must(t, os.WriteFile(cfg.Output, []byte("old"), 0o600))
				fsys := faultfs.New(vfs.OS, faultfs.Once(i, tt.cause))
				cfg.FS = fsys
				_, err := Run(t.Context(), cfg)
				wantAllOrNothing(t, cfg, merged(tt.parts), err)
				wantOnly(t, cfg.TempDir)
				if err != nil {
					failed++
					wantCause(t, err)
				}
				if t.Failed() {
					t.Fatalf("operation %d", i)
				}
				if fsys.Ops() <= i {
					break
				}
			}
			if failed < 10 {
				t.Errorf("only %d operations failed", failed)
			}
		})
	}
}

func wantCause(t *testing.T, err error) {
	t.Helper()
	var known *Error
	if !errors.Is(err, syscall.EIO) && !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("the error does not name its cause: %v", err)
	}
	if errors.As(err, &known) && known.Class != BadOutput {
		t.Errorf("a failing disk is no fault of the part, or of the caller: %v", err)
	}
}

// wantAllOrNothing demands the whole output, or the old one.
func wantAllOrNothing(t *testing.T, cfg Config, recs []testRec, err error) {
	t.Helper()
	if err == nil {
		wantRecords(t, cfg.Output, headerOf(testRefs, testText, ""), recs)
		wantOnly(t, filepath.Dir(cfg.Output), "out.bam", "out.bam.bai")
		return
	}
	wantOnly(t, filepath.Dir(cfg.Output), "out.bam")
	if got := string(readAll(t, cfg.Output)); got != "old" {
		t.Errorf("%d bytes under the final name", len(got))
	}
}

// A full disk is an error of the output, whichever way the bytes take.
func TestFullDiskIsAnErrorOfTheOutput(t *testing.T) {
	recs := randomRecs(31, testRefs, 600)
	for name, parts := range map[string][][]testRec{"copied": cutEvenly(recs, 2), "merged": deal(recs, 2)} {
		for _, kind := range []string{"create", "write", "copy", "sync", "rename", "syncdir"} {
			cfg := config(t.TempDir(), writeParts(t, t.TempDir(), parts, indexed(testRefs, bgzfout.BAI))...)
			cfg.FS = faultfs.New(vfs.OS, func(op faultfs.Op) error {
				if op.Kind == kind {
					return syscall.ENOSPC
				}
				return nil
			})
			_, err := Run(t.Context(), cfg)
			var known *Error
			if kind == "copy" && name == "merged" {
				must(t, err)
				continue
			}
			if !errors.As(err, &known) || known.Class != BadOutput || !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
			wantOnly(t, filepath.Dir(cfg.Output))
		}
	}
}

// A run that is stopped leaves nothing.
func TestStopped(t *testing.T) {
	recs := randomRecs(32, testRefs, 6000)
	for name, parts := range map[string][][]testRec{"copied": cutEvenly(recs, 2), "merged": deal(recs, 2)} {
		for _, kind := range []string{"stat", "open", "copy", "write"} {
			ctx, cancel := context.WithCancel(t.Context())
			var seen atomic.Int32
			cfg := config(t.TempDir(), writeParts(t, t.TempDir(), parts, indexed(testRefs, bgzfout.None))...)
			cfg.FS = faultfs.New(vfs.OS, func(op faultfs.Op) error {
				if op.Kind == kind && !strings.HasSuffix(op.Path, ".bai") {
					seen.Add(1)
					cancel()
				}
				return nil
			})
			_, err := Run(ctx, cfg)
			cancel()
			if err == nil { // it came too late
				wantRecords(t, cfg.Output, headerOf(testRefs, testText, ""), merged(parts))
				continue
			}
			if !errors.Is(err, context.Canceled) || seen.Load() == 0 {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
			wantOnly(t, filepath.Dir(cfg.Output))
		}
	}
}
