package vfs

import "sync"

// behindStep is how much of a file is handed to the device at a time, in bytes. Two steps may be on their
// way; what is written beyond waits for the oldest. The page cache would else take all, and the final
// sync would pay for it at once, when nothing else is left to do.
const behindStep = 16 << 20

// behind has a file written back while it grows.
type behind struct {
	mu      sync.Mutex
	end     int64    // the highest byte written
	started int64    // up to which writing back has begun
	before  [2]int64 // where the two steps before began
}

// wrote is told of a write that ended at byte end of f. It may wait for the device.
func (b *behind) wrote(f File, end int64) error {
	b.mu.Lock()
	b.end = max(b.end, end)
	from, oldest := b.started, b.before
	step := b.end-from >= behindStep
	if step {
		b.started = b.end
		b.before = [2]int64{oldest[1], from}
	}
	to := b.started
	b.mu.Unlock()
	if !step {
		return nil
	}
	if err := writeBack(f.Fd(), from, to-from); err != nil {
		return err
	}
	return awaitBack(f.Fd(), oldest[0], oldest[1]-oldest[0])
}
