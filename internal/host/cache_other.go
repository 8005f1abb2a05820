//go:build !linux

package host

func cached(uintptr) Cache { return noCache(notHere) }
