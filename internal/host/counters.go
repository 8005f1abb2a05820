package host

import (
	"math"
	"time"
)

// Counters are all that a [Reader] found at one moment. [Counters.Since] makes numbers of two.
type Counters struct {
	At time.Time

	cpu           maybe[CPU]
	io            maybe[IO]
	runQueue      maybe[RunQueue]
	machine       maybe[Machine]
	throttling    maybe[Throttling]
	pressure      maybe[Pressure]
	groupPressure maybe[Pressure]
	runtime       maybe[Runtime]
	memory        maybe[Memory]
	groupMemory   maybe[GroupMemory]
}

// Delta is what happened between two moments. A group that could not be measured is nil, and
// its reason says why.
type Delta struct {
	Seconds float64 `json:"seconds"`

	CPU                 *CPU         `json:"cpu"`
	CPUReason           string       `json:"cpu_reason,omitempty"`
	IO                  *IO          `json:"io"`
	IOReason            string       `json:"io_reason,omitempty"`
	RunQueue            *RunQueue    `json:"run_queue"`
	RunQueueReason      string       `json:"run_queue_reason,omitempty"`
	Machine             *Machine     `json:"machine"`
	MachineReason       string       `json:"machine_reason,omitempty"`
	Throttling          *Throttling  `json:"throttling"`
	ThrottlingReason    string       `json:"throttling_reason,omitempty"`
	Pressure            *Pressure    `json:"pressure"` // of the whole machine
	PressureReason      string       `json:"pressure_reason,omitempty"`
	GroupPressure       *Pressure    `json:"group_pressure"` // of the own control group
	GroupPressureReason string       `json:"group_pressure_reason,omitempty"`
	Runtime             *Runtime     `json:"go_runtime"`
	RuntimeReason       string       `json:"go_runtime_reason,omitempty"`
	Memory              *Memory      `json:"memory"`
	MemoryReason        string       `json:"memory_reason,omitempty"`
	GroupMemory         *GroupMemory `json:"group_memory"`
	GroupMemoryReason   string       `json:"group_memory_reason,omitempty"`
}

// CPU is the process's own use of CPUs, from getrusage(2).
type CPU struct {
	UserSeconds         float64 `json:"user_seconds"`
	SystemSeconds       float64 `json:"system_seconds"`
	MajorFaults         int64   `json:"major_faults"` // pages that had to come from a device
	VoluntarySwitches   int64   `json:"voluntary_switches"`
	InvoluntarySwitches int64   `json:"involuntary_switches"`
}

// Seconds is user and system time together.
func (c CPU) Seconds() float64 { return c.UserSeconds + c.SystemSeconds }

// IO is /proc/self/io. WriteBytes counts pages made dirty, not what reached the device.
type IO struct {
	RCharBytes int64 `json:"rchar_bytes"` // through read calls, from wherever
	WCharBytes int64 `json:"wchar_bytes"` // through write calls
	ReadBytes  int64 `json:"read_bytes"`  // from devices: 0 where all came from the page cache
	WriteBytes int64 `json:"write_bytes"`
}

// RunQueue is the scheduler's account of the process's threads (schedstat). Time after the last
// reading before a thread's end is lost, so the true values are a little larger. While a
// quota holds the group, each thread that has work counts its own delay, so that of several threads
// the delay is a multiple of the throttled time: a throttled stretch says nothing about neighbours.
type RunQueue struct {
	OnCPUSeconds float64 `json:"on_cpu_seconds"`
	DelaySeconds float64 `json:"delay_seconds"` // ready to run, and no CPU; summed over the threads
	Threads      int     `json:"threads"`       // alive at the end
}

// Machine is /proc/stat, summed over the CPUs that this process may use. Ticks are 10 ms.
type Machine struct {
	CPUs          int     `json:"cpus"`
	BusySeconds   float64 `json:"busy_seconds"` // of everybody in this machine, interrupts included
	StealSeconds  float64 `json:"steal_seconds"`
	IOWaitSeconds float64 `json:"iowait_seconds"`
	IdleSeconds   float64 `json:"idle_seconds"` // without iowait
	// OthersSeconds is busy time less the process's own CPU time; nil when that is not known.
	OthersSeconds       *float64 `json:"others_seconds"`
	OthersSecondsReason string   `json:"others_seconds_reason,omitempty"`
}

// Throttling is what CPU quotas did to the process's control group and its ancestors, own group first.
type Throttling struct {
	Groups []Throttled `json:"groups"`
	// MostThrottled is the group that was throttled longest; nil when none was.
	MostThrottled       *string `json:"most_throttled_group"`
	MostThrottledReason string  `json:"most_throttled_group_reason,omitempty"`
}

