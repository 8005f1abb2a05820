package host

import (
	"fmt"
	"math/bits"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

func cached(fd uintptr) Cache {
	var st unix.Stat_t
	if err := unix.Fstat(int(fd), &st); err != nil {
		return noCache(os.NewSyscallError("fstat", err).Error())
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return noCache("not a regular file")
	}
	if isOverlay(int(fd)) {
		return mincoreCache(int(fd), &st, "an overlay keeps its pages in the file system below, which cachestat does not look at")
	}
	c, err := cachestat(int(fd), st.Size)
	if err != nil {
		return mincoreCache(int(fd), &st, "cachestat: "+err.Error())
	}
	return c
}

// cachestat needs Linux 6.5, and on newer kernels a file that is ours or that we may write.
func cachestat(fd int, size int64) (Cache, error) {
	var out unix.Cachestat_t
	// Length 0 is to the end of the file.
	if err := unix.Cachestat(uint(fd), &unix.CachestatRange{}, &out, 0); err != nil {
		return Cache{}, err
	}
	page := int64(os.Getpagesize())
	in, dirty, under := min(int64(out.Cache)*page, size), int64(out.Dirty)*page, int64(out.Writeback)*page
	return Cache{CachedBytes: &in, DirtyBytes: &dirty, WritebackBytes: &under}, nil
}

// isOverlay tells of files whose cachestat is all zeros, and no error.
func isOverlay(fd int) bool {
	var fs unix.Statfs_t
	return unix.Fstatfs(fd, &fs) == nil && uint32(fs.Type) == unix.OVERLAYFS_SUPER_MAGIC
}

// mincoreCache knows the cached part only; the reason is why there is no more.
func mincoreCache(fd int, st *unix.Stat_t, reason string) Cache {
	c := Cache{DirtyBytesReason: reason, WritebackBytesReason: reason}
	if !mincoreTells(fd, st) {
		c.CachedBytesReason = reason + "; mincore tells only a file's owner and who may write it"
		return c
	}
	n, err := mincore(fd, st.Size)
	if err != nil {
		c.CachedBytesReason = fmt.Sprintf("%s; mincore: %v", reason, err)
		return c
	}
	c.CachedBytes = &n
	return c
}

// mincoreTells is the kernel's own test: to all others it says that everything is in memory.
func mincoreTells(fd int, st *unix.Stat_t) bool {
	return int(st.Uid) == os.Geteuid() || unix.Access(fmt.Sprintf("/proc/self/fd/%d", fd), unix.W_OK) == nil
}

// mincoreSlice bounds the address space, and the answer: a byte for each page.
const mincoreSlice = 1 << 30

func mincore(fd int, size int64) (in int64, err error) {
	page := int64(os.Getpagesize())
	answer := make([]byte, min(mincoreSlice, size+page-1)/page)
	for off := int64(0); off < size; off += mincoreSlice {
		n, err := mincoreAt(fd, off, min(mincoreSlice, size-off), answer)
		if err != nil {
			return 0, err
		}
		in += n * page
	}
	return min(in, size), nil
}

// mincoreAt counts the pages in memory of one slice.
func mincoreAt(fd int, off, n int64, answer []byte) (pages int64, err error) {
	view, err := unix.Mmap(fd, off, int(n), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return 0, err
	}
	defer unix.Munmap(view)
	page := int64(os.Getpagesize())
	answer = answer[:(n+page-1)/page]
	if err := mincoreCall(view, answer); err != nil {
		return 0, err
	}
	for _, b := range answer {
		pages += int64(bits.OnesCount8(b & 1))
	}
	return pages, nil
}

func mincoreCall(view, answer []byte) error {
	_, _, e := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&view[0])), uintptr(len(view)), uintptr(unsafe.Pointer(&answer[0])))
	if e != 0 {
		return e
	}
	return nil
}
