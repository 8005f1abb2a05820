package pipeline

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/internal/vfs/faultfs"
)

// faultConfig is a small job: 200 pairs, one thread so that operations come in a stable
// order, an old output in place.
func faultConfig(t *testing.T, shards int) Config {
	t.Helper()
	cfg := lambdaConfig(t)
	cfg.Threads = 1
	cfg.Reads = []string{
		write(t, "1.fq", firstReads(gunzip(t, lambda1), 200)),
		write(t, "2.fq", firstReads(gunzip(t, lambda2), 200)),
	}
	if cfg.Shards = shards; shards > 0 {
		cfg.Output = filepath.Join(filepath.Dir(cfg.Output), "out")
	}
	return cfg
}

// tree lists a folder with the contents of its files.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		fmt.Fprintf(&b, "%s=%q\n", path[len(dir):], mustRead(t, path))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestEveryFileOperationMayFail fails each operation of a small run once. Such a run must
// end, with an error that names the cause, leave what was there before, and leave neither
// temporary files nor goroutines. Where the operation did not matter (cleaning up, say) the
// run may succeed, and then its output must be the undisturbed one.
func TestEveryFileOperationMayFail(t *testing.T) {
	for _, shards := range []int{0, 3} {
		for _, cause := range []syscall.Errno{syscall.EIO, syscall.ENOSPC} {
			t.Run(fmt.Sprintf("shards=%d,error=%v", shards, cause), func(t *testing.T) {
				t.Parallel()
				campaign(t, faultConfig(t, shards), cause)
			})
		}
	}
}

func campaign(t *testing.T, cfg Config, cause syscall.Errno) {
	counting := faultfs.New(vfs.OS, nil)
	cfg.FS = counting
	mustRun(t, cfg)
	dir := filepath.Dir(cfg.Output)
	good := tree(t, dir)
	ops := counting.Ops()
	if ops < 20 {
		t.Fatalf("only %d operations", ops)
	}
	// The same run again, but over an output that is a little different.
	old := strings.NewReplacer("=\"", "=\"old ").Replace(good)
	for i := range ops + 4 {
		restore(t, dir, good)
		var hit faultfs.Op
		cfg.FS = faultfs.New(vfs.OS, func(op faultfs.Op) error {
			if op.Index == i {
				hit = op
				return cause
			}
			return nil
		})
		_, err := Run(t.Context(), cfg)
		got := tree(t, dir)
		switch {
		case err == nil && got != good:
			t.Errorf("operation %d (%s %s): success, but another output", i, hit.Kind, hit.Path)
		case err != nil && !errors.Is(err, cause):
			t.Errorf("operation %d (%s %s): error %v does not tell the cause", i, hit.Kind, hit.Path, err)
		case err != nil && got != old:
			t.Errorf("operation %d (%s %s): what was there before changed: %.300q", i, hit.Kind, hit.Path, got)
		}
		folderHolds(t, cfg.TempDir)
	}
}

// restore makes the folder hold the files of an earlier run, each changed a little, which is
// what a failed run must not touch.
func restore(t *testing.T, dir, good string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(good) {
		var name, text string
		name, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if _, err := fmt.Sscanf(rest, "%q", &text); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("old "+text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFailedRunLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, kind := range []string{"open", "create", "read", "write", "sync", "rename", "close"} {
		cfg := faultConfig(t, 0)
		cfg.Threads = 3
		failed := false
		cfg.FS = faultfs.New(vfs.OS, func(op faultfs.Op) error {
			if op.Kind == kind && strings.Contains(op.Path, "out.bam") || kind == op.Kind && kind != "write" && kind != "close" && kind != "sync" {
				failed = true
				return syscall.EIO
			}
			return nil
		})
		if _, err := Run(t.Context(), cfg); err == nil || !failed {
			t.Errorf("%s: Run = %v", kind, err)
		}
		goroutinesGone(t, before)
	}
}

func TestOutputErrorsHaveTheirExitCode(t *testing.T) {
	tests := []struct {
		name, kind, path string
		cause            syscall.Errno
		code             int
	}{
		{"a full disk under the output", "write", "out.bam", syscall.ENOSPC, ExitOutput},
		{"a bad disk under the output", "sync", "out.bam", syscall.EIO, ExitOutput},
		{"a full disk for the temporary folder", "mkdir", ".alignpipe-tmp", syscall.ENOSPC, ExitOutput},
		{"a bad disk under the reads", "read", "1.fq", syscall.EIO, ExitFailed},
		{"a bad disk under the reference", "read", "lambda", syscall.EIO, ExitFailed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := faultConfig(t, 0)
			cfg.FS = faultfs.New(vfs.OS, func(op faultfs.Op) error {
				if op.Kind == tt.kind && strings.Contains(op.Path, tt.path) {
					return tt.cause
				}
				return nil
			})
			_, err := Run(t.Context(), cfg)
			if ExitCode(err) != tt.code || !errors.Is(err, tt.cause) {
				t.Errorf("error %v, exit %d, want %d", err, ExitCode(err), tt.code)
			}
			if tt.cause == syscall.ENOSPC && !strings.Contains(Hint(err), "space") {
				t.Errorf("hint %q", Hint(err))
			}
		})
	}
}
