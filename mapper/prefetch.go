//go:build amd64 || arm64

package mapper

// prefetch asks for the cache lines of all addresses at once and waits for none. It reads
// nothing: an address that is not mapped is harmless.
//
//go:noescape
func prefetch(addrs []uintptr)
