package inflate

import (
	"errors"
	"fmt"
	"io"
)

// DataError says that compressed input is damaged, cut short, or followed by something else.
type DataError struct {
	File   string // as given to Open
	Offset int64  // byte of the compressed file, from 0, where the damaged member starts or reading stopped
	Err    error
}

// Error gives the file, the cause and the compressed byte.
func (e *DataError) Error() string {
	return fmt.Sprintf("%s: %v (compressed byte %d)", e.File, e.Err, e.Offset)
}

// Unwrap returns the cause.
func (e *DataError) Unwrap() error { return e.Err }

// Causes of a DataError, for callers that decide by them.
var (
	ErrTruncated = errors.New("truncated gzip data")
	ErrNoEOF     = errors.New("truncated BGZF: the end-of-file block is missing")
	ErrTrailing  = errors.New("garbage after the last gzip member")
	ErrChecksum  = errors.New("gzip checksum or length does not match")
	ErrCorrupt   = errors.New("corrupt gzip data")
	ErrFormat    = errors.New("compression is not supported (plain, gzip and BGZF are)")
)

// cause says in this package's terms what a decoder's error means.
func cause(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return err
}
