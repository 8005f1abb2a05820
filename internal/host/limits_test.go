package host

import (
	"os"
	"path/filepath"
	"testing"
)

// fakeSystem makes a system whose files and environment are given.
func fakeSystem(t *testing.T, cpus int, env, files map[string]string) system {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return system{env: func(k string) string { return env[k] }, root: root, affinity: func() []int { return upTo(cpus) }, numCPUs: 64}
}

// upTo lists the CPUs below n; nil, unknown, for none.
func upTo(n int) (cpus []int) {
	for cpu := range n {
		cpus = append(cpus, cpu)
	}
	return cpus
}

func TestMemoryLimitIsTheSmallestThatApplies(t *testing.T) {
	const meminfo = "MemTotal:       16777216 kB\nMemFree: 1 kB\n"
	tests := []struct {
		name       string
		env, files map[string]string
		want       int64
		source     string
	}{
		{"a bare machine has its RAM", nil, map[string]string{"proc/meminfo": meminfo}, 16 << 30, "RAM"},
		{"Slurm's memory per node is in MiB", map[string]string{"SLURM_MEM_PER_NODE": "4096"},
			map[string]string{"proc/meminfo": meminfo}, 4 << 30, "SLURM_MEM_PER_NODE"},
		{"Slurm's memory per CPU counts for all CPUs of the node", map[string]string{"SLURM_MEM_PER_CPU": "1024", "SLURM_CPUS_ON_NODE": "3"},
			map[string]string{"proc/meminfo": meminfo}, 3 << 30, "SLURM_MEM_PER_CPU x SLURM_CPUS_ON_NODE"},
		{"a parent's memory.max bounds a group that says max", nil, map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "1073741824\n"}, 1 << 30, "cgroup"},
		{"v1 steps say unlimited, their hierarchy does not", nil, map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "5:memory:/slurm/job_1/step_0\n",
			"sys/fs/cgroup/memory/slurm/job_1/step_0/memory.stat": "cache 1\nhierarchical_memory_limit 209715200\n"}, 200 << 20, "cgroup"},
		{"a container's group is at the root of its mount", nil, map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/docker/0123\n", "sys/fs/cgroup/memory.max": "536870912"}, 512 << 20, "cgroup"},
		{"v1's unlimited is no limit", nil, map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "5:memory:/\n",
			"sys/fs/cgroup/memory/memory.stat": "hierarchical_memory_limit 9223372036854771712\n"}, 16 << 30, "RAM"},
		{"nothing known is nothing", nil, nil, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, source := fakeSystem(t, 8, tt.env, tt.files).memory()
			if got != tt.want || source != tt.source {
				t.Errorf("memory = %d from %q, want %d from %q", got, source, tt.want, tt.source)
			}
		})
	}
}

func TestThreadsAreTheCPUsThisProcessMayUse(t *testing.T) {
	tests := []struct {
		name       string
		affinity   int
		env, files map[string]string
		want       int
	}{
		{"affinity", 6, nil, nil, 6},
		{"unknown affinity falls back to the machine", 0, nil, nil, 64},
		{"cpus per task before cpus on node", 6, map[string]string{"SLURM_CPUS_PER_TASK": "2", "SLURM_CPUS_ON_NODE": "4"}, nil, 2},
		{"cpus on node where -c was not given", 6, map[string]string{"SLURM_CPUS_ON_NODE": "4"}, nil, 4},
		{"Slurm cannot grant more than affinity", 3, map[string]string{"SLURM_CPUS_PER_TASK": "8"}, nil, 3},
		{"a v2 quota of one and a half CPUs is two", 6, nil, map[string]string{
			"proc/self/cgroup": "0::/x\n", "sys/fs/cgroup/x/cpu.max": "150000 100000\n"}, 2},
		{"a v1 quota", 6, nil, map[string]string{"proc/self/cgroup": "3:cpu,cpuacct:/x\n",
			"sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "300000\n", "sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000\n"}, 3},
		{"a v1 quota of -1 is none", 6, nil, map[string]string{"proc/self/cgroup": "3:cpu,cpuacct:/\n",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, 6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := fakeSystem(t, tt.affinity, tt.env, tt.files).threads(); got != tt.want {
				t.Errorf("threads = %d, want %d", got, tt.want)
			}
		})
	}
}

func TestCPULimitNamesWhatBinds(t *testing.T) {
	const v1Mount = "36 31 0:35 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:12 - cgroup cgroup rw,cpu,cpuacct\n"
	tests := []struct {
		name     string
		affinity int
		files    map[string]string
		want     float64
		source   string
	}{
		{"nothing but the machine", 0, nil, 64, "online CPUs"},
		{"the kernel's list of CPUs", 6, map[string]string{"sys/devices/system/cpu/online": "0-3,6,8\n"}, 6, "online CPUs"},
		{"fewer than that", 3, map[string]string{"sys/devices/system/cpu/online": "0-7\n"}, 3, "affinity"},
		{"a quota need not be whole", 6, map[string]string{"proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/b/cpu.max": "150000 100000\n"}, 1.5, "cgroup /a/b cpu.max 150000/100000"},
		{"an ancestor's quota", 6, map[string]string{"proc/self/cgroup": "0::/a/b/c\n",
			"sys/fs/cgroup/a/b/c/cpu.max": "max 100000\n", "sys/fs/cgroup/a/b/cpu.max": "500000 100000\n",
			"sys/fs/cgroup/a/cpu.max": "125000 50000\n"}, 2.5, "cgroup /a cpu.max 125000/50000"},
		{"a quota above affinity does not bind", 2, map[string]string{"proc/self/cgroup": "0::/a\n",
			"sys/fs/cgroup/a/cpu.max": "300000 100000\n"}, 2, "affinity"},
		{"v1 and v2 side by side, where mountinfo says", 6, map[string]string{
			"proc/self/cgroup":                                      "3:cpuacct,cpu:/slurm/job\n0::/x\n",
			"proc/self/mountinfo":                                   v1Mount + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
			"sys/fs/cgroup/unified/x/cpu.max":                       "400000 100000\n",
			"sys/fs/cgroup/cpu,cpuacct/slurm/job/cpu.cfs_quota_us":  "25000\n",
			"sys/fs/cgroup/cpu,cpuacct/slurm/job/cpu.cfs_period_us": "100000\n"}, 0.25, "cgroup /slurm/job cpu.cfs_quota_us 25000/100000"},
		{"a container's mount begins at its own group", 6, map[string]string{"proc/self/cgroup": "3:cpu:/docker/01/in\n",
			"proc/self/mountinfo":                   "36 31 0:35 /docker/01 /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n",
			"sys/fs/cgroup/cpu/in/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/in/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
		}, 0.5, "cgroup /docker/01 cpu.cfs_quota_us 50000/100000"},
		{"a period of zero is no quota", 6, map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "100000 0\n"}, 6, "affinity"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, source := fakeSystem(t, tt.affinity, nil, tt.files).cpuLimit()
			if got != tt.want || source != tt.source {
				t.Errorf("cpuLimit = %g from %q, want %g from %q", got, source, tt.want, tt.source)
			}
		})
	}
}
