package bench

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/inflate"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// The containers of reads.
const (
	containerPlain = "plain"
	containerGzip  = "gzip"
	containerBGZF  = "bgzf"
)

// usualLevel is that of gzip and bgzip when they are not told otherwise.
const usualLevel = 6

// containerOf looks at the first bytes of a file.
func containerOf(fsys vfs.FS, path string) (kind string, err error) {
	f, err := fsys.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var head [inflate.BlockHeaderBytes]byte
	n, err := io.ReadFull(f, head[:])
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", err
	}
	switch size, _ := inflate.BlockSize(head[:n]); {
	case size > 0:
		return containerBGZF, nil
	case bytes.HasPrefix(head[:n], []byte{0x1f, 0x8b}):
		return containerGzip, nil
	}
	return containerPlain, nil
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// pack wraps w in a container. Close ends the container, not w.
func pack(w io.Writer, container string) (io.WriteCloser, error) {
	switch container {
	case containerGzip:
		return gzip.NewWriterLevel(w, usualLevel)
	case containerBGZF:
		return blocks{bgzfout.NewWriter(w, bgzfout.Config{Level: usualLevel, Workers: 1})}, nil
	}
	return nopCloser{w}, nil
}

// blocks writes BGZF.
type blocks struct{ w *bgzfout.Writer }

func (b blocks) Write(p []byte) (int, error) { return len(p), b.w.WriteRecord(p) }
func (b blocks) Close() error                { return b.w.Close() }

// packed is a text in a container.
func packed(text []byte, container string) ([]byte, error) {
	var out bytes.Buffer
	w, err := pack(&out, container)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(text)
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}
