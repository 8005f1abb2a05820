package vfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/internal/vfs/faultfs"
)

func TestCreateAtomicFollowsLinks(t *testing.T) {
	for _, c := range []struct{ name, link, target string }{
		{"to a file", "real", "real"},
		{"dangling", "nowhere", "nowhere"},
		{"dangling in another folder", "sub/x", "sub/x"},
		{"through a second link", "hop", "sub/y"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
			must(t, os.WriteFile(filepath.Join(dir, "real"), []byte(oldContent), 0o644))
			must(t, os.Symlink("sub/y", filepath.Join(dir, "hop")))
			must(t, os.Symlink(c.link, filepath.Join(dir, "out")))
			a, err := vfs.CreateAtomic(vfs.OS, filepath.Join(dir, "out"))
			must(t, err)
			_, err = a.Write([]byte(newContent))
			must(t, err)
			must(t, vfs.Commit(a))
			if got, _ := os.Readlink(filepath.Join(dir, "out")); got != c.link {
				t.Errorf("the link now says %q", got)
			}
			if got, err := os.ReadFile(filepath.Join(dir, c.target)); string(got) != newContent {
				t.Errorf("target holds %q, %v", got, err)
			}
		})
	}
}

func TestEvalSymlinksStopsAtALoop(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Symlink("b", filepath.Join(dir, "a")))
	must(t, os.Symlink("a", filepath.Join(dir, "b")))
	if _, err := vfs.CreateAtomic(vfs.OS, filepath.Join(dir, "a")); err == nil {
		t.Error("made a file in a loop")
	}
}

func TestCreateAtomicRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	must(t, syscall.Mkfifo(fifo, 0o600))
	for _, path := range []string{dir, fifo, "/dev/null", filepath.Join(dir, "no", "such")} {
		if a, err := vfs.CreateAtomic(vfs.OS, path); err == nil {
			a.Abort()
			t.Errorf("%s: no error", path)
		}
	}
	broken := faultfs.New(vfs.OS, faultfs.Once(0, syscall.EIO))
	if _, err := vfs.CreateAtomic(broken, filepath.Join(dir, "x")); !errors.Is(err, syscall.EIO) {
		t.Errorf("unknown target: %v", err)
	}
}

func TestIsStream(t *testing.T) {
	dir := t.TempDir()
	file, fifo, link := filepath.Join(dir, "file"), filepath.Join(dir, "fifo"), filepath.Join(dir, "link")
	must(t, os.WriteFile(file, nil, 0o644))
	must(t, syscall.Mkfifo(fifo, 0o600))
	must(t, os.Symlink(fifo, link))
	for path, want := range map[string]bool{
		file: false, fifo: true, link: true, "/dev/null": true, filepath.Join(dir, "none"): false,
	} {
		if got := vfs.IsStream(vfs.OS, path); got != want {
			t.Errorf("IsStream(%s) = %v", path, got)
		}
	}
}

func TestOpenStreamNeverMakesAFile(t *testing.T) {
	f, err := vfs.OS.OpenStream("/dev/null")
	must(t, err)
	_, err = f.Write([]byte("gone"))
	must(t, err)
	must(t, f.Close())
	path := filepath.Join(t.TempDir(), "none")
	if _, err := vfs.OS.OpenStream(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenStream = %v", err)
	}
}

func TestCreateNewFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Symlink("elsewhere", filepath.Join(dir, "link")))
	if _, err := vfs.OS.CreateNew(filepath.Join(dir, "link"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("CreateNew = %v", err)
	}
}

func TestLongNamesFit(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []int{119, 120, 121, 200, 255} {
		path := filepath.Join(dir, strings.Repeat("n", n))
		a, err := vfs.CreateAtomic(vfs.OS, path)
		must(t, err)
		must(t, vfs.Commit(a))
	}
}

// deadPID is the number of a process that has ended and been waited for.
func deadPID(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Skip(err)
	}
	return cmd.Process.Pid
}

