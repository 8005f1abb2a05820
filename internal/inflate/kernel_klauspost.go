//go:build klauspost_inflate || !(amd64 || arm64)

package inflate

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/flate"
)

const (
	kernel    = "klauspost"
	roomBytes = 1
)

// memberReader is kernel_own.go's, by another library's decoder, which keeps its own window.
type memberReader struct {
	br *bufio.Reader
	z  io.ReadCloser
}

func newMemberReader(br *bufio.Reader) *memberReader {
	return &memberReader{br: br, z: flate.NewReader(br)}
}

func (r *memberReader) reset() { r.z.(flate.Resetter).Reset(r.br, nil) }

func (r *memberReader) read(out []byte, at int) (int, error) {
	n, err := r.z.Read(out[at:])
	return n, kernelError(err)
}

func kernelError(err error) error {
	var corrupt flate.CorruptInputError
	var internal flate.InternalError
	if errors.As(err, &corrupt) || errors.As(err, &internal) {
		return ErrCorrupt
	}
	return err
}

type blockReader struct {
	in bytes.Reader
	z  io.ReadCloser
}

func newBlockReader() *blockReader {
	r := new(blockReader)
	r.z = flate.NewReader(&r.in)
	return r
}

func (r *blockReader) inflate(out []byte, at int, src []byte) (taken, put int, err error) {
	r.in.Reset(src)
	if err := r.z.(flate.Resetter).Reset(&r.in, nil); err != nil {
		return 0, 0, err
	}
	for at+put < len(out) {
		n, err := r.z.Read(out[at+put:])
		put += n
		if err == io.EOF {
			return len(src) - r.in.Len(), put, nil
		}
		if err != nil {
			return 0, put, kernelError(err)
		}
	}
	var one [1]byte
	if n, err := r.z.Read(one[:]); n != 0 || err != io.EOF {
		return 0, put, ErrCorrupt
	}
	return len(src) - r.in.Len(), put, nil
}
