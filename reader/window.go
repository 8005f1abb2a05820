package reader

import (
	"context"
	"errors"
	"io"

	"github.com/alignpipe/alignpipe/internal/inflate"
	"github.com/alignpipe/alignpipe/internal/meter"
)

// window is the part of a stream from the start of the current record to as far as was read.
type window struct {
	src   *inflate.Stream
	stage *meter.Stage
	buf   []byte
	start int   // of the current record in buf
	off   int64 // of buf[0] in the plain stream
	end   error // io.EOF, or what else ended the stream; nil while there may be more
}

// rest is the current record and what is there of those after it.
func (w *window) rest() []byte { return w.buf[w.start:] }

// at is the place in the plain stream, from 0, of byte i of rest.
func (w *window) at(i int) int64 { return w.off + int64(w.start+i) }

// more reads on, at least doubling rest so that looking at it anew each time stays linear. It
// reports false when nothing came. Slices of rest die; indexes into it stay.
func (w *window) more(ctx context.Context) bool {
	n := copy(w.buf, w.buf[w.start:])
	w.off += int64(w.start)
	w.buf, w.start = w.buf[:n], 0
	for w.end == nil && len(w.buf) <= 2*n {
		c, err := w.src.Next(ctx)
		if err != nil {
			w.end = asInput(err)
			break
		}
		w.buf = append(w.buf, c.Data...)
		w.stage.AddBytesIn(int64(len(c.Data)))
		c.Release()
	}
	return len(w.buf) > n
}

// asInput marks damaged data as ErrInput.
func asInput(err error) error {
	var data *inflate.DataError
	if errors.As(err, &data) {
		return dataError{err}
	}
	return err
}

// broken is why the stream ended, unless it ended well or has not ended.
func (w *window) broken() error {
	if w.end == io.EOF {
		return nil
	}
	return w.end
}
