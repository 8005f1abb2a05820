package meter

import (
	"sync"
	"sync/atomic"
	"time"
)

// Kind says which resource a stage uses. One stage uses one.
type Kind uint8

// The kinds of stage. A pipe is a fifo, socket or terminal: its time is somebody else's.
const (
	KindCPU Kind = iota
	KindDeviceRead
	KindDeviceWrite
	KindPipeRead
	KindPipeWrite
	KindSync
)

var kindNames = [...]string{"cpu", "device-read", "device-write", "pipe-read", "pipe-write", "sync"}

// String returns the kind as reports spell it.
func (k Kind) String() string { return kindNames[k] }

// State is a reason for a worker not to compute.
type State uint8

// The states. WaitOrder is waiting for an earlier piece of work, WaitCredit for the memory or
// in-flight budget; the Blk states are time inside a system call.
const (
	WaitIn State = iota
	WaitOut
	BlkRead
	BlkWrite
	BlkSync
	WaitOrder
	WaitCredit
	NumStates
)

var stateNames = [NumStates]string{"wait_in", "wait_out", "blk_read", "blk_write", "blk_sync", "wait_order", "wait_credit"}

// String returns the state as reports spell it.
func (st State) String() string { return stateNames[st] }

// Stage is the account of one station. All methods may be called by many goroutines at once,
// and on a nil *Stage, where they do nothing.
type Stage struct {
	name    string
	kind    Kind
	workers int
	serial  bool // guarded by mu, as is workers

	items, bytesIn, bytesOut, calls atomic.Int64
	waits                           atomic.Int64 // that AddWait was told of
	sent, received                  atomic.Int64 // values through queues
	wait                            [NumStates]atomic.Int64

	workNS          atomic.Int64 // CPU of goroutines that are bound to no thread
	firstNS, lastNS atomic.Int64 // when the first and the last pieces of work were done; 0: none yet

	// Set before there is work.
	drag   float64 // see SetDrag
	device *Device // that the calls go to; nil where it is not known

	mu         sync.Mutex
	lifetimeNS int64 // of workers that have left
	cpuNS      int64 // likewise
	active     map[*Worker]struct{}
	open       [NumStates]open // calls under way
	openAlone  open            // those of them that no worker's lifetime holds
}

// NewStage makes the account of a station. workers is how many goroutines may work for it at
// once: the capacity the verdict compares its demand with. Where measuring is compiled out
// (build tag nometer) it returns nil.
func NewStage(name string, kind Kind, workers int) *Stage {
	if !Enabled {
		return nil
	}
	return &Stage{name: name, kind: kind, workers: workers, active: map[*Worker]struct{}{}}
}

// Name returns the stage's name, and "" for nil.
func (s *Stage) Name() string {
	if s == nil {
		return ""
	}
	return s.name
}

// AddItems counts n pieces of work done: reads, or records. The worker that did them calls it, once
// for a batch.
func (s *Stage) AddItems(n int64) {
	if s == nil {
		return
	}
	s.items.Add(n)
	s.stamp()
	s.payDrag()
}

// stamp notes that work was done now.
func (s *Stage) stamp() {
	now := nowNS()
	if s.firstNS.Load() == 0 {
		s.firstNS.CompareAndSwap(0, now)
	}
	s.lastNS.Store(now)
}

// AddBytesIn counts n bytes taken in.
func (s *Stage) AddBytesIn(n int64) {
	if s != nil {
		s.bytesIn.Add(n)
	}
}

// AddBytesOut counts n bytes given out. As with AddItems, the worker calls it that made them.
func (s *Stage) AddBytesOut(n int64) {
	if s == nil {
		return
	}
	s.bytesOut.Add(n)
	s.payDrag()
}

// AddWait charges d to st. The time must lie within a worker's stay in this stage.
func (s *Stage) AddWait(st State, d time.Duration) {
	if s != nil {
		s.wait[st].Add(int64(d))
		s.waits.Add(1)
	}
}

