package pipeline

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// noLimit is the smallest number the kernel uses to say "unlimited" in cgroup v1.
const noLimit = int64(1) << 60

// host is where limits are looked up; tests give it other roots and another environment.
type host struct {
	env     func(string) string
	root    string     // "/" for the real machine
	cpus    func() int // CPUs the scheduler lets this process run on; 0 when unknown
	numCPUs int
}

func thisHost() host {
	return host{env: os.Getenv, root: "/", cpus: affinity, numCPUs: runtime.NumCPU()}
}

// DefaultThreads is the number of CPUs this process may use: the smallest of scheduler
// affinity, cgroup quota (rounded up) and what Slurm granted. At least 1.
func DefaultThreads() int { return thisHost().threads() }

// MemoryLimit is the memory that this process may use, in bytes, and where that is
// said. 0 means that no limit could be found.
func MemoryLimit() (bytes int64, source string) { return thisHost().memory() }

func (h host) threads() int {
	n := h.cpus()
	if n <= 0 {
		n = h.numCPUs
	}
	if q := h.cpuQuota(); q > 0 && q < n {
		n = q
	}
	slurm := positive(h.env("SLURM_CPUS_PER_TASK"))
	if slurm == 0 {
		slurm = positive(h.env("SLURM_CPUS_ON_NODE"))
	}
	if slurm > 0 && slurm < int64(n) {
		n = int(slurm)
	}
	return max(n, 1)
}

// memory takes the smallest of all limits: a Slurm site need not enforce by cgroup, and
// a container inside a job may be tighter than the job.
func (h host) memory() (int64, string) {
	var best int64
	var source string
	consider := func(n int64, from string) {
		if n > 0 && n < noLimit && (best == 0 || n < best) {
			best, source = n, from
		}
	}
	consider(positive(h.env("SLURM_MEM_PER_NODE"))<<20, "SLURM_MEM_PER_NODE")
	consider(positive(h.env("SLURM_MEM_PER_CPU"))*positive(h.env("SLURM_CPUS_ON_NODE"))<<20,
		"SLURM_MEM_PER_CPU x SLURM_CPUS_ON_NODE")
	consider(h.cgroupMemory(), "cgroup")
	consider(h.ram(), "RAM")
	return best, source
}

func (h host) read(path ...string) string {
	data, err := os.ReadFile(filepath.Join(append([]string{h.root}, path...)...))
	if err != nil {
		return ""
	}
	return string(data)
}

// cgroupPath is the group of this process for a v1 controller, or for v2 where
// controller is empty.
func (h host) cgroupPath(controller string) (string, bool) {
	for line := range strings.Lines(h.read("proc/self/cgroup")) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		if controller == "" && parts[0] == "0" && parts[1] == "" {
			return parts[2], true
		}
		for c := range strings.SplitSeq(parts[1], ",") {
			if controller != "" && c == controller {
				return parts[2], true
			}
		}
	}
	return "", false
}

// walkUp calls visit for a group and its parents, the root of the hierarchy last. In a
// container the group's own path is often not there, and the mount's root is the group.
func walkUp(group string, visit func(dir string)) {
	for dir := filepath.Clean("/" + group); ; dir = filepath.Dir(dir) {
		visit(dir)
		if dir == "/" {
			return
		}
	}
}

func (h host) cgroupMemory() int64 {
	best := noLimit
	if group, ok := h.cgroupPath(""); ok {
		walkUp(group, func(dir string) {
			if n := positive(h.read("sys/fs/cgroup", dir, "memory.max")); n > 0 {
				best = min(best, n)
			}
		})
	}
	if group, ok := h.cgroupPath("memory"); ok {
		walkUp(group, func(dir string) {
			best = min(best, hierarchicalLimit(h.read("sys/fs/cgroup/memory", dir, "memory.stat")))
		})
	}
	return best
}

// hierarchicalLimit reads the limit that counts in cgroup v1: a job step's own
// memory.limit_in_bytes says unlimited although its job is bounded.
func hierarchicalLimit(stat string) int64 {
	for line := range strings.Lines(stat) {
		if v, ok := strings.CutPrefix(line, "hierarchical_memory_limit "); ok {
			if n := positive(v); n > 0 {
				return n
			}
		}
	}
	return noLimit
}

// cpuQuota is the cgroup's CPU bandwidth in whole CPUs, rounded up; 0 means none.
func (h host) cpuQuota() int {
	best := 0
	consider := func(quota, period int64) {
		if quota <= 0 || period <= 0 {
			return
		}
		n := int((quota + period - 1) / period)
		if best == 0 || n < best {
			best = n
		}
	}
	if group, ok := h.cgroupPath(""); ok {
		walkUp(group, func(dir string) {
			f := strings.Fields(h.read("sys/fs/cgroup", dir, "cpu.max"))
			if len(f) == 2 {
				consider(positive(f[0]), positive(f[1]))
			}
		})
	}
	if group, ok := h.cgroupPath("cpu"); ok {
		walkUp(group, func(dir string) {
			consider(positive(h.read("sys/fs/cgroup/cpu", dir, "cpu.cfs_quota_us")),
				positive(h.read("sys/fs/cgroup/cpu", dir, "cpu.cfs_period_us")))
		})
	}
	return best
}

func (h host) ram() int64 {
	for line := range strings.Lines(h.read("proc/meminfo")) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemTotal:" {
			return positive(f[1]) << 10
		}
	}
	return 0
}

// positive parses a positive decimal number; anything else, such as "max", is 0.
func positive(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
