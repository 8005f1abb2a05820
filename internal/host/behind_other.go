//go:build !linux

package host

// WriteBehind does nothing on this system.
func WriteBehind(uintptr, int64, int64) error { return nil }

// WaitBehind does nothing on this system.
func WaitBehind(uintptr, int64, int64) error { return nil }