func TestReapTakesOnlyWhatTheDeadLeft(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out.bam")
	live, err := vfs.CreateAtomic(vfs.OS, out)
	must(t, err)
	liveName := tempsIn(t, dir)[0]
	parts := strings.Split(liveName, "-") // .alignpipe-out.bam-<host>-<pid>-<random>
	stem := strings.Join(parts[:len(parts)-2], "-")
	const random = "0123456789abcdef"
	dead := deadPID(t)
	keep := []string{
		fmt.Sprintf("%s-%d-%s", stem, 1, random),        // lives
		fmt.Sprintf("%s-%d-%s", stem, dead, random+"0"), // not our form
		fmt.Sprintf("%s-%d-%s", stem, dead, "0123456789abcxyz"),
		fmt.Sprintf("%s-other-%d-%s", stem, dead, random), // another host
		fmt.Sprintf(".alignpipe-out.bam.bai-h-%d-%s", dead, random),
		stem + "--5-" + random,
		"out.bam",
	}
	gone := []string{
		fmt.Sprintf("%s-%d-%s", stem, dead, random),
		fmt.Sprintf("%s-%d-%s", stem, os.Getpid(), random), // our number, of an earlier process
	}
	for _, name := range append(keep, gone...) {
		must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	vfs.ReapStale(vfs.OS, out)
	for _, name := range append(keep, liveName) {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s is gone", name)
		}
	}
	for _, name := range gone {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	must(t, live.Abort())
	vfs.ReapStale(vfs.OS, filepath.Join(dir, "no", "such", "folder"))
}

func TestTempDirIsPrivateAndReaps(t *testing.T) {
	parent := t.TempDir()
	first, err := vfs.TempDir(vfs.OS, parent)
	must(t, err)
	info, err := os.Stat(first)
	must(t, err)
	if info.Mode() != fs.ModeDir|0o700 {
		t.Errorf("mode %v", info.Mode())
	}
	parts := strings.Split(first, "-")
	parts[len(parts)-2] = fmt.Sprint(deadPID(t))
	left := strings.Join(parts, "-")
	must(t, os.Mkdir(left, 0o700))
	must(t, os.WriteFile(filepath.Join(left, "run-0"), nil, 0o600))
	second, err := vfs.TempDir(vfs.OS, parent)
	must(t, err)
	for path, want := range map[string]bool{first: true, second: true, left: false} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
	if _, err := vfs.TempDir(vfs.OS, filepath.Join(parent, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in no folder: %v", err)
	}
}

func TestMapGivesTheWholeFile(t *testing.T) {
	for _, n := range []int{0, 1, 4095, 4096, 4097, 1 << 20} {
		want := bytes.Repeat([]byte("alignpipe"), n/9+1)[:n]
		path := filepath.Join(t.TempDir(), "f")
		must(t, os.WriteFile(path, want, 0o600))
		for _, fsys := range []vfs.FS{vfs.OS, faultfs.New(vfs.OS, nil)} {
			f, err := fsys.Open(path)
			must(t, err)
			data, unmap, err := vfs.Map(f)
			must(t, err)
			must(t, f.Close())
			if !bytes.Equal(data, want) {
				t.Errorf("len=%d, %T: content differs", n, fsys)
			}
			must(t, unmap())
			must(t, unmap())
		}
	}
}

func TestAheadLeavesAMappingAsItIs(t *testing.T) {
	for _, n := range []int{0, 1, 4096, 40<<20 + 1} {
		path := filepath.Join(t.TempDir(), "f")
		must(t, os.WriteFile(path, bytes.Repeat([]byte{7}, n), 0o600))
		f, err := vfs.OS.Open(path)
		must(t, err)
		data, unmap, err := vfs.Map(f)
		must(t, err)
		stop := vfs.Ahead(data)
		if n > 40<<20 { // the end is gone while it is read
			must(t, os.Truncate(path, 1<<20))
		}
		if bytes.Count(data[:min(n, 1<<20)], []byte{7}) != min(n, 1<<20) {
			t.Errorf("len=%d: content differs", n)
		}
		stop()
		stop()
		must(t, unmap())
		must(t, f.Close())
	}
}

func TestMapReportsReadErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	must(t, os.WriteFile(path, make([]byte, 100), 0o600))
	for _, kind := range []string{"read", "fstat"} {
		f, err := faultfs.New(vfs.OS, func(op faultfs.Op) error {
			if op.Kind == kind {
				return syscall.EIO
			}
			return nil
		}).Open(path)
		must(t, err)
		if _, _, err := vfs.Map(f); !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: Map = %v", kind, err)
		}
		must(t, f.Close())
	}
}

func TestAllocIsZeroedAndFreed(t *testing.T) {
	for _, n := range []int{0, 1, 4096, 5 << 20} {
		b, err := vfs.Alloc(n)
		must(t, err)
		if len(b) != n {
			t.Fatalf("Alloc(%d) has %d bytes", n, len(b))
		}
		if n > 0 {
			if b[0] != 0 || b[n-1] != 0 {
				t.Error("not zeroed")
			}
			b[0], b[n-1] = 1, 1
		}
		must(t, vfs.Free(b[:n/2]))
	}
	if _, err := vfs.Alloc(-1); err == nil {
		t.Error("Alloc(-1) gave memory")
	}
	must(t, vfs.Free(nil))
}
