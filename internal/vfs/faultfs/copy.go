package faultfs

import (
	"errors"
	"io"
	"io/fs"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// TakeRange is what vfs.CopyRange asks for, kind "copy", with the path that is written to. Short
// lets a part of the range be copied first.
func (f *file) TakeRange(src vfs.File, off, n int64) error {
	inner := src
	if wrapped, ok := src.(*file); ok {
		inner = wrapped.inner
	}
	fault := f.fsys.ask("copy", f.Name())
	var after afterError
	var short shortError
	switch {
	case fault == nil:
		return vfs.CopyRange(f.inner, inner, off, n)
	case errors.As(fault, &after):
		_ = vfs.CopyRange(f.inner, inner, off, n) // whatever came of it, the answer is lost
		fault = after.err
	case errors.As(fault, &short):
		if err := vfs.CopyRange(f.inner, inner, off, min(n, int64(short.n))); err != nil {
			return err
		}
		if fault = short.err; fault == nil {
			fault = io.ErrShortWrite
		}
	}
	return &fs.PathError{Op: "copy", Path: f.Name(), Err: fault}
}
