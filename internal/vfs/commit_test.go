package vfs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/internal/vfs/faultfs"
)

const oldContent, newContent = "old content", "new content"

// writeTwo is the small workload: two outputs in two folders, committed together.
func writeTwo(fsys vfs.FS, paths []string) (err error) {
	var files []*vfs.Atomic
	defer func() {
		for _, a := range files {
			if aerr := a.Abort(); err == nil {
				err = aerr
			}
		}
	}()
	for _, path := range paths {
		a, err := vfs.CreateAtomic(fsys, path)
		if err != nil {
			return err
		}
		files = append(files, a)
		if _, err := a.WriteAt([]byte(newContent[4:]), 4); err != nil {
			return err
		}
		if _, err := a.Write([]byte(newContent[:4])); err != nil {
			return err
		}
	}
	return vfs.Commit(files...)
}

// outputs makes two folders; old says which of the targets exist already.
func outputs(t *testing.T, old [2]bool) []string {
	t.Helper()
	root := t.TempDir()
	var paths []string
	for i, name := range []string{"a.bam", "a.bam.bai"} {
		dir := filepath.Join(root, fmt.Sprint(i))
		path := filepath.Join(dir, name)
		must(t, os.Mkdir(dir, 0o755))
		if old[i] {
			must(t, os.WriteFile(path, []byte(oldContent), 0o644))
		}
		paths = append(paths, path)
	}
	return paths
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantFiles fails unless each folder holds the target with the wanted content and nothing else.
func wantFiles(t *testing.T, what string, paths []string, want [2]string) {
	t.Helper()
	for i, path := range paths {
		got, err := os.ReadFile(path)
		if want[i] == "" {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %s is there: %q, %v", what, filepath.Base(path), got, err)
			}
		} else if string(got) != want[i] {
			t.Errorf("%s: %s holds %q, %v, want %q", what, filepath.Base(path), got, err, want[i])
		}
		if temps := tempsIn(t, filepath.Dir(path)); len(temps) > 0 {
			t.Errorf("%s: left behind: %q", what, temps)
		}
	}
}

func tempsIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".alignpipe-") {
			names = append(names, e.Name())
		}
	}
	return names
}

// toleratedKinds are operations whose failure is made good: an error from them need not fail
// the run, as long as the new files are then in place.
var toleratedKinds = map[string]bool{"remove": true}

func TestEveryOperationFailedOnce(t *testing.T) {
	faults := map[string]error{
		"EIO": syscall.EIO, "ENOSPC": syscall.ENOSPC, "EDQUOT": syscall.EDQUOT,
		"EIO after the fact": faultfs.After(syscall.EIO),
		"short ENOSPC":       faultfs.Short(3, syscall.ENOSPC),
		"short":              faultfs.Short(3, nil),
	}
	for name, fault := range faults {
		for _, old := range [][2]bool{{false, false}, {true, true}, {false, true}, {true, false}} {
			before := [2]string{}
			for i := range old {
				if old[i] {
					before[i] = oldContent
				}
			}
			count := faultfs.New(vfs.OS, nil)
			paths := outputs(t, old)
			must(t, writeTwo(count, paths))
			wantFiles(t, "no fault", paths, [2]string{newContent, newContent})
			for i := range count.Ops() {
				var hit faultfs.Op
				paths := outputs(t, old)
				fsys := faultfs.New(vfs.OS, func(op faultfs.Op) error {
					if op.Index != i {
						return nil
					}
					hit = op
					return fault
				})
				err := writeTwo(fsys, paths)
				what := fmt.Sprintf("%s at %d (%s), old=%v", name, i, hit.Kind, old)
				harmless := toleratedKinds[hit.Kind] || name == "short" && hit.Kind != "write"
				if err == nil && harmless {
					wantFiles(t, what, paths, [2]string{newContent, newContent})
					continue
				}
				if err == nil {
					t.Errorf("%s: no error", what)
				}
				wantFiles(t, what, paths, before)
			}
		}
	}
}

func TestDiskThatStaysBrokenNeverHasHalfAFileUnderItsName(t *testing.T) {
	paths := outputs(t, [2]bool{true, false})
	count := faultfs.New(vfs.OS, nil)
	must(t, writeTwo(count, paths))
	for i := range count.Ops() {
		paths := outputs(t, [2]bool{true, false})
		err := writeTwo(faultfs.New(vfs.OS, faultfs.From(i, syscall.EROFS)), paths)
		got, rerr := os.ReadFile(paths[0])
		if rerr != nil || string(got) != oldContent && string(got) != newContent {
			t.Errorf("from %d: first output holds %q, %v", i, got, rerr)
		}
		got, rerr = os.ReadFile(paths[1])
		if rerr == nil && string(got) != newContent {
			t.Errorf("from %d: second output holds %q", i, got)
		}
		if err == nil && (string(got) != newContent) {
			t.Errorf("from %d: success without output", i)
		}
	}
}

func TestCommitWithoutHardLinksStillReplaces(t *testing.T) {
	for _, errno := range []error{syscall.EPERM, syscall.ENOTSUP, syscall.ENOSYS} {
		paths := outputs(t, [2]bool{true, true})
		fsys := faultfs.New(vfs.OS, func(op faultfs.Op) error {
			if op.Kind == "link" {
				return errno
			}
			return nil
		})
		must(t, writeTwo(fsys, paths))
		wantFiles(t, errno.Error(), paths, [2]string{newContent, newContent})
	}
}

func TestCommitRefuses(t *testing.T) {
	dir := t.TempDir()
	newFile := func() *vfs.Atomic {
		a, err := vfs.CreateAtomic(vfs.OS, filepath.Join(dir, "out"))
		must(t, err)
		return a
	}
	t.Run("an aborted file", func(t *testing.T) {
		a := newFile()
		must(t, a.Abort())
		must(t, a.Abort())
		if err := vfs.Commit(a); err == nil {
			t.Error("committed")
		}
	})
	t.Run("a file twice", func(t *testing.T) {
		a := newFile()
		if err := vfs.Commit(a, a); err == nil {
			t.Error("committed")
		}
	})
	t.Run("a file whose failed write nobody looked at", func(t *testing.T) {
		fsys := faultfs.New(vfs.OS, func(op faultfs.Op) error {
			if op.Kind == "write" {
				return syscall.ENOSPC
			}
			return nil
		})
		a, err := vfs.CreateAtomic(fsys, filepath.Join(dir, "out"))
		must(t, err)
		_, _ = a.Write([]byte("x"))
		if err := vfs.Commit(a); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Commit = %v", err)
		}
	})
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
	must(t, vfs.Commit())
}

func TestAbortAfterCommitKeepsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	a, err := vfs.CreateAtomic(vfs.OS, path)
	must(t, err)
	if a.Path() != path {
		t.Errorf("Path = %q", a.Path())
	}
	must(t, vfs.Commit(a))
	must(t, a.Abort())
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
