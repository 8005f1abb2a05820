package bench

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// dropCache takes a file's pages out of the page cache. They must be on the disk.
func dropCache(f vfs.File) error {
	return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}

// noReadAhead keeps the kernel from reading more than it is asked for.
func noReadAhead(f vfs.File) error { return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_RANDOM) }

// setDirect lets reads and writes of f go around the page cache, or no longer.
func setDirect(f vfs.File, on bool) error {
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err != nil {
		return err
	}
	flags &^= unix.O_DIRECT
	if on {
		flags |= unix.O_DIRECT
	}
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETFL, flags)
	if errors.Is(err, unix.EINVAL) {
		return errors.New("the file system knows no direct access")
	}
	return err
}

// freeBytes is the space that is left in the file system of a folder.
func freeBytes(dir string) (int64, bool) {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return 0, false
	}
	return int64(st.Bavail) * st.Bsize, true
}
