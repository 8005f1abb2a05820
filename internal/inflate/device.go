package inflate

import (
	"context"
	"io"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// rawBuf is one read from the device.
type rawBuf struct {
	mem  []byte
	data []byte
	err  error // what the device said after data, io.EOF included
}

// readDevice reads r ahead of the decoder. It owns nothing but its buffers, so that it may be
// left behind when the device never answers.
func (s *Stream) readDevice(ctx context.Context, r io.Reader) {
	defer close(s.deviceDone)
	defer s.raw.Close()
	defer s.cfg.ReadStage.Enter().Exit()
	for {
		var b *rawBuf
		select {
		case b = <-s.rawFree:
		default:
			if b = s.awaitRaw(ctx); b == nil {
				return
			}
		}
		b.fill(r)
		last := b.err != nil
		if s.raw.Send(ctx, b) != nil || last {
			return
		}
	}
}

// awaitRaw waits for a buffer that the decoder is done with; nil when the context ends first.
func (s *Stream) awaitRaw(ctx context.Context) *rawBuf {
	start := time.Now()
	defer func() { s.cfg.ReadStage.AddWait(meter.WaitOut, time.Since(start)) }()
	select {
	case b := <-s.rawFree:
		return b
	case <-ctx.Done():
		return nil
	}
}

// fill reads once, and again while the device gives nothing and no reason.
func (b *rawBuf) fill(r io.Reader) {
	if b.mem == nil {
		b.mem = make([]byte, rawBytes)
	}
	for range 100 {
		n, err := r.Read(b.mem)
		b.data, b.err = b.mem[:n], err
		if n > 0 || err != nil {
			return
		}
	}
	b.err = io.ErrNoProgress
}

// source is the device's stream as the decoder reads it: from the device's reads, or from the
// pieces that these are cut into when a stream is decoded ahead.
type source struct {
	ctx   context.Context
	raw   rawReader
	ahead *ahead // or nil
	got   int64  // bytes handed out
	err   error  // sticky; io.EOF when the device ended
}

// Read hands out what the device has read, waiting for it when there is none.
func (r *source) Read(p []byte) (n int, err error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.ahead != nil {
		n, err = r.ahead.read(p)
	} else {
		n, err = r.raw.Read(p)
	}
	r.got += int64(n)
	r.err = err
	return n, err
}

// rawReader reads what the device has read.
type rawReader struct {
	ctx  context.Context
	s    *Stream
	cur  *rawBuf
	rest []byte
	err  error // sticky; io.EOF when the device ended
}

// Read waits for the device when there is nothing.
func (r *rawReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.next()
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// next takes the device's next read and gives the last buffer back.
func (r *rawReader) next() {
	if r.cur != nil {
		r.err = r.cur.err
		r.s.rawFree <- r.cur // cap(rawFree) is the number of buffers that exist
		r.cur = nil
		if r.err != nil {
			return
		}
	}
	b, ok, err := r.s.raw.Recv(r.ctx)
	switch {
	case err != nil:
		r.err = err
	case !ok:
		r.err = unexpected(r.ctx)
	default:
		r.cur, r.rest = b, b.data
	}
}

// unexpected is why a queue was closed before an error went through it.
func unexpected(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return io.ErrUnexpectedEOF // cannot be: who fills it closes after an error only
}

// deviceErr is the device's own error, nil when it ended well or has not ended.
func (r *source) deviceErr() error {
	if r.err == io.EOF {
		return nil
	}
	return r.err
}
