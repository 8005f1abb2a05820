package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// checkFolder refuses a folder that is none, or where no file can be made.
func checkFolder(fsys vfs.FS, flag, dir string) error {
	info, err := fsys.Stat(dir)
	if err != nil {
		return pipeline.Misuse("choose another folder with "+flag, "%s: %w", flag, err)
	}
	if !info.IsDir() {
		return pipeline.Misuse("choose a folder with "+flag, "%s: %s is no folder", flag, dir)
	}
	private, err := vfs.TempDir(fsys, dir)
	if err != nil {
		return pipeline.Misuse("choose another folder with "+flag, "%s: folder %s is not writable: %w", flag, dir, err)
	}
	return fsys.RemoveAll(private)
}

// namelessFile makes a file in dir that has no name any more: whatever ends the program ends
// the file.
func namelessFile(fsys vfs.FS, dir string) (f vfs.File, err error) {
	private, err := vfs.TempDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	f, err = fsys.CreateNew(filepath.Join(private, "bench"), 0o600)
	if err := errors.Join(err, fsys.RemoveAll(private)); err != nil {
		if f != nil {
			f.Close()
		}
		return nil, err
	}
	return f, nil
}

// diskError marks a failure of reading or writing a disk for the exit code.
type diskError struct{ err error }

func (e diskError) Error() string   { return e.err.Error() }
func (e diskError) Unwrap() []error { return []error{e.err, pipeline.ErrOutput} }

// diskFailed leaves the end of a context as it is.
func diskFailed(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return diskError{err}
}

// folders are the private folders of a benchmark.
type folders struct {
	fsys vfs.FS
	mu   sync.Mutex
	made []string
	done bool
}

// make returns a new private folder under parent.
func (f *folders) make(parent string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done {
		return "", context.Canceled
	}
	dir, err := vfs.TempDir(f.fsys, parent)
	if err == nil {
		f.made = append(f.made, dir)
	}
	return dir, err
}

// removeAll removes what was made, also while somebody still writes there: twice, for a file
// may come in between.
func (f *folders) removeAll() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done = true
	var errs []error
	for _, dir := range f.made {
		if f.fsys.RemoveAll(dir) != nil {
			if err := f.fsys.RemoveAll(dir); err != nil {
				errs = append(errs, fmt.Errorf("clean up: %w", err))
			}
		}
	}
	f.made = nil
	return errors.Join(errs...)
}
