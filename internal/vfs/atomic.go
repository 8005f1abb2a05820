package vfs

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"syscall"
)

// Atomic is an output file that has no final name yet. Write and WriteAt go to a temporary
// file beside the target; Commit gives it its name, Abort removes it. Methods may be called
// from several goroutines, Write from one at a time.
type Atomic struct {
	fsys   FS
	file   File
	path   string // as the caller gave it, for messages
	target string // symbolic links followed
	temp   string
	behind behind
	at     int64 // that Write has come to

	mu     sync.Mutex
	err    error // first failed write: what was written is not what was meant
	closed bool
	done   bool // committed, or temp removed
}

var errFinished = errors.New("output is already committed or aborted")

// CreateAtomic starts an output that Commit will bring under path, replacing a regular file
// that is there; through a symbolic link it replaces what the link points to. It fails where
// path is a folder or a stream.
func CreateAtomic(fsys FS, path string) (*Atomic, error) {
	info, err := fsys.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, &fs.PathError{Op: "create", Path: path, Err: syscall.EISDIR}
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("create %s: not a regular file", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("create output: %w", err)
	}
	target, err := fsys.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("create output: %w", err)
	}
	a := &Atomic{fsys: fsys, path: path, target: target}
	dir, base := filepath.Split(target)
	a.temp, err = drawName(dir, tempStem(base), func(name string) (err error) {
		a.file, err = fsys.CreateNew(name, 0o666) // the umask has its say
		if err != nil && !errors.Is(err, fs.ErrExist) {
			_ = fsys.Remove(name) // a call that failed may still have made the file
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create output %s: %w", path, err)
	}
	return a, nil
}

// Path is the final name as CreateAtomic got it.
func (a *Atomic) Path() string { return a.path }

// Write appends to the temporary file.
func (a *Atomic) Write(p []byte) (int, error) {
	n, err := a.file.Write(p)
	a.at += int64(n)
	if err == nil {
		err = a.behind.wrote(a.file, a.at)
	}
	return n, a.note(err)
}

// WriteAt writes at an offset in bytes.
func (a *Atomic) WriteAt(p []byte, off int64) (int, error) {
	n, err := a.file.WriteAt(p, off)
	if err == nil {
		err = a.behind.wrote(a.file, off+int64(n))
	}
	return n, a.note(err)
}

// Fd is the temporary file's descriptor, or NoFd; valid until Commit or Abort.
func (a *Atomic) Fd() uintptr { return a.file.Fd() }

// note keeps the first error of a write, so that Commit refuses even where a caller did not
// look at it.
func (a *Atomic) note(err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("write %s: %w", a.path, err)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil {
		a.err = err
	}
	return err
}

// Abort closes and removes the temporary file; the target stays as it was. After Commit, or a
// second time, it does nothing.
func (a *Atomic) Abort() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done {
		return nil
	}
	if !a.closed {
		a.closed = true
		_ = a.file.Close() // its content is going away
	}
	if err := insist(func() error { return a.fsys.Remove(a.temp) }); err != nil {
		return fmt.Errorf("remove temporary file: %w", err)
	}
	a.finish()
	return nil
}

func (a *Atomic) finish() {
	a.done = true
	ownTemps.Delete(a.temp)
}

// seal makes the content durable and closes the file; it may report what earlier writes hid.
func (a *Atomic) seal() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done || a.closed {
		return fmt.Errorf("commit %s: %w", a.path, errFinished)
	}
	if a.err != nil {
		return a.err
	}
	if err := a.file.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", a.path, err)
	}
	a.closed = true
	if err := a.file.Close(); err != nil {
		return fmt.Errorf("close %s: %w", a.path, err)
	}
	return nil
}

// insist tries a clean-up step twice, for one that failed by chance should not leave litter.
// A name that is not there needs no removing.
func insist(step func() error) error {
	err := step()
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err = step(); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