// Throttled is one control group's account. ThrottledSeconds is summed over the CPUs on which the
// group was held, and so may exceed wall time; an ancestor's may overlap with its child's.
type Throttled struct {
	Group            string   `json:"group"`
	Version          int      `json:"cgroup_version"` // 1 or 2
	QuotaCPUs        *float64 `json:"quota_cpus"`     // at the end
	QuotaCPUsReason  string   `json:"quota_cpus_reason,omitempty"`
	Periods          int64    `json:"periods"` // in which the group ran
	ThrottledPeriods int64    `json:"throttled_periods"`
	ThrottledSeconds float64  `json:"throttled_seconds"`

	quota quota
}

// Pressure is PSI: time in which some, or all, tasks that had work were held up by a resource. The
// kernel adds it up every two seconds or so: believe it over ten seconds and more.
type Pressure struct {
	CPU    Stall `json:"cpu"`
	IO     Stall `json:"io"`
	Memory Stall `json:"memory"`
}

// Stall is the pressure on one resource.
type Stall struct {
	SomeSeconds       float64  `json:"some_seconds"`
	FullSeconds       *float64 `json:"full_seconds"`
	FullSecondsReason string   `json:"full_seconds_reason,omitempty"`

	full float64
}

// Runtime is what the Go runtime says about itself. Its scheduler's figures are of every eighth
// goroutine that waited to run.
type Runtime struct {
	GCCycles int64 `json:"gc_cycles"`
	// GCSeconds and AssistSeconds are CPU time of collections, and the part of it that goroutines
	// had to do when they allocated. The runtime updates them only when a cycle ends.
	GCSeconds            *float64 `json:"gc_cpu_seconds"`
	GCSecondsReason      string   `json:"gc_cpu_seconds_reason,omitempty"`
	AssistSeconds        *float64 `json:"gc_assist_cpu_seconds"`
	AssistSecondsReason  string   `json:"gc_assist_cpu_seconds_reason,omitempty"`
	MutexWaitSeconds     float64  `json:"mutex_wait_seconds"`
	SchedulerWaits       int64    `json:"scheduler_waits"`
	SchedulerWaitSeconds float64  `json:"scheduler_wait_seconds"` // at least

	gc, assist float64
}

// Memory is the process's resident memory at the end, and the largest so far.
type Memory struct {
	RSSBytes  int64 `json:"rss_bytes"`
	PeakBytes int64 `json:"peak_rss_bytes"`
}

// GroupMemory is the control group that has the lowest memory limit of the own and its ancestors;
// the own where there is no limit. Usage holds page cache, which the kernel gives back when it
// must: a group at its limit is not in need until its pressure says so.
type GroupMemory struct {
	Group            string `json:"group"`
	Version          int    `json:"cgroup_version"`
	UsageBytes       int64  `json:"usage_bytes"` // at the end
	LimitBytes       *int64 `json:"limit_bytes"` // at the end
	LimitBytesReason string `json:"limit_bytes_reason,omitempty"`
	LimitHits        int64  `json:"limit_hits"` // v1 memory.failcnt, v2 memory.events high and max

	limit int64
}

// maybe is a value, or the reason why there is none.
type maybe[T any] struct {
	value  T
	reason string
}

func missing[T any](reason string) maybe[T] { return maybe[T]{reason: reason} }

// Since returns what happened from an earlier reading of the same [Reader] to this one.
func (c Counters) Since(earlier Counters) Delta {
	d := Delta{Seconds: c.At.Sub(earlier.At).Seconds()}
	d.CPU, d.CPUReason = since(c.cpu, earlier.cpu, CPU.since)
	d.IO, d.IOReason = since(c.io, earlier.io, IO.since)
	d.RunQueue, d.RunQueueReason = since(c.runQueue, earlier.runQueue, RunQueue.since)
	d.Machine, d.MachineReason = since(c.machine, earlier.machine, Machine.since)
	d.Throttling, d.ThrottlingReason = since(c.throttling, earlier.throttling, Throttling.since)
	d.Pressure, d.PressureReason = since(c.pressure, earlier.pressure, Pressure.since)
	d.GroupPressure, d.GroupPressureReason = since(c.groupPressure, earlier.groupPressure, Pressure.since)
	d.Runtime, d.RuntimeReason = since(c.runtime, earlier.runtime, Runtime.since)
	d.Memory, d.MemoryReason = since(c.memory, earlier.memory, Memory.since)
	d.GroupMemory, d.GroupMemoryReason = since(c.groupMemory, earlier.groupMemory, GroupMemory.since)
	if d.Machine != nil {
		d.Machine.others(d.CPU, d.CPUReason)
	}
	return d
}

// since takes two values of a group apart, if both are there.
func since[T any](now, then maybe[T], minus func(T, T) T) (*T, string) {
	for _, reason := range []string{now.reason, then.reason} {
		if reason != "" {
			return nil, reason
		}
	}
	d := minus(now.value, then.value)
	return &d, ""
}

