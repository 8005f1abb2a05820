package vfs

import (
	"io"
	"io/fs"
)

// NoFd is what File.Fd returns where there is no descriptor.
const NoFd = ^uintptr(0)

// File is an open file. Its errors name the file. Write is complete or returns an error.
type File interface {
	io.Reader
	io.Writer
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Name is the name the file was opened by.
	Name() string
	// Sync returns when the content is durable.
	Sync() error
	Stat() (fs.FileInfo, error)
	// Fd is the descriptor, valid until Close, or NoFd.
	Fd() uintptr
}

// FS is a file system. Errors are *fs.PathError or *os.LinkError, or wrap one.
type FS interface {
	// Open opens for reading.
	Open(name string) (File, error)
	// CreateNew makes a file for reading and writing; it fails where the name exists, be it
	// as a dangling symbolic link.
	CreateNew(name string, perm fs.FileMode) (File, error)
	// OpenStream opens an existing output that is no regular file (device, fifo) for writing.
	OpenStream(name string) (File, error)
	Mkdir(name string, perm fs.FileMode) error
	// Rename replaces new atomically.
	Rename(old, new string) error
	// Link makes a hard link; it fails where new exists.
	Link(old, new string) error
	Remove(name string) error
	RemoveAll(name string) error
	ReadDir(name string) ([]fs.DirEntry, error)
	// Stat follows symbolic links.
	Stat(name string) (fs.FileInfo, error)
	// SyncDir makes the names in a folder durable.
	SyncDir(name string) error
	// EvalSymlinks returns the name without symbolic links. The last element need not exist,
	// also behind a dangling link: the result is where a new file would be made.
	EvalSymlinks(name string) (string, error)
}

// IsStream reports whether path exists and is not a regular file, symbolic links followed:
// such an output is opened in place by OpenStream, never replaced.
func IsStream(fsys FS, path string) bool {
	info, err := fsys.Stat(path)
	return err == nil && !info.Mode().IsRegular()
}
