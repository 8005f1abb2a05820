package host

import (
	"bytes"
	"sync"
	"time"
)

// Reader reads the counters of this process and its machine. It keeps the kernel's files open,
// one for each thread and some twenty others, and takes memory only when something new appears.
// Its methods may be called from several goroutines.
type Reader struct {
	mu        sync.Mutex
	scratch   *scratch
	cpus      []int // that this process may use; nil: all
	io, stat  *source
	status    *source
	tasks     *tasks
	cpu       []cpuGroup
	memory    []memoryGroup
	pressure  [3]*source // cpu, io, memory
	own       [3]*source // of the own group; nil where there is none
	ownNoFull string     // why the own group has no full CPU pressure
	runtime   *runtimeReader
}

// NewReader finds the sources. Control groups and affinity are those of this moment.
func NewReader() *Reader { return newReader(thisSystem()) }

func newReader(s system) *Reader {
	r := &Reader{scratch: newScratch(8 << 10), cpus: s.affinity(), runtime: newRuntimeReader(),
		io: s.source("proc/self/io"), stat: s.source("proc/stat"), status: s.source("proc/self/status"),
		tasks: newTasks(s.path("proc/self/task")), cpu: s.cpuGroups(), memory: s.memoryGroups()}
	var group string
	group, r.ownNoFull = s.pressureGroup()
	for i, resource := range []string{"cpu", "io", "memory"} {
		r.pressure[i] = s.source("proc/pressure", resource)
		if group != "" {
			r.own[i] = s.source(group, resource+".pressure")
		}
	}
	return r
}

// Close closes the kernel's files. The Reader must not be used afterwards.
func (r *Reader) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := append([]*source{r.io, r.stat, r.status}, r.pressure[:]...)
	list = append(list, r.own[:]...)
	for _, g := range r.cpu {
		list = append(list, g.stat, g.quota, g.period)
	}
	for _, g := range r.memory {
		list = append(list, g.usage, g.limit, g.hits)
	}
	for _, s := range list {
		if s != nil {
			s.close()
		}
	}
	r.tasks.close()
}

// Read reads everything there is. It takes some 60 microseconds, and two more for each thread.
func (r *Reader) Read() Counters {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Counters{
		At:            time.Now(),
		cpu:           readCPU(),
		io:            r.readIO(),
		machine:       readFrom(r, r.stat, r.parseStat),
		runQueue:      r.tasks.read(r.scratch),
		throttling:    r.readThrottling(),
		pressure:      r.readPressure(r.pressure, machineFull),
		groupPressure: r.readPressure(r.own, r.ownNoFull),
		runtime:       r.runtime.read(),
		memory:        readFrom(r, r.status, parseStatus),
		groupMemory:   r.readGroupMemory(),
	}
}

// readFrom reads one file and has it parsed. A parser that is not content is the kernel's fault.
func readFrom[T any](r *Reader, s *source, parse func([]byte) (T, bool)) maybe[T] {
	data, err := s.read(r.scratch)
	if err != nil {
		return missing[T](because(err))
	}
	v, ok := parse(data)
	if !ok {
		return missing[T](s.path + " does not say")
	}
	return maybe[T]{value: v}
}

// readIO leaves out what this Reader itself has read, which would be the most in a quiet second.
func (r *Reader) readIO() maybe[IO] {
	own := r.scratch.read
	io := readFrom(r, r.io, parseIO)
	io.value.RCharBytes -= own
	return io
}

func parseIO(data []byte) (io IO, ok bool) {
	ok = all(data, field{"rchar", &io.RCharBytes}, field{"wchar", &io.WCharBytes},
		field{"read_bytes", &io.ReadBytes}, field{"write_bytes", &io.WriteBytes})
	return io, ok
}

func parseStatus(data []byte) (m Memory, ok bool) {
	ok = all(data, field{"VmRSS", &m.RSSBytes}, field{"VmHWM", &m.PeakBytes})
	m.RSSBytes <<= 10 // from KiB
	m.PeakBytes <<= 10
	return m, ok
}

type field struct {
	key string
	to  *int64
}

// all sets the fields to their values, and tells whether each was there.
func all(data []byte, fields ...field) bool {
	ok := true
	for _, f := range fields {
		n, found := value(data, f.key)
		*f.to = n
		ok = ok && found
	}
	return ok
}

// tick is the unit of /proc/stat, in seconds: 1/USER_HZ, which is 100 on every system that Go has.
const tick = 0.01

// parseStat sums the CPUs that the process may use. A line is
// "cpu3 user nice system idle iowait irq softirq steal guest guest_nice"; user holds guest.
func (r *Reader) parseStat(data []byte) (m Machine, ok bool) {
	var sum [8]int64
	for len(data) > 0 {
		var line []byte
		line, data, _ = bytes.Cut(data, newline)
		cpu, isCPU := cpuLine(line)
		if !isCPU {
			break // CPUs come first
		}
		var n [8]int64
		_, counts, _ := bytes.Cut(line, blank)
		if cpu < 0 || !r.mayUse(cpu) || numbers(counts, n[:]) < 4 {
			continue
		}
		m.CPUs++
		for i := range sum {
			sum[i] += n[i]
		}
	}
	m.BusySeconds = tick * float64(sum[0]+sum[1]+sum[2]+sum[5]+sum[6])
	m.IdleSeconds = tick * float64(sum[3])
	m.IOWaitSeconds = tick * float64(sum[4])
	m.StealSeconds = tick * float64(sum[7])
	return m, m.BusySeconds+m.IdleSeconds > 0 // a sandbox may show a file of zeros
}

var blank = []byte(" ")

// cpuLine returns the number of a CPU's line, -1 for the line of them all.
func cpuLine(line []byte) (int, bool) {
	name, _, _ := bytes.Cut(line, blank)
	if len(name) < 3 || string(name[:3]) != "cpu" {
		return 0, false
	}
	if len(name) == 3 {
		return -1, true
	}
	n, ok := number(name[3:])
	return int(n), ok
}

func (r *Reader) mayUse(cpu int) bool {
	if r.cpus == nil {
		return true
	}
	for _, c := range r.cpus {
		if c == cpu {
			return true
		}
	}
	return false
}

// EachThread visits the threads that lived at the last reading, with the CPU time of each in nanoseconds.
func (r *Reader) EachThread(visit func(tid int, onCPUNS int64)) { r.tasks.each(visit) }
