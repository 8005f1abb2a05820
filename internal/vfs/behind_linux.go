package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// writeBack has the kernel begin to write a range of an open file to its device, and does not wait
// unless the device's queue is full. Where that cannot be done it does nothing.
func writeBack(fd uintptr, off, n int64) error {
	return syncRange(fd, off, n, unix.SYNC_FILE_RANGE_WRITE)
}

// awaitBack returns when a range has been written to the device. That does not make it durable: the
// file's metadata and the device's cache need fsync. An error ends the run: the kernel tells it once, and
// a later fsync may not know of it.
func awaitBack(fd uintptr, off, n int64) error {
	return syncRange(fd, off, n, unix.SYNC_FILE_RANGE_WAIT_BEFORE|unix.SYNC_FILE_RANGE_WRITE|unix.SYNC_FILE_RANGE_WAIT_AFTER)
}

func syncRange(fd uintptr, off, n int64, flags int) error {
	if n <= 0 || fd == NoFd {
		return nil // a length of 0 would mean to the end of the file
	}
	for {
		err := unix.SyncFileRange(int(fd), off, n, flags)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ESPIPE), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS):
			return nil
		default:
			return os.NewSyscallError("sync_file_range", err)
		}
	}
}
