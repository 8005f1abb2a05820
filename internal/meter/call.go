package meter

import (
	"runtime"
	"time"
)

// Call is one device call under way. It belongs to the goroutine that began it.
type Call struct {
	stage   *Stage
	outer   *Worker // whose clocks stand still meanwhile; nil for none
	state   State
	alone   bool // no worker of the stage has the call in its lifetime
	tid     int
	startNS int64
	cpu0NS  int64
}

// open are the calls of a stage that have not ended: their number, and their starts added up.
type open struct{ calls, startsNS int64 }

func (o *open) add(n, startNS int64) {
	o.calls += n
	o.startsNS += n * startNS
}

// soFar is the time in these calls up to now, as far as it is at all.
func (o *open) soFar(nowNS int64) int64 { return max(0, o.calls*nowNS-o.startsNS) }

// Begin starts to time a device call; [Call.End] charges it. Between the two the goroutine keeps
// its thread, so that the CPU time of the call (copying to the page cache) and the time blocked
// are told apart. If the thread is working for another stage, that one's clocks stop. Two clocks are read
// at each end: about a microsecond per call in all.
//
//	call := s.Begin(meter.BlkSync)
//	err := f.Sync()
//	call.End()
func (s *Stage) Begin(st State) Call {
	if s == nil {
		return Call{}
	}
	runtime.LockOSThread()
	c := Call{stage: s, state: st, tid: threadID()}
	w := workerOf(c.tid)
	if w != nil && w.stage != s {
		c.outer, c.alone = w, true
		c.startNS, c.cpu0NS = w.pause()
	} else {
		c.startNS, c.cpu0NS = nowNS(), threadCPU(c.tid)
	}
	s.mu.Lock()
	c.alone = c.alone || w == nil && len(s.active) == 0
	s.open[st].add(1, c.startNS)
	if c.alone {
		s.openAlone.add(1, c.startNS)
	}
	s.mu.Unlock()
	s.device.enter()
	return c
}

// End charges the call's time to the state, and its CPU time to the stage.
func (c Call) End() {
	s := c.stage
	if s == nil {
		return
	}
	s.device.leave()
	s.stamp()
	now, cpu := nowNS(), threadCPU(c.tid)
	wallNS, cpuNS := now-c.startNS, cpu-c.cpu0NS
	bound := c.outer == nil && workerOf(c.tid) != nil // a worker of this stage has the CPU time
	s.mu.Lock()
	s.open[c.state].add(-1, c.startNS)
	s.wait[c.state].Add(wallNS)
	if c.alone {
		s.openAlone.add(-1, c.startNS)
		s.lifetimeNS += wallNS
	}
	if !bound {
		s.cpuNS += cpuNS
	}
	s.mu.Unlock()
	if !bound {
		charge(c.tid, cpuNS)
	}
	c.outer.resume(now, cpu)
	runtime.UnlockOSThread()
	s.calls.Add(1)
}

// Work is a piece of computing by a goroutine that is bound to no thread, for a stage that is a device's.
type Work struct {
	stage *Stage
	tid   int
	cpuNS int64
}

// Work starts to count the CPU time of such a piece; [Work.End] charges it. Between the two there must be
// no device call of a stage. It costs half a microsecond at each end.
func (s *Stage) Work() Work {
	if s == nil {
		return Work{}
	}
	runtime.LockOSThread()
	tid := threadID()
	return Work{s, tid, threadCPU(tid)}
}

// End charges the CPU time to the stage.
func (w Work) End() {
	if w.stage == nil {
		return
	}
	cpuNS := threadCPU(w.tid) - w.cpuNS
	w.stage.workNS.Add(cpuNS)
	charge(w.tid, cpuNS)
	runtime.UnlockOSThread()
}

// ThreadTimer starts to count the CPU time of the calling goroutine, which keeps its thread until the
// function that is returned is called.
func ThreadTimer() func() time.Duration {
	runtime.LockOSThread()
	tid := threadID()
	from := threadCPU(tid)
	return func() time.Duration {
		defer runtime.UnlockOSThread()
		return time.Duration(threadCPU(tid) - from)
	}
}
