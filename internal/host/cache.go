package host

// Cache says what of a file is in memory, and what is not yet on disk.
type Cache struct {
	CachedBytes       *int64 `json:"cached_bytes"`
	CachedBytesReason string `json:"cached_bytes_reason,omitempty"`
	// DirtyBytes are changed and not given to the device; WritebackBytes are on their way to it.
	// Together they are what the file still owes.
	DirtyBytes           *int64 `json:"dirty_bytes"`
	DirtyBytesReason     string `json:"dirty_bytes_reason,omitempty"`
	WritebackBytes       *int64 `json:"writeback_bytes"`
	WritebackBytesReason string `json:"writeback_bytes_reason,omitempty"`
}

// Cached asks the kernel about the pages of an open regular file: by cachestat(2), or where that
// is not to be had by mincore(2), which knows nothing about dirty pages. Counted in whole
// pages, but the cached part is never more than the size. It takes
// up to 15 ns for each page in memory, with mincore 60 ns for each page of the file.
func Cached(fd uintptr) Cache { return cached(fd) }

func noCache(reason string) Cache {
	return Cache{CachedBytesReason: reason, DirtyBytesReason: reason, WritebackBytesReason: reason}
}
