package vfs

import "golang.org/x/sys/unix"

// adviseHuge is a wish; a kernel that refuses it still gives the memory.
func adviseHuge(b []byte) { _ = unix.Madvise(b, unix.MADV_HUGEPAGE) }