// SetWorkers changes the capacity, for pools whose size is found out while running.
func (s *Stage) SetWorkers(n int) {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.workers = n
	s.mu.Unlock()
}

// SetSerial says that no number of threads gives the stage more workers than it has.
func (s *Stage) SetSerial(serial bool) {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.serial = serial
	s.mu.Unlock()
}

// Snapshot is a stage's account at one moment. Times are nanoseconds summed over workers.
type Snapshot struct {
	Name              string
	Kind              Kind
	Workers           int
	Items             int64
	BytesIn, BytesOut int64
	Batches           int64 // values sent through queues, or received by a stage that sends none
	Calls             int64 // device calls: reads, writes, syncs
	Waits             int64 // how often a worker waited for something else
	LifetimeNS        int64 // from Enter to Exit, or to now
	WorkNS            int64 // CPU time beside the calls, of a stage that is a device's
	CPUNS             int64 // on a CPU; 0 where the system has no thread clock
	WaitNS            [NumStates]int64
	// FirstNS and LastNS are when the first and the last pieces of work were done, by the clock of
	// [Now]; 0 where none was. Sub leaves them.
	FirstNS, LastNS int64
	Serial          bool   // as SetSerial said
	Device          string // that the calls go to
}

// Snapshot reads the counters. It may run while workers do: then a wait that has not ended yet is
// still part of the busy time of the worker that is in it.
func (s *Stage) Snapshot() Snapshot {
	if s == nil {
		return Snapshot{}
	}
	snap := Snapshot{Name: s.name, Kind: s.kind}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Waits are read before lifetimes: a wait that ends in between cannot exceed its lifetime. A call that
	// has not ended counts up to now.
	now := nowNS()
	for st := range s.wait {
		snap.WaitNS[st] = s.wait[st].Load() + s.open[st].soFar(now)
	}
	snap.Items, snap.Calls, snap.Waits = s.items.Load(), s.calls.Load(), s.waits.Load()
	snap.WorkNS = s.workNS.Load()
	snap.FirstNS, snap.LastNS = s.firstNS.Load(), s.lastNS.Load()
	snap.BytesIn, snap.BytesOut = s.bytesIn.Load(), s.bytesOut.Load()
	snap.Batches = max(s.sent.Load(), s.received.Load())
	snap.Serial, snap.Device = s.serial, s.device.Name()
	snap.Workers, snap.LifetimeNS, snap.CPUNS = s.workers, s.lifetimeNS+s.openAlone.soFar(now), s.cpuNS
	for w := range s.active {
		snap.LifetimeNS += nowNS() - w.startNS
		snap.CPUNS += w.cpuSince()
	}
	return snap
}

// WaitTotalNS returns the time in all states together.
func (s Snapshot) WaitTotalNS() int64 {
	var sum int64
	for _, ns := range s.WaitNS {
		sum += ns
	}
	return sum
}

// BlockedNS returns the time inside device calls.
func (s Snapshot) BlockedNS() int64 {
	return s.WaitNS[BlkRead] + s.WaitNS[BlkWrite] + s.WaitNS[BlkSync]
}

// BusyNS returns lifetime without waits. It is below zero only when the accounts do not close,
// which the report shows as a residual.
func (s Snapshot) BusyNS() int64 { return s.LifetimeNS - s.WaitTotalNS() }

// Sub returns what was added since an earlier snapshot of the same stage.
func (s Snapshot) Sub(earlier Snapshot) Snapshot {
	s.Items -= earlier.Items
	s.BytesIn -= earlier.BytesIn
	s.BytesOut -= earlier.BytesOut
	s.Batches -= earlier.Batches
	s.Calls -= earlier.Calls
	s.Waits -= earlier.Waits
	s.LifetimeNS -= earlier.LifetimeNS
	s.CPUNS -= earlier.CPUNS
	s.WorkNS -= earlier.WorkNS
	for st := range s.WaitNS {
		s.WaitNS[st] -= earlier.WaitNS[st]
	}
	return s
}
