package meter

import (
	"runtime"
	"sync"
	"time"
)

// Worker is one goroutine's stay in a stage. It belongs to that goroutine.
type Worker struct {
	stage   *Stage
	outer   *Worker // the stage this thread was working for before, or nil
	bound   bool    // to a thread, so that its CPU time can be known
	tid     int     // 0 where not bound, or where the system has no thread ids
	startNS int64   // guarded by stage.mu, as is cpu0NS
	cpu0NS  int64

	dragFromNS int64 // thread CPU since when drag is to be paid
	dragOwedNS int64 // thread CPU that drag is to be paid for, before that
}

// atWork holds, by thread id, the worker that a bound thread is working for now, and the CPU time of the
// thread that some stage was charged so far.
var atWork = struct {
	sync.RWMutex
	of      map[int]seat
	charged map[int]int64
}{of: map[int]seat{}, charged: map[int]int64{}}

// seat is a worker on its thread, and the CPU time of the thread when it sat down.
type seat struct {
	w     *Worker
	cpuNS int64
}

// charge notes that a stage was charged CPU time of a thread.
func charge(tid int, cpuNS int64) {
	if tid == 0 {
		return
	}
	atWork.Lock()
	atWork.charged[tid] += cpuNS
	atWork.Unlock()
}

// spare has workers that have left: one comes and goes for every block of output.
var spare = sync.Pool{New: func() any { return new(Worker) }}

var epoch = time.Now()

// nowNS is a monotonic clock in nanoseconds.
func nowNS() int64 { return int64(time.Since(epoch)) }

// Now is the monotonic clock of the accounts: the time since the program began.
func Now() time.Duration { return time.Duration(nowNS()) }

// Enter starts the lifetime of a worker. For [KindCPU] it binds the goroutine to its thread until
// Exit. If the thread is already working for another stage, that stage's clocks stop until Exit.
// It costs a few microseconds: call it per goroutine or per slab, not per record.
func (s *Stage) Enter() *Worker {
	if s == nil {
		return nil
	}
	runtime.LockOSThread() // also keeps the thread id valid during the look-up
	w := spare.Get().(*Worker)
	*w = Worker{stage: s, tid: threadID(), bound: true}
	w.outer = workerOf(w.tid)
	if w.outer == nil && s.kind != KindCPU {
		w.tid, w.bound = 0, false
		runtime.UnlockOSThread()
	}
	w.resume(w.outer.pause())
	return w
}

// Exit ends the lifetime and adds it, and the CPU time, to the stage. The goroutine that entered
// must call it, once, and forget w. A nil *Worker may exit.
func (w *Worker) Exit() {
	if w == nil {
		return
	}
	w.outer.resume(w.pause())
	if w.bound {
		runtime.UnlockOSThread()
	}
	*w = Worker{}
	spare.Put(w)
}

// pause takes w off its thread, adds what it has done so far to its stage, and returns the clocks.
// They are read under the lock: a snapshot just before must not have counted more.
func (w *Worker) pause() (now, cpu int64) {
	if w == nil {
		return nowNS(), threadCPU(threadID())
	}
	s := w.stage
	s.mu.Lock()
	now, cpu = nowNS(), threadCPU(w.tid)
	s.lifetimeNS += now - w.startNS
	if w.tid != 0 {
		s.cpuNS += cpu - w.cpu0NS
	}
	delete(s.active, w)
	s.mu.Unlock()
	w.dragOwedNS += cpu - w.dragFromNS
	if w.tid != 0 {
		atWork.Lock()
		delete(atWork.of, w.tid)
		atWork.charged[w.tid] += cpu - w.cpu0NS
		atWork.Unlock()
	}
	return now, cpu
}

// resume puts w on its thread.
func (w *Worker) resume(now, cpu int64) {
	if w == nil {
		return
	}
	w.stage.mu.Lock()
	w.startNS, w.cpu0NS = now, cpu
	w.stage.active[w] = struct{}{}
	w.stage.mu.Unlock()
	w.dragFromNS = cpu
	if w.tid != 0 {
		atWork.Lock()
		atWork.of[w.tid] = seat{w, cpu}
		atWork.Unlock()
	}
}

// cpuSince returns the CPU time since Enter. Any thread may ask, holding stage.mu: w is active,
// so its thread exists.
func (w *Worker) cpuSince() int64 {
	if w.tid == 0 {
		return 0
	}
	return max(0, threadCPU(w.tid)-w.cpu0NS)
}

func workerOf(tid int) *Worker {
	atWork.RLock()
	defer atWork.RUnlock()
	return atWork.of[tid].w
}
