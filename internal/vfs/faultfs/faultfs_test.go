package faultfs

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// everyKind calls each operation once and returns the first error.
func everyKind(fsys vfs.FS, dir string) error {
	path := func(name string) string { return filepath.Join(dir, name) }
	var errs []error
	try := func(err error) { errs = append(errs, err) }
	f, err := fsys.CreateNew(path("f"), 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte("12345678"))
	try(err)
	_, err = f.ReadAt(make([]byte, 8), 0)
	try(err)
	_, err = f.Stat()
	try(err)
	try(f.Sync())
	try(f.Close())
	if f, err = fsys.Open(path("f")); err != nil {
		return err
	}
	_, err = f.Read(make([]byte, 8))
	try(err)
	try(f.Close())
	if f, err = fsys.OpenStream("/dev/null"); err != nil {
		return err
	}
	try(f.Close())
	try(fsys.Mkdir(path("d"), 0o700))
	try(fsys.Link(path("f"), path("g")))
	try(fsys.Rename(path("g"), path("h")))
	_, err = fsys.ReadDir(dir)
	try(err)
	_, err = fsys.Stat(dir)
	try(err)
	_, err = fsys.EvalSymlinks(dir)
	try(err)
	try(fsys.SyncDir(dir))
	try(fsys.Remove(path("f")))
	try(fsys.RemoveAll(path("d")))
	return errors.Join(errs...)
}

func TestEachIndexFailsItsOwnOperation(t *testing.T) {
	var kinds []string
	all := New(vfs.OS, func(op Op) error {
		if op.Index != len(kinds) {
			t.Errorf("index %d, want %d", op.Index, len(kinds))
		}
		kinds = append(kinds, op.Kind)
		return nil
	})
	if err := everyKind(all, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	want := []string{"create", "write", "read", "fstat", "sync", "close", "open", "read", "close", "openstream",
		"close", "mkdir", "link", "rename", "readdir", "stat", "evalsymlinks", "syncdir", "remove", "removeall"}
	if !slices.Equal(kinds, want) || all.Ops() != len(want) {
		t.Errorf("%d operations: %q", all.Ops(), kinds)
	}
	for i, kind := range want {
		for _, fault := range []error{syscall.EIO, After(syscall.EIO), Short(2, syscall.EIO)} {
			if err := everyKind(New(vfs.OS, Once(i, fault)), t.TempDir()); !errors.Is(err, syscall.EIO) {
				t.Errorf("%s: %v", kind, err)
			}
		}
	}
	if err := everyKind(New(vfs.OS, From(1, syscall.EIO)), t.TempDir()); !errors.Is(err, syscall.EIO) {
		t.Errorf("From: %v", err)
	}
}

func TestShortTransfersMoveThatMuch(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault error
		n     int
		err   error
	}{
		{"short with an error", Short(3, syscall.ENOSPC), 3, syscall.ENOSPC},
		{"short without one", Short(3, nil), 3, io.ErrShortWrite},
		{"as long as the write", Short(99, nil), 8, nil},
		{"error after the fact", After(syscall.EIO), 8, syscall.EIO},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			fsys := New(vfs.OS, func(op Op) error {
				if op.Kind == "write" {
					return c.fault
				}
				return nil
			})
			f, err := fsys.CreateNew(path, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			n, err := f.WriteAt([]byte("12345678"), 0)
			if n != c.n || !errors.Is(err, c.err) {
				t.Errorf("WriteAt = %d, %v", n, err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if got, _ := os.ReadFile(path); string(got) != "12345678"[:c.n] {
				t.Errorf("file holds %q", got)
			}
		})
	}
}

func TestShortReadIsNoError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("12345678"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := New(vfs.OS, Once(1, Short(3, nil))).Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Fd() != vfs.NoFd || f.Name() != path {
		t.Errorf("Fd %d, Name %q", f.Fd(), f.Name())
	}
	got := make([]byte, 8)
	if n, err := f.Read(got); n != 3 || err != nil {
		t.Errorf("Read = %d, %v", n, err)
	}
	if n, err := io.ReadFull(f, got[3:]); n != 5 || err != nil || string(got) != "12345678" {
		t.Errorf("rest = %d, %v, %q", n, err, got)
	}
}
