package inflate

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// closeGrace is how long Close waits for a device that does not answer. A file that was closed
// before answers at once; only a terminal or an inherited pipe can take longer.
const closeGrace = 100 * time.Millisecond

// Stream is one input being read and inflated in the background.
type Stream struct {
	name   string
	cfg    Config
	cancel context.CancelFunc

	raw        *meter.Queue[*rawBuf]
	rawFree    chan *rawBuf
	deviceDone chan struct{}

	work *meter.Queue[*Chunk] // BGZF: chunks whose blocks wait for a worker
	out  *meter.Queue[*Chunk] // in order; a BGZF chunk may still be worked on
	free chan *Chunk
	wg   sync.WaitGroup // the decoder and its workers

	workers sync.Once // started at the first BGZF block
	format  atomic.Uint32

	// Of the decoder goroutine until out is closed, then of the consumer.
	src *source
	br  *bufio.Reader
	cur *Chunk // being filled
	off int64  // plain bytes put into chunks so far, cur's included
	err error  // why it ended; nil for a whole input

	// Of the consumer.
	end error    // sticky answer of Next
	sum checksum // of the member that c.sums have come to
}

// Open starts to read and inflate r, and returns at once: it does not wait for the first byte,
// so that a fifo without a writer does not block. The name is used in errors only. r must stay
// open until Close; it is not closed here.
func Open(ctx context.Context, r io.Reader, name string, cfg Config) (*Stream, error) {
	if r == nil {
		return nil, fmt.Errorf("%s: nothing to read from", name)
	}
	cfg = cfg.WithDefaults()
	ctx, cancel := context.WithCancel(ctx)
	n := cfg.chunks()
	s := &Stream{
		name: name, cfg: cfg, cancel: cancel,
		raw:        meter.NewQueue[*rawBuf](rawDepth, cfg.ReadStage, cfg.InflateStage),
		rawFree:    make(chan *rawBuf, rawDepth+2),
		deviceDone: make(chan struct{}),
		work:       meter.NewQueue[*Chunk](n, nil, cfg.InflateStage),
		out:        meter.NewQueue[*Chunk](cfg.Depth, cfg.InflateStage, cfg.OutStage),
		free:       newPool(n),
	}
	for range cap(s.rawFree) {
		s.rawFree <- new(rawBuf)
	}
	s.src = &source{ctx: ctx, raw: rawReader{ctx: ctx, s: s}}
	s.br = bufio.NewReaderSize(s.src, peekBytes)
	s.wg.Add(1)
	go s.readDevice(ctx, meter.NewReader(r, cfg.ReadStage))
	go s.decode(ctx)
	return s, nil
}

// Format is how an input is compressed.
type Format uint32

// The formats. Ahead is gzip that several goroutines decode.
const (
	Unknown Format = iota // nothing was decoded yet
	Plain
	Gzip
	Ahead
	BGZF
)

var formatNames = [...]string{"unknown", "plain", "gzip", "gzip in pieces", "bgzf"}

// String returns the format as reports spell it.
func (f Format) String() string { return formatNames[f] }

// Format is that of the part that was decoded last. It may be asked at any time.
func (s *Stream) Format() Format { return Format(s.format.Load()) }

// Next returns the next piece of the plain stream, in order. io.EOF means that the input was
// whole. Every error is final: it is returned again by later calls.
func (s *Stream) Next(ctx context.Context) (*Chunk, error) {
	for s.end == nil {
		c, ok, err := s.out.Recv(ctx)
		if err != nil {
			return nil, err
		}
		if !ok {
			s.end = s.err
			if s.end == nil {
				s.end = io.EOF
			}
			break
		}
		s.await(c)
		s.verify(c)
		s.end = c.err
		if len(c.Data) > 0 {
			return c, nil
		}
		c.Release()
	}
	return nil, s.end
}

// await waits for the worker that fills c. Workers always finish what they were given.
func (s *Stream) await(c *Chunk) {
	if !c.async {
		return
	}
	select {
	case <-c.ready:
		return
	default:
	}
	start := time.Now()
	<-c.ready
	s.cfg.OutStage.AddWait(meter.WaitIn, time.Since(start))
}

// Close stops the stream and joins its goroutines. The caller closes the file below first, which
// ends a read that is under way; a device that even then does not return is left to itself
// after a short grace, and touches nothing of the caller's when it does return.
func (s *Stream) Close() error {
	s.cancel()
	s.wg.Wait()
	select {
	case <-s.deviceDone:
	case <-time.After(closeGrace):
	}
	return nil
}

// decode finds out the format and runs its decoder to the end.
func (s *Stream) decode(ctx context.Context) {
	defer s.wg.Done()
	defer s.cfg.InflateStage.Enter().Exit()
	defer s.out.Close()
	defer s.work.Close()
	err := s.decodeAs(ctx)
	if flushErr := s.flush(ctx); err == nil {
		err = flushErr
	}
	s.err = err
}

// fail makes the decoder's error the stream's.
func (s *Stream) fail(off int64, err error) error { return s.failure(off, err, s.src.deviceErr()) }

// failure is the device's own error first, for it is the cause.
func (s *Stream) failure(off int64, err, device error) error {
	if device != nil {
		return fmt.Errorf("read %s: %w", s.name, device)
	}
	return &DataError{File: s.name, Offset: off, Err: cause(err)}
}

// pos is the compressed byte that the decoder takes next.
func (s *Stream) pos() int64 { return s.src.got - int64(s.br.Buffered()) }

// room returns the free part of the chunk being filled, never empty.
func (s *Stream) room(ctx context.Context) ([]byte, error) {
	if s.cur != nil && len(s.cur.Data) == len(s.cur.buf) {
		if err := s.flush(ctx); err != nil {
			return nil, err
		}
	}
	if s.cur == nil {
		if err := s.take(ctx); err != nil {
			return nil, err
		}
	}
	return s.cur.buf[len(s.cur.Data):], nil
}

// grew says that n more bytes of the chunk are filled.
func (s *Stream) grew(n int) {
	s.cur.Data = s.cur.buf[:len(s.cur.Data)+n]
	s.off += int64(n)
}

// take makes a free chunk the current one.
func (s *Stream) take(ctx context.Context) error {
	select {
	case c := <-s.free:
		c.reset(&s.cfg, s.off)
		s.cur = c
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// flush sends the current chunk on.
func (s *Stream) flush(ctx context.Context) error {
	c := s.cur
	if c == nil {
		return nil
	}
	s.cur = nil
	s.cfg.InflateStage.AddBytesOut(int64(len(c.Data)))
	return s.out.Send(ctx, c)
}
