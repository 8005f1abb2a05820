package vfs

import (
	"sync"
	"sync/atomic"
)

// aheadStep is how much is asked for in one call, in bytes. Stopping waits for one call: a
// larger step would make Close slow where the disk is.
const aheadStep = 16 << 20

// Ahead brings what Map returned into memory, in order, from a goroutine of its own: random
// page faults would read a cold file many times slower than its disk can. Nobody has to
// wait for it; stop ends it, and must be called before unmap.
func Ahead(data []byte) (stop func()) {
	var stopped atomic.Bool
	var done sync.WaitGroup
	done.Go(func() {
		for len(data) > 0 && !stopped.Load() {
			n := min(aheadStep, len(data))
			if !populate(data[:n]) {
				return
			}
			data = data[n:]
		}
	})
	return func() {
		stopped.Store(true)
		done.Wait()
	}
}
