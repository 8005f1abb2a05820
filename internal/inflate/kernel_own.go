//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import (
	"bufio"
	"errors"
	"io"
)

const (
	// kernel names what decodes, for benchmarks.
	kernel = "own"
	// roomBytes is the least room that memberReader.read makes use of.
	roomBytes = fastOut
)

// memberReader decodes the DEFLATE data of a gzip member.
type memberReader struct {
	br *bufio.Reader
	z  inflater
	n  int // bytes decoded so far, until they fill a window

	stops bool // read ends with errBoundary in front of each block's header
}

func newMemberReader(br *bufio.Reader) *memberReader { return &memberReader{br: br} }

// reset begins with the data of another member.
func (r *memberReader) reset() {
	r.z.reset()
	r.n = 0
}

// resume goes on in front of a block's header. The bits of a byte begun are hold; a match may
// reach history bytes back.
func (r *memberReader) resume(hold uint64, held uint, history int) {
	r.z.reset()
	r.z.hold, r.z.held = hold, held
	r.n = history
}

// read decodes to out[at:] and returns how many bytes it put there: some, and more the next
// time while at least roomBytes are free, until the error is io.EOF. The windowBytes in front of
// out[at] must be what came before. What is behind the data may be overwritten.
func (r *memberReader) read(out []byte, at int) (int, error) {
	for put := 0; ; {
		_, end := r.br.Peek(runIn)
		in, _ := r.br.Peek(r.br.Buffered())
		taken, n, err := r.z.run(out, at+put, at-r.n, in, edges{lastIn: end != nil, block: r.stops})
		r.br.Discard(taken)
		put += n
		switch {
		case err == nil:
			err = io.EOF
		case errors.Is(err, errFull):
			err = nil
		case errors.Is(err, errShort) && end == nil:
			continue
		case errors.Is(err, errShort):
			err = end
			if end == io.EOF {
				err = io.ErrUnexpectedEOF
			}
		}
		r.n = min(r.n+put, windowBytes)
		return put, err
	}
}

// blockReader decodes the data of BGZF blocks; one per goroutine.
type blockReader struct{ z inflater }

func newBlockReader() *blockReader { return new(blockReader) }

// inflate decodes src to out[at:] and returns the bytes taken from the one and put into the
// other. src may go on behind the data.
func (r *blockReader) inflate(out []byte, at int, src []byte) (taken, put int, err error) {
	r.z.reset()
	taken, put, err = r.z.run(out, at, at, src, edges{lastIn: true, lastOut: true})
	if errors.Is(err, errShort) || errors.Is(err, errFull) {
		err = ErrCorrupt // a block is not longer than it says, on either side
	}
	return taken, put, err
}
