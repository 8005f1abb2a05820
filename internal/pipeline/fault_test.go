package pipeline

import (
	"bytes"
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

// faultConfig is a small job: 100 pairs, one thread so that operations come in a stable
// order, an old output in place.
func faultConfig(t *testing.T, shards int) Config {
	t.Helper()
	cfg := lambdaConfig(t)
	cfg.Threads = 1
	cfg.Reads = []string{
		write(t, "1.fq", firstReads(gunzip(t, lambda1), 100)),
		write(t, "2.fq", firstReads(gunzip(t, lambda2), 100)),
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
	tests := []struct {
		name   string
		shards int
		order  SortOrder
		spill  bool // and only the operations on spilled runs
		cause  syscall.Errno
	}{
		{"one file, bad disk", 0, SortCoordinate, false, syscall.EIO},
		{"one file, full disk", 0, SortCoordinate, false, syscall.ENOSPC},
		{"two shards, bad disk", 2, SortCoordinate, false, syscall.EIO},
		{"spilled runs, full disk", 0, SortCoordinate, true, syscall.ENOSPC},
		{"input order, bad disk", 0, SortNone, false, syscall.EIO},
		{"input order, full disk", 0, SortNone, false, syscall.ENOSPC},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg, among := faultConfig(t, tt.shards), ""
			cfg.Sort = tt.order
			if tt.order == SortNone { // several batches and writes
				cfg.Reads, cfg.Level = []string{write(t, "n.fq", heavyReads(18))}, 0
			}
			if tt.spill {
				cfg.Reads, among = []string{write(t, "n.fq", heavyReads(400))}, ".alignpipe-tmp"
				cfg.Memory = least(t, cfg)
			}
			campaign(t, cfg, among, tt.cause)
		})
	}
}

// heavyReads are quick to map, for they hold no seed, and take 30 kB each as records.
func heavyReads(n int) []byte {
	bases, quals := bytes.Repeat([]byte("N"), 20_000), bytes.Repeat([]byte("I"), 20_000)
	var text []byte
	for i := range n {
		text = fmt.Appendf(text, "@n%d\n%s\n+\n%s\n", i, bases, quals)
	}
	return text
}

// failing is a plan that fails the i-th operation on paths that contain among, and tells
// which that was. It counts them all.
type failing struct {
	i, seen int
	among   string
	cause   error
	hit     faultfs.Op
}

func (f *failing) plan(op faultfs.Op) error {
	if !strings.Contains(op.Path, f.among) {
		return nil
	}
	f.seen++
	if f.seen-1 != f.i {
		return nil
	}
	f.hit = op
	return f.cause
}

func campaign(t *testing.T, cfg Config, among string, cause syscall.Errno) {
	counting := failing{i: -1, among: among}
	cfg.FS = faultfs.New(vfs.OS, counting.plan)
	result := mustRun(t, cfg)
	if among != "" && result.Sort.SpilledRuns == 0 {
		t.Error("nothing spilled")
	}
	dir := filepath.Dir(cfg.Output)
	good := tree(t, dir)
	if counting.seen < 8 {
		t.Fatalf("only %d operations", counting.seen)
	}
	last := counting.seen + 4 // a run over an old output has more to do
	step := 1 + last/120      // a spilling run writes a hundred times the same way
	// The same run again, but over an output that is a little different.
	old := strings.NewReplacer("=\"", "=\"old ").Replace(good)
	for i := range last {
		if i%step != 0 && i < last-12 {
			continue
		}
		restore(t, dir, good)
		fault := failing{i: i, among: among, cause: cause}
		cfg.FS = faultfs.New(vfs.OS, fault.plan)
		_, err := Run(t.Context(), cfg)
		hit, got := fault.hit, tree(t, dir)
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
	for _, order := range []SortOrder{SortCoordinate, SortNone} {
		failedRunsLeaveNoGoroutine(t, order)
	}
}

func failedRunsLeaveNoGoroutine(t *testing.T, order SortOrder) {
	before := runtime.NumGoroutine()
	for _, kind := range []string{"open", "create", "read", "write", "sync", "rename", "close"} {
		cfg := faultConfig(t, 0)
		cfg.Threads, cfg.Sort = 3, order
		if kind == "write" { // the disk is full while reads are still mapped
			cfg.Reads, cfg.Level = []string{write(t, "n.fq", heavyReads(100))}, 0
		}
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
