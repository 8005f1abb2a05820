package host

import (
	"bytes"
	"os"
)

// cpuGroup is a control group that may have a CPU quota.
type cpuGroup struct {
	group
	version       int
	stat          *source
	quota, period *source // v2 has both in one file; period is nil then
}

// cpuGroups are the own group and its ancestors, where they count throttling: v2's root does not.
func (s system) cpuGroups() []cpuGroup {
	var list []cpuGroup
	add := func(g cpuGroup) {
		if _, ok := value([]byte(s.read(g.dir, "cpu.stat")), "nr_periods"); ok {
			g.stat = s.source(g.dir, "cpu.stat")
			list = append(list, g)
		}
	}
	for _, g := range s.groups("") {
		add(cpuGroup{group: g, version: 2, quota: s.source(g.dir, "cpu.max")})
	}
	for _, g := range s.groups("cpu") {
		add(cpuGroup{group: g, version: 1, quota: s.source(g.dir, "cpu.cfs_quota_us"), period: s.source(g.dir, "cpu.cfs_period_us")})
	}
	return list
}

func (r *Reader) readThrottling() maybe[Throttling] {
	if len(r.cpu) == 0 {
		return missing[Throttling](noGroup("CPU"))
	}
	t := Throttling{Groups: make([]Throttled, 0, len(r.cpu))}
	var failed string
	for i := range r.cpu {
		g := &r.cpu[i]
		data, err := g.stat.read(r.scratch)
		if err != nil {
			failed = because(err)
			continue
		}
		if one, ok := parseCPUStat(data); ok {
			one.Group, one.Version, one.quota = g.name, g.version, r.readQuota(g)
			t.Groups = append(t.Groups, one)
		}
	}
	if len(t.Groups) == 0 {
		return missing[Throttling](failed)
	}
	return maybe[Throttling]{value: t}
}

func noGroup(controller string) string {
	return orNotHere("no control group with the " + controller + " controller can be seen")
}

// parseCPUStat reads cpu.stat: v1 counts nanoseconds, v2 microseconds.
func parseCPUStat(data []byte) (t Throttled, ok bool) {
	ok = all(data, field{"nr_periods", &t.Periods}, field{"nr_throttled", &t.ThrottledPeriods})
	if ns, found := value(data, "throttled_time"); found {
		t.ThrottledSeconds = float64(ns) / 1e9
		return t, ok
	}
	us, found := value(data, "throttled_usec")
	t.ThrottledSeconds = float64(us) / 1e6
	return t, ok && found
}

func (r *Reader) readQuota(g *cpuGroup) quota {
	data, err := g.quota.read(r.scratch)
	if err != nil {
		return quota{}
	}
	if g.version == 2 {
		return parseMax(data)
	}
	q, _ := firstNumber(data)
	period, _ := r.readNumber(g.period)
	return quota{q, period}
}

func (r *Reader) readNumber(s *source) (int64, bool) {
	data, err := s.read(r.scratch)
	if err != nil {
		return 0, false
	}
	return firstNumber(data)
}

// memoryGroup is a control group that counts memory.
type memoryGroup struct {
	group
	version            int
	usage, limit, hits *source
}

func (s system) memoryGroups() []memoryGroup {
	var list []memoryGroup
	add := func(g group, version int, usage, limit, hits string) {
		if _, ok := firstNumber([]byte(s.read(g.dir, usage))); ok {
			list = append(list, memoryGroup{g, version, s.source(g.dir, usage), s.source(g.dir, limit), s.source(g.dir, hits)})
		}
	}
	for _, g := range s.groups("") {
		add(g, 2, "memory.current", "memory.max", "memory.events")
	}
	for _, g := range s.groups("memory") {
		add(g, 1, "memory.usage_in_bytes", "memory.limit_in_bytes", "memory.failcnt")
	}
	return list
}

// readGroupMemory looks for the lowest limit first, and then at that group.
func (r *Reader) readGroupMemory() maybe[GroupMemory] {
	if len(r.memory) == 0 {
		return missing[GroupMemory](noGroup("memory"))
	}
	best, limit := 0, noLimit
	for i := range r.memory {
		if n, ok := r.readNumber(r.memory[i].limit); ok && n > 0 && n < limit {
			best, limit = i, n
		}
	}
	g := &r.memory[best]
	usage, ok := r.readNumber(g.usage)
	if !ok {
		return missing[GroupMemory](g.usage.path + " does not say")
	}
	data, err := g.hits.read(r.scratch)
	if err != nil {
		return missing[GroupMemory](because(err))
	}
	return maybe[GroupMemory]{value: GroupMemory{Group: g.name, Version: g.version, UsageBytes: usage, LimitHits: parseHits(data), limit: limit}}
}

// parseHits reads v1's memory.failcnt, a number, or the events of v2 that mean a limit was met.
func parseHits(data []byte) int64 {
	if n, ok := firstNumber(data); ok {
		return n
	}
	high, _ := value(data, "high")
	most, _ := value(data, "max")
	return high + most
}

// pressureGroup is the folder of the nearest group that has PSI, or "", and why its CPU pressure
// has no full line: the root group's is the machine's. Only the root has no type.
func (s system) pressureGroup() (dir, noFull string) {
	for _, g := range s.groups("") {
		if _, err := os.Stat(s.path(g.dir, "cpu.pressure")); err != nil {
			continue
		}
		if _, err := os.Stat(s.path(g.dir, "cgroup.type")); err != nil {
			noFull = machineFull
		}
		return g.dir, noFull
	}
	return "", ""
}

// machineFull is the kernel's own word: its file has a line of zeros there.
const machineFull = "not defined for the CPUs of a whole machine"

func (r *Reader) readPressure(from [3]*source, noFull string) maybe[Pressure] {
	var p Pressure
	for i, to := range []*Stall{&p.CPU, &p.IO, &p.Memory} {
		if from[i] == nil {
			return missing[Pressure](orNotHere("no control group with pressure figures can be seen"))
		}
		data, err := from[i].read(r.scratch)
		if err != nil {
			return missing[Pressure](because(err))
		}
		var ok bool
		if *to, ok = parsePressure(data); !ok {
			return missing[Pressure](from[i].path + " does not say")
		}
	}
	if noFull != "" {
		p.CPU.full, p.CPU.FullSecondsReason = 0, noFull
	}
	return maybe[Pressure]{value: p}
}

// parsePressure reads "some avg10=0.00 avg60=0.00 avg300=0.00 total=MICROSECONDS" and the same
// with full, which kernels before 5.13 do not have for CPUs.
func parsePressure(data []byte) (s Stall, ok bool) {
	s.FullSecondsReason = "the kernel has no such figure"
	for len(data) > 0 {
		var line []byte
		line, data, _ = bytes.Cut(data, newline)
		kind, rest, _ := bytes.Cut(line, blank)
		_, total, found := bytes.Cut(rest, []byte("total="))
		us, isNumber := firstNumber(total)
		if !found || !isNumber {
			continue
		}
		switch string(kind) {
		case "some":
			s.SomeSeconds, ok = float64(us)/1e6, true
		case "full":
			s.full, s.FullSecondsReason = float64(us)/1e6, ""
		}
	}
	return s, ok
}