// apart is a difference of two times in seconds, without the digits that large sums have lost.
func apart(now, then float64) float64 { return math.Round((now-then)*1e9) / 1e9 }

func (c CPU) since(e CPU) CPU {
	return CPU{apart(c.UserSeconds, e.UserSeconds), apart(c.SystemSeconds, e.SystemSeconds), c.MajorFaults - e.MajorFaults,
		c.VoluntarySwitches - e.VoluntarySwitches, c.InvoluntarySwitches - e.InvoluntarySwitches}
}

func (io IO) since(e IO) IO {
	return IO{io.RCharBytes - e.RCharBytes, io.WCharBytes - e.WCharBytes, io.ReadBytes - e.ReadBytes, io.WriteBytes - e.WriteBytes}
}

func (r RunQueue) since(e RunQueue) RunQueue {
	return RunQueue{apart(r.OnCPUSeconds, e.OnCPUSeconds), apart(r.DelaySeconds, e.DelaySeconds), r.Threads}
}

// since takes a counter that went backwards, as the kernel says iowait may, for one that stood still.
func (m Machine) since(e Machine) Machine {
	return Machine{CPUs: m.CPUs, BusySeconds: max(0, apart(m.BusySeconds, e.BusySeconds)), StealSeconds: max(0, apart(m.StealSeconds, e.StealSeconds)),
		IOWaitSeconds: max(0, apart(m.IOWaitSeconds, e.IOWaitSeconds)), IdleSeconds: max(0, apart(m.IdleSeconds, e.IdleSeconds))}
}

func (m *Machine) others(own *CPU, reason string) {
	if own == nil {
		m.OthersSecondsReason = reason
		return
	}
	others := max(0, apart(m.BusySeconds, own.Seconds()))
	m.OthersSeconds = &others
}

func (t Throttling) since(e Throttling) Throttling {
	d := Throttling{Groups: []Throttled{}, MostThrottledReason: "no group was throttled"}
	worst := 0.0
	for _, g := range t.Groups {
		g = g.since(e.find(g.Group, g.Version))
		d.Groups = append(d.Groups, g)
		if g.ThrottledSeconds > worst {
			worst, d.MostThrottled, d.MostThrottledReason = g.ThrottledSeconds, &g.Group, ""
		}
	}
	return d
}

// find returns a zero account for a group that is not there.
func (t Throttling) find(name string, version int) Throttled {
	for _, g := range t.Groups {
		if g.Group == name && g.Version == version {
			return g
		}
	}
	return Throttled{}
}

func (t Throttled) since(e Throttled) Throttled {
	t.Periods -= e.Periods
	t.ThrottledPeriods -= e.ThrottledPeriods
	t.ThrottledSeconds = apart(t.ThrottledSeconds, e.ThrottledSeconds)
	t.QuotaCPUsReason = "the group has no quota"
	if t.quota.set() {
		cpus := t.quota.cpus()
		t.QuotaCPUs, t.QuotaCPUsReason = &cpus, ""
	}
	return t
}

func (p Pressure) since(e Pressure) Pressure {
	return Pressure{p.CPU.since(e.CPU), p.IO.since(e.IO), p.Memory.since(e.Memory)}
}

func (s Stall) since(e Stall) Stall {
	d := Stall{SomeSeconds: apart(s.SomeSeconds, e.SomeSeconds), FullSecondsReason: s.FullSecondsReason}
	if d.FullSecondsReason == "" {
		full := apart(s.full, e.full)
		d.FullSeconds = &full
	}
	return d
}

// staleGC is golang/go#59749.
const staleGC = "no collection ended in this time, and the Go runtime updates the figure only then"

func (r Runtime) since(e Runtime) Runtime {
	d := Runtime{GCCycles: r.GCCycles - e.GCCycles, MutexWaitSeconds: apart(r.MutexWaitSeconds, e.MutexWaitSeconds),
		SchedulerWaits: r.SchedulerWaits - e.SchedulerWaits, SchedulerWaitSeconds: apart(r.SchedulerWaitSeconds, e.SchedulerWaitSeconds)}
	if d.GCCycles == 0 {
		d.GCSecondsReason, d.AssistSecondsReason = staleGC, staleGC
		return d
	}
	gc, assist := max(0, apart(r.gc, e.gc)), max(0, apart(r.assist, e.assist))
	d.GCSeconds, d.AssistSeconds = &gc, &assist
	return d
}

func (m Memory) since(Memory) Memory { return m }

func (m GroupMemory) since(e GroupMemory) GroupMemory {
	m.LimitHits -= e.LimitHits
	m.LimitBytesReason = "neither the group nor an ancestor that can be seen has a limit"
	if m.limit < noLimit {
		m.LimitBytes, m.LimitBytesReason = &m.limit, ""
	}
	return m
}
