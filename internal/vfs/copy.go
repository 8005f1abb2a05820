package vfs

import (
	"fmt"
	"io"
	"os"
)

// copyBytes is the buffer of a copy that goes through this program. A larger one falls out of the
// second-level cache and gains nothing.
const copyBytes = 256 << 10

// rangeTaker is an output that may know a shorter way for the bytes of another file than through
// this program's memory.
type rangeTaker interface {
	// TakeRange appends n bytes of src, from off on.
	TakeRange(src File, off, n int64) error
}

// CopyRange appends n bytes of src, from the offset off on, to dst. Between two files of this
// machine the kernel does it (copy_file_range), where it can; the bytes that dst gets are the
// same either way. The file offset of src is anywhere afterwards. A src that ends too early is
// io.ErrUnexpectedEOF.
func CopyRange(dst io.Writer, src File, off, n int64) error {
	if t, ok := dst.(rangeTaker); ok {
		return t.TakeRange(src, off, n)
	}
	return copyThrough(dst, src, off, n)
}

// copyThrough is a copy with a buffer of this program.
func copyThrough(dst io.Writer, src File, off, n int64) error {
	from := struct{ io.Reader }{io.NewSectionReader(src, off, n)} // no WriteTo, which has a small buffer
	to := struct{ io.Writer }{dst}                                // no ReadFrom
	done, err := io.CopyBuffer(to, from, make([]byte, min(n, copyBytes)+1))
	return wholeCopy(src, done, n, err)
}

func wholeCopy(src File, done, n int64, err error) error {
	if err == nil && done < n {
		err = fmt.Errorf("read %s: %w", src.Name(), io.ErrUnexpectedEOF)
	}
	return err
}

// TakeRange leaves the choice of the way to package os, which knows where copy_file_range does
// not work and goes on by reading and writing there.
func (f osFile) TakeRange(src File, off, n int64) error {
	from, ok := src.(osFile)
	if !ok {
		return copyThrough(f.File, src, off, n)
	}
	if _, err := from.Seek(off, io.SeekStart); err != nil {
		return err
	}
	done, err := f.ReadFrom(&io.LimitedReader{R: from.File, N: n})
	return wholeCopy(src, done, n, err)
}

// TakeRange appends n bytes of src, from off on; see [CopyRange].
func (a *Atomic) TakeRange(src File, off, n int64) error {
	return a.note(CopyRange(a.file, src, off, n))
}

var _, _ rangeTaker = osFile{(*os.File)(nil)}, (*Atomic)(nil)
