package meter

import "time"

// Unbound adds up the CPU time that is no stage's: of each thread, what no stage was charged. That is the
// garbage collector, the scheduler, and the goroutines that join stages.
type Unbound struct {
	seen  map[int]int64 // by thread: its time that no stage was charged
	round map[int]int64
	ended int64 // of threads that are no more
}

// NewUnbound starts the sum.
func NewUnbound() *Unbound { return &Unbound{seen: map[int]int64{}, round: map[int]int64{}} }

// See is told of every thread, with its CPU time in nanoseconds so far.
func (u *Unbound) See(tid int, cpuNS int64) {
	atWork.RLock()
	seat, charged := atWork.of[tid], atWork.charged[tid]
	atWork.RUnlock()
	rest := cpuNS - charged
	if seat.w != nil { // since it sat down all is the worker's
		rest = min(rest, seat.cpuNS-charged)
	}
	u.round[tid] = max(rest, u.seen[tid])
}

// Done ends a look and returns the sum so far.
func (u *Unbound) Done() time.Duration {
	var sum int64
	for tid, rest := range u.seen {
		if _, lives := u.round[tid]; !lives {
			u.ended += rest
			atWork.Lock()
			delete(atWork.charged, tid)
			atWork.Unlock()
		}
	}
	for _, rest := range u.round {
		sum += rest
	}
	u.seen, u.round = u.round, u.seen
	clear(u.round)
	return time.Duration(sum + u.ended)
}
