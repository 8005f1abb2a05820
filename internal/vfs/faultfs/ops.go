package faultfs

import (
	"io/fs"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

func (f *FS) open(kind, name string, run func() (vfs.File, error)) (vfs.File, error) {
	var inner vfs.File
	err := f.do(kind, name, func() (err error) {
		inner, err = run()
		return err
	})
	if err != nil {
		if inner != nil {
			inner.Close() // opened, but the caller is told it was not
		}
		return nil, err
	}
	return &file{fsys: f, inner: inner}, nil
}

// Open is vfs.FS.Open, kind "open".
func (f *FS) Open(name string) (vfs.File, error) {
	return f.open("open", name, func() (vfs.File, error) { return f.inner.Open(name) })
}

// CreateNew is vfs.FS.CreateNew, kind "create".
func (f *FS) CreateNew(name string, perm fs.FileMode) (vfs.File, error) {
	return f.open("create", name, func() (vfs.File, error) { return f.inner.CreateNew(name, perm) })
}

// OpenStream is vfs.FS.OpenStream, kind "openstream".
func (f *FS) OpenStream(name string) (vfs.File, error) {
	return f.open("openstream", name, func() (vfs.File, error) { return f.inner.OpenStream(name) })
}

// Mkdir is vfs.FS.Mkdir, kind "mkdir".
func (f *FS) Mkdir(name string, perm fs.FileMode) error {
	return f.do("mkdir", name, func() error { return f.inner.Mkdir(name, perm) })
}

// Rename is vfs.FS.Rename, kind "rename".
func (f *FS) Rename(old, new string) error {
	return f.do("rename", old, func() error { return f.inner.Rename(old, new) })
}

// Link is vfs.FS.Link, kind "link".
func (f *FS) Link(old, new string) error {
	return f.do("link", old, func() error { return f.inner.Link(old, new) })
}

// Remove is vfs.FS.Remove, kind "remove".
func (f *FS) Remove(name string) error {
	return f.do("remove", name, func() error { return f.inner.Remove(name) })
}

// RemoveAll is vfs.FS.RemoveAll, kind "removeall".
func (f *FS) RemoveAll(name string) error {
	return f.do("removeall", name, func() error { return f.inner.RemoveAll(name) })
}

// ReadDir is vfs.FS.ReadDir, kind "readdir".
func (f *FS) ReadDir(name string) (entries []fs.DirEntry, err error) {
	err = f.do("readdir", name, func() (err error) {
		entries, err = f.inner.ReadDir(name)
		return err
	})
	return entries, err
}

// Stat is vfs.FS.Stat, kind "stat".
func (f *FS) Stat(name string) (info fs.FileInfo, err error) {
	err = f.do("stat", name, func() (err error) {
		info, err = f.inner.Stat(name)
		return err
	})
	return info, err
}

// SyncDir is vfs.FS.SyncDir, kind "syncdir".
func (f *FS) SyncDir(name string) error {
	return f.do("syncdir", name, func() error { return f.inner.SyncDir(name) })
}

// EvalSymlinks is vfs.FS.EvalSymlinks, kind "evalsymlinks".
func (f *FS) EvalSymlinks(name string) (path string, err error) {
	err = f.do("evalsymlinks", name, func() (err error) {
		path, err = f.inner.EvalSymlinks(name)
		return err
	})
	return path, err
}

// file passes on what the plan lets pass. It has no descriptor, so that no byte moves around
// the plan.
type file struct {
	fsys  *FS
	inner vfs.File
}

func (f *file) Name() string { return f.inner.Name() }
func (f *file) Fd() uintptr  { return vfs.NoFd }

func (f *file) Read(p []byte) (int, error) {
	return f.fsys.transfer("read", f.Name(), p, f.inner.Read)
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	return f.fsys.transfer("read", f.Name(), p, func(p []byte) (int, error) { return f.inner.ReadAt(p, off) })
}

func (f *file) Write(p []byte) (int, error) {
	return f.fsys.transfer("write", f.Name(), p, f.inner.Write)
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	return f.fsys.transfer("write", f.Name(), p, func(p []byte) (int, error) { return f.inner.WriteAt(p, off) })
}

func (f *file) Sync() error { return f.fsys.do("sync", f.Name(), f.inner.Sync) }

func (f *file) Stat() (info fs.FileInfo, err error) {
	err = f.fsys.do("fstat", f.Name(), func() (err error) {
		info, err = f.inner.Stat()
		return err
	})
	return info, err
}

// Close closes the real file also when it reports a fault: after a failed close(2) the
// descriptor is gone.
func (f *file) Close() error {
	closed := false
	err := f.fsys.do("close", f.Name(), func() error {
		closed = true
		return f.inner.Close()
	})
	if !closed {
		f.inner.Close()
	}
	return err
}
