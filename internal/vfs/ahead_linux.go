package vfs

import "golang.org/x/sys/unix"

// populate maps pages that are in memory or on disk; b begins at a page. It is false where
// that cannot be done: a kernel before 5.14, memory that is no mapping, a file that was cut.
func populate(b []byte) bool { return unix.Madvise(b, unix.MADV_POPULATE_READ) == nil }
