//go:build !linux

package pipeline

// affinity is unknown on this system; the number of CPUs stands in.
func affinity() int { return 0 }

// inMemory is not asked on this system.
func inMemory(string) bool { return false }
