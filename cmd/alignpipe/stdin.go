package main

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// wakingReader waits for input with poll, on the file and on a pipe that closes when ctx
// ends. It leaves the file's flags alone: others may share them.
type wakingReader struct {
	ctx  context.Context
	f    *os.File
	once sync.Once
	wake *os.File // its other end closes with ctx
	err  error
}

func (w *wakingReader) start() {
	r, other, err := os.Pipe()
	if err != nil {
		w.err = err
		return
	}
	w.wake = r
	context.AfterFunc(w.ctx, func() { other.Close() })
}

// Read reads what is there, and waits for the first byte until ctx ends.
func (w *wakingReader) Read(p []byte) (int, error) {
	w.once.Do(w.start)
	if w.err != nil {
		return 0, w.err
	}
	fds := []unix.PollFd{{Fd: int32(w.f.Fd()), Events: unix.POLLIN}, {Fd: int32(w.wake.Fd()), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return 0, os.NewSyscallError("poll", err)
		}
		if err := w.ctx.Err(); err != nil {
			return 0, err
		}
		break
	}
	return w.f.Read(p)
}

// Fd is the file's descriptor.
func (w *wakingReader) Fd() uintptr { return w.f.Fd() }

var _ io.Reader = (*wakingReader)(nil)
