package meter

import "time"

// Unbound adds up the CPU time that is no stage's: of threads on which no worker sits, but for what stages
// were charged there. They run the garbage collector, the scheduler, and the goroutines that join stages.
type Unbound struct {
	seen  map[int]int64 // by thread: its CPU time when it was last found without a worker
	round map[int]int64
	total time.Duration
	loose int64
}

// NewUnbound starts the sum.
func NewUnbound() *Unbound {
	return &Unbound{seen: map[int]int64{}, round: map[int]int64{}, loose: loose.Load()}
}

// See is told of every thread, with its CPU time in nanoseconds so far. What a thread did between two
// looks counts when it had no worker at either.
func (u *Unbound) See(tid int, cpuNS int64) {
	if workerOf(tid) != nil {
		return
	}
	if before, ok := u.seen[tid]; ok {
		u.total += time.Duration(cpuNS - before)
	}
	u.round[tid] = cpuNS
}

// Done ends a look and returns the sum so far.
func (u *Unbound) Done() time.Duration {
	u.seen, u.round = u.round, u.seen
	clear(u.round)
	now := loose.Load()
	u.total -= time.Duration(now - u.loose)
	u.loose = now
	return u.total
}
