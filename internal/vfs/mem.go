package vfs

import (
	"errors"
	"fmt"
	"io"
	"math"

	"golang.org/x/sys/unix"
)

// hugeFrom is the size in bytes from which anonymous memory asks for huge pages; below it
// their rounding to 2 MiB would cost more than the TLB gains.
const hugeFrom = 4 << 20

// Map returns the content of f, read-only, and what gives it back. It is mapped where f has a
// descriptor, so it costs page cache and not heap, and else read whole. Writing to data is a
// fault; so is reading it after the file has been cut. f may be closed before unmap.
func Map(f File) (data []byte, unmap func() error, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	size := info.Size()
	if size > math.MaxInt {
		return nil, nil, fmt.Errorf("map %s: %d bytes do not fit in memory", f.Name(), size)
	}
	if fd := f.Fd(); fd != NoFd && size > 0 && info.Mode().IsRegular() {
		data, err = unix.Mmap(int(fd), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
		if err == nil {
			adviseHuge(data)
			return data, unmapOnce(data), nil
		}
	}
	data, err = readWhole(f, size)
	if err != nil {
		return nil, nil, fmt.Errorf("map %s: %w", f.Name(), err)
	}
	return data, func() error { return nil }, nil
}

// readWhole reads size bytes from the start, without moving the file's own offset.
func readWhole(f File, size int64) ([]byte, error) {
	data := make([]byte, size)
	n, err := io.ReadFull(io.NewSectionReader(f, 0, size), data)
	if errors.Is(err, io.EOF) && size == 0 {
		err = nil
	}
	return data[:n], err
}

func unmapOnce(data []byte) func() error {
	done := false
	return func() error {
		if done {
			return nil
		}
		done = true
		return unix.Munmap(data)
	}
}

// Alloc returns n zeroed bytes outside the Go heap: neither scanned by the collector nor
// counted in its pace. The caller gives them back with Free; nothing else does.
func Alloc(n int) ([]byte, error) {
	if n < 0 {
		return nil, fmt.Errorf("allocate %d bytes: %w", n, unix.EINVAL)
	}
	if n == 0 {
		return nil, nil
	}
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("allocate %d bytes: %w", n, err)
	}
	if n > hugeFrom {
		adviseHuge(b)
	}
	return b, nil
}

// Free gives back what Alloc returned; b may have been cut shorter at its end, not at its
// start. Freeing nil does nothing.
func Free(b []byte) error {
	if cap(b) == 0 {
		return nil
	}
	if err := unix.Munmap(b[:cap(b)]); err != nil {
		return fmt.Errorf("free %d bytes: %w", cap(b), err)
	}
	return nil
}
