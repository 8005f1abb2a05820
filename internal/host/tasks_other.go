//go:build !linux

package host

// tasks is not there on this system.
type tasks struct{}

func newTasks(string) *tasks { return nil }

func (*tasks) close() {}

func (*tasks) read(*scratch) maybe[RunQueue] { return missing[RunQueue](notHere) }

func (*tasks) each(func(tid int, onCPUNS int64)) {}
