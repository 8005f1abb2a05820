package host

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// noLimit is the smallest number the kernel uses to say "unlimited" in cgroup v1.
const noLimit = int64(1) << 60

// Threads is the number of CPUs this process may use: [CPULimit] rounded up, or what Slurm
// granted where that is less. At least 1.
func Threads() int { return thisSystem().threads() }

// CPULimit is how many CPUs this process may use, fractions included, and what sets that: the
// smallest of the scheduler's affinity and the quotas of the process's control group and its
// ancestors, v1 and v2. The source reads "online CPUs", "affinity", or
// "cgroup /a/b cpu.max 150000/100000": microseconds of CPU in each period.
func CPULimit() (cpus float64, source string) { return thisSystem().cpuLimit() }

// MemoryLimit is the memory that this process may use, in bytes, and where that is
// said. 0 means that no limit could be found.
func MemoryLimit() (bytes int64, source string) { return thisSystem().memory() }

func (s system) threads() int {
	cpus, _ := s.cpuLimit()
	n := int(math.Ceil(cpus))
	slurm := positive(s.env("SLURM_CPUS_PER_TASK"))
	if slurm == 0 {
		slurm = positive(s.env("SLURM_CPUS_ON_NODE"))
	}
	if slurm > 0 && slurm < int64(n) {
		n = int(slurm)
	}
	return max(n, 1)
}

func (s system) cpuLimit() (float64, string) {
	online := onlineCPUs(s.read("sys/devices/system/cpu/online"))
	if online == 0 {
		online = s.numCPUs
	}
	best, source := float64(online), "online CPUs"
	if n := len(s.affinity()); n > 0 && n < online {
		best, source = float64(n), "affinity"
	}
	consider := func(g group, file string, q quota) {
		if q.set() && q.cpus() < best {
			best, source = q.cpus(), fmt.Sprintf("cgroup %s %s %d/%d", g.name, file, q.usedUS, q.periodUS)
		}
	}
	for _, g := range s.groups("") {
		consider(g, "cpu.max", parseMax([]byte(s.read(g.dir, "cpu.max"))))
	}
	for _, g := range s.groups("cpu") {
		consider(g, "cpu.cfs_quota_us", quota{
			positive(s.read(g.dir, "cpu.cfs_quota_us")), positive(s.read(g.dir, "cpu.cfs_period_us"))})
	}
	return best, source
}

// onlineCPUs counts a list such as "0-3,6"; 0 where it is none.
func onlineCPUs(list string) int {
	n := 0
	for part := range strings.SplitSeq(strings.TrimSpace(list), ",") {
		from, to, isRange := strings.Cut(part, "-")
		first, err := strconv.ParseUint(from, 10, 16)
		if err != nil {
			return 0
		}
		last := first
		if isRange {
			if last, err = strconv.ParseUint(to, 10, 16); err != nil || last < first {
				return 0
			}
		}
		n += int(last-first) + 1
	}
	return n
}

// memory takes the smallest of all limits: a Slurm site need not enforce by cgroup, and
// a container inside a job may be tighter than the job.
func (s system) memory() (int64, string) {
	var best int64
	var source string
	consider := func(n int64, from string) {
		if n > 0 && n < noLimit && (best == 0 || n < best) {
			best, source = n, from
		}
	}
	consider(positive(s.env("SLURM_MEM_PER_NODE"))<<20, "SLURM_MEM_PER_NODE")
	consider(positive(s.env("SLURM_MEM_PER_CPU"))*positive(s.env("SLURM_CPUS_ON_NODE"))<<20,
		"SLURM_MEM_PER_CPU x SLURM_CPUS_ON_NODE")
	consider(s.cgroupMemory(), "cgroup")
	consider(s.ram(), "RAM")
	return best, source
}

func (s system) cgroupMemory() int64 {
	best := noLimit
	for _, g := range s.groups("") {
		if n := positive(s.read(g.dir, "memory.max")); n > 0 {
			best = min(best, n)
		}
	}
	for _, g := range s.groups("memory") {
		best = min(best, hierarchicalLimit(s.read(g.dir, "memory.stat")))
	}
	return best
}

func (s system) ram() int64 {
	kib, _ := value([]byte(s.read("proc/meminfo")), "MemTotal")
	return kib << 10
}
