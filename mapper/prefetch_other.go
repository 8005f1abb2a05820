//go:build !amd64 && !arm64

package mapper

func prefetch([]uintptr) {}
