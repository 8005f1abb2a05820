package pipeline

import (
	"os"
	"path/filepath"
	"testing"
)

// fakeHost makes a host whose files and environment are given.
func fakeHost(t *testing.T, cpus int, env, files map[string]string) host {
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
	return host{env: func(k string) string { return env[k] }, root: root, cpus: func() int { return cpus }, numCPUs: 64}
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
			got, source := fakeHost(t, 8, tt.env, tt.files).memory()
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
			if got := fakeHost(t, tt.affinity, tt.env, tt.files).threads(); got != tt.want {
				t.Errorf("threads = %d, want %d", got, tt.want)
			}
		})
	}
}

func TestParseSize(t *testing.T) {
	tests := []struct {
		text string
		want int64 // 0: refused
	}{
		{"1", 1}, {"512M", 512 << 20}, {"1.5G", 3 << 29}, {"4g", 4 << 30}, {"2GiB", 2 << 30}, {"2GB", 2 << 30}, {"0.5K", 512}, {"1T", 1 << 40},
		{"", 0}, {"0", 0}, {"-1G", 0}, {"G", 0}, {"1.2.3", 0}, {"1e9", 0}, {"Inf", 0}, {"9999999T", 0}, {"1 G", 0},
	}
	for _, tt := range tests {
		got, err := ParseSize(tt.text)
		if got != tt.want || (err == nil) != (tt.want > 0) {
			t.Errorf("ParseSize(%q) = %d, %v, want %d", tt.text, got, err, tt.want)
		}
	}
}

func TestParseReadGroup(t *testing.T) {
	tests := []struct {
		name, line, id string // id empty: refused
	}{
		{"written tabs", `@RG\tID:s1\tSM:x`, "s1"},
		{"real tabs", "@RG\tID:s1\tSM:x y", "s1"},
		{"ID need not come first", `@RG\tSM:x\tID:s2`, "s2"},
		{"no @RG", `ID:s1\tSM:x`, ""},
		{"no ID", `@RG\tSM:x`, ""},
		{"empty ID", `@RG\tID:\tSM:x`, ""},
		{"twice the same tag", `@RG\tID:a\tID:b`, ""},
		{"no tag", `@RG\tID:a\tfoo`, ""},
		{"a line end would add a header line", "@RG\tID:a\n@CO\tx", ""},
		{"another header", `@RGX\tID:a`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rg, err := ParseReadGroup(tt.line)
			if rg.ID != tt.id || (err == nil) != (tt.id != "") {
				t.Errorf("ParseReadGroup = %+v, %v, want ID %q", rg, err, tt.id)
			}
			if err != nil && ExitCode(err) != ExitMisuse {
				t.Errorf("exit code %d, want misuse", ExitCode(err))
			}
		})
	}
}
