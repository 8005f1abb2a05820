package meter

import (
	"runtime"
	"sync/atomic"
)

// loose is the CPU time that stages were charged on threads that no worker was bound to.
var loose atomic.Int64

// Call is one device call under way. It belongs to the goroutine that began it.
type Call struct {
	stage   *Stage
	state   State
	tid     int
	startNS int64
	cpu0NS  int64
}

// Begin starts to time a device call; [Call.End] charges it. Between the two the goroutine keeps
// its thread, so that the CPU time of the call (copying to the page cache) and the time blocked
// are told apart. Two clocks are read at each end: about a microsecond per call in all.
//
//	call := s.Begin(meter.BlkSync)
//	err := f.Sync()
//	call.End()
func (s *Stage) Begin(st State) Call {
	if s == nil {
		return Call{}
	}
	runtime.LockOSThread()
	tid := threadID()
	s.device.enter()
	return Call{stage: s, state: st, tid: tid, startNS: nowNS(), cpu0NS: threadCPU(tid)}
}

// End charges the call's time to the state, and its CPU time to the stage. If the thread was
// working for another stage, the call is taken out of that one's time.
func (c Call) End() {
	s := c.stage
	if s == nil {
		return
	}
	wallNS, cpuNS := nowNS()-c.startNS, threadCPU(c.tid)-c.cpu0NS
	s.device.leave()
	s.stamp()
	if w := workerOf(c.tid); w == nil || w.stage != s {
		w.leaveOut(wallNS, cpuNS)
		s.mu.Lock()
		s.cpuNS += cpuNS
		if w == nil {
			loose.Add(cpuNS)
		}
		if w != nil || len(s.active) == 0 {
			s.lifetimeNS += wallNS // no worker of this stage has the time in its lifetime
		}
		s.mu.Unlock()
	}
	runtime.UnlockOSThread()
	s.wait[c.state].Add(wallNS)
	s.calls.Add(1)
}

// leaveOut moves w's start forward: the time since was spent for another stage.
func (w *Worker) leaveOut(wallNS, cpuNS int64) {
	if w == nil {
		return
	}
	w.stage.mu.Lock()
	w.startNS += wallNS
	w.cpu0NS += cpuNS
	w.stage.mu.Unlock()
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
	loose.Add(cpuNS)
	runtime.UnlockOSThread()
}
