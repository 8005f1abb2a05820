package vfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// OS is the file system of this machine. Package os retries calls that a signal interrupted
// and completes short writes, so neither reaches the caller.
var OS FS = osFS{}

type osFS struct{}

type osFile struct{ *os.File }

// Fd reads the descriptor without putting it in blocking mode, as os.File.Fd may.
func (f osFile) Fd() uintptr {
	fd := NoFd
	conn, err := f.SyscallConn()
	if err != nil {
		return NoFd
	}
	if conn.Control(func(d uintptr) { fd = d }) != nil {
		return NoFd
	}
	return fd
}

func openFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osFS) Open(name string) (File, error) { return openFile(name, os.O_RDONLY, 0) }

func (osFS) CreateNew(name string, perm fs.FileMode) (File, error) {
	return openFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, perm)
}

func (osFS) OpenStream(name string) (File, error) { return openFile(name, os.O_WRONLY, 0) }

func (osFS) Mkdir(name string, perm fs.FileMode) error  { return os.Mkdir(name, perm) }
func (osFS) Rename(old, new string) error               { return os.Rename(old, new) }
func (osFS) Link(old, new string) error                 { return os.Link(old, new) }
func (osFS) Remove(name string) error                   { return os.Remove(name) }
func (osFS) RemoveAll(name string) error                { return os.RemoveAll(name) }
func (osFS) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }
func (osFS) Stat(name string) (fs.FileInfo, error)      { return os.Stat(name) }

// SyncDir passes over EINVAL and ENOTSUP: file systems that answer so, some network and FUSE
// ones, have no fsync for folders, and nothing more can be done there.
func (osFS) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// maxLinks is how many dangling links in a row are followed, the kernel's own limit.
const maxLinks = 40

func (osFS) EvalSymlinks(name string) (string, error) {
	for range maxLinks {
		path, err := filepath.EvalSymlinks(name)
		if !errors.Is(err, fs.ErrNotExist) {
			return path, err
		}
		target, err := os.Readlink(name)
		if err != nil { // nothing by that name: only its folder can have links
			dir, err := filepath.EvalSymlinks(filepath.Dir(name))
			if err != nil {
				return "", err
			}
			return filepath.Join(dir, filepath.Base(name)), nil
		}
		if !filepath.IsAbs(target) {
			// The kernel reads a link in the folder where it really is.
			dir, err := filepath.EvalSymlinks(filepath.Dir(name))
			if err != nil {
				return "", err
			}
			target = filepath.Join(dir, target)
		}
		name = target
	}
	return "", fmt.Errorf("%s: %w", name, syscall.ELOOP)
}
