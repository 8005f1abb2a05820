package slowfs

import (
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// Role puts the files under a path on a disk.
type Role struct {
	Prefix string // a folder, or a file
	Disk   *Disk
	Cached bool // reads cost nothing: what is read is in the page cache
}

// FS is a file system with slow disks. Only reading, writing and syncing files takes longer; names do not.
type FS struct {
	vfs.FS
	roles []Role
}

// New wraps inner.
func New(inner vfs.FS, roles ...Role) *FS {
	f := &FS{FS: inner}
	for _, r := range roles {
		r.Prefix = absolute(r.Prefix)
		f.roles = append(f.roles, r)
	}
	return f
}

// absolute is a name without links of its own, so that prefixes can be compared. A name that cannot be made so stays.
func absolute(name string) string {
	if abs, err := filepath.Abs(name); err == nil {
		return abs
	}
	return name
}

// role is that of the longest prefix, or nil.
func (f *FS) role(name string) *Role {
	name = absolute(name)
	var best *Role
	for i := range f.roles {
		r := &f.roles[i]
		if under(name, r.Prefix) && (best == nil || len(r.Prefix) > len(best.Prefix)) {
			best = r
		}
	}
	return best
}

// Device names the disk of a file by the first path that was put on it; "" for a file on none.
func (f *FS) Device(name string) string {
	r := f.role(name)
	if r == nil {
		return ""
	}
	for i := range f.roles {
		if f.roles[i].Disk == r.Disk {
			return "slow " + f.roles[i].Prefix
		}
	}
	return ""
}

func under(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	return ok && (rest == "" || strings.HasSuffix(prefix, "/") || rest[0] == '/')
}

// wrap makes a file slow if its role says so.
func (f *FS) wrap(name string, inner vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	r := f.role(name)
	if r == nil {
		return inner, nil
	}
	return &file{File: inner, disk: r.Disk, cached: r.Cached}, nil
}

// Open opens for reading.
func (f *FS) Open(name string) (vfs.File, error) {
	inner, err := f.FS.Open(name)
	return f.wrap(name, inner, err)
}

// CreateNew makes a file for reading and writing.
func (f *FS) CreateNew(name string, perm fs.FileMode) (vfs.File, error) {
	inner, err := f.FS.CreateNew(name, perm)
	return f.wrap(name, inner, err)
}

// OpenStream opens an output that is no regular file.
func (f *FS) OpenStream(name string) (vfs.File, error) {
	inner, err := f.FS.OpenStream(name)
	return f.wrap(name, inner, err)
}

// file pays after each call for the bytes it has moved: before it, their number is not known.
type file struct {
	vfs.File
	disk    *Disk
	cached  bool
	account account
}

// Fd says that there is no descriptor.
func (f *file) Fd() uintptr { return vfs.NoFd }

func (f *file) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	f.paid(n)
	return n, err
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.File.ReadAt(p, off)
	f.paid(n)
	return n, err
}

func (f *file) paid(n int) {
	if n > 0 && !f.cached {
		f.disk.takeIn(&f.account, n)
	}
}

func (f *file) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.disk.takeOut(&f.account, n)
	return n, err
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.File.WriteAt(p, off)
	f.disk.takeOut(&f.account, n)
	return n, err
}

// Sync waits for the slow disk, and makes the bytes durable on the real one.
func (f *file) Sync() error {
	f.disk.sync(&f.account)
	return f.File.Sync()
}
