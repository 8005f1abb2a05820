package host

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// skipElsewhere: the files of a made-up root are read by system calls of Linux.
func skipElsewhere(t testing.TB) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip(notHere)
	}
}

// aProcess is the kernel's view of a process in a cgroup v2 of two levels and a v1 memory group.
func aProcess() map[string]string {
	const psi = "some avg10=0 avg60=0 avg300=0 total=1000000\nfull avg10=0 avg60=0 avg300=0 total=400000\n"
	return map[string]string{
		"proc/self/io":                                 "rchar: 1000\nwchar: 2000\nread_bytes: 300\nwrite_bytes: 400\n",
		"proc/self/status":                             "Name:\tx\nVmHWM:\t 2048 kB\nVmRSS:\t 1024 kB\n",
		"proc/stat":                                    "cpu 100 0 0 100 0 0 0 0 0 0\ncpu0 100 0 0 100 5 0 0 3 0 0\n",
		"proc/self/task/10/schedstat":                  "1000000000 100000000 5\n",
		"proc/self/task/11/schedstat":                  "2000000000 200000000 5\n",
		"proc/self/cgroup":                             "4:memory:/m\n0::/job/step\n",
		"proc/pressure/cpu":                            psi,
		"proc/pressure/io":                             psi,
		"proc/pressure/memory":                         psi,
		"sys/fs/cgroup/job/step/cpu.stat":              "nr_periods 10\nnr_throttled 0\nthrottled_usec 0\n",
		"sys/fs/cgroup/job/step/cpu.max":               "max 100000\n",
		"sys/fs/cgroup/job/step/cgroup.type":           "domain\n",
		"sys/fs/cgroup/job/step/cpu.pressure":          psi,
		"sys/fs/cgroup/job/step/io.pressure":           psi,
		"sys/fs/cgroup/job/step/memory.pressure":       psi,
		"sys/fs/cgroup/job/cpu.stat":                   "nr_periods 10\nnr_throttled 2\nthrottled_usec 500000\n",
		"sys/fs/cgroup/job/cpu.max":                    "150000 100000\n",
		"sys/fs/cgroup/memory/m/memory.usage_in_bytes": "5000\n",
		"sys/fs/cgroup/memory/m/memory.limit_in_bytes": "9000\n",
		"sys/fs/cgroup/memory/m/memory.failcnt":        "3\n",
		"sys/fs/cgroup/memory/memory.usage_in_bytes":   "70000\n",
		"sys/fs/cgroup/memory/memory.limit_in_bytes":   "9223372036854771712\n",
		"sys/fs/cgroup/memory/memory.failcnt":          "0\n",
	}
}

func rewrite(t *testing.T, s system, name, text string) {
	t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestSinceIsWhatHappenedBetween(t *testing.T) {
	skipElsewhere(t)
	s := fakeSystem(t, 1, nil, aProcess())
	r := newReader(s)
	defer r.Close()
	before := r.Read()
	own := r.scratch.read
	rewrite(t, s, "proc/self/io", "rchar: 6000\nwchar: 2020\nread_bytes: 303\nwrite_bytes: 404\n")
	rewrite(t, s, "proc/stat", "cpu 100 0 0 100 0 0 0 0 0 0\ncpu0 8100 0 0 300 2 0 0 4 0 0\n")
	rewrite(t, s, "proc/self/task/11/schedstat", "2500000000 900000000 5\n")
	rewrite(t, s, "proc/pressure/io", "some avg10=0 avg60=0 avg300=0 total=1750000\nfull avg10=0 avg60=0 avg300=0 total=650000\n")
	rewrite(t, s, "sys/fs/cgroup/job/step/cpu.pressure", "some avg10=0 avg60=0 avg300=0 total=1000000\nfull avg10=0 avg60=0 avg300=0 total=900000\n")
	rewrite(t, s, "sys/fs/cgroup/job/cpu.stat", "nr_periods 30\nnr_throttled 12\nthrottled_usec 2500000\n")
	rewrite(t, s, "sys/fs/cgroup/memory/m/memory.failcnt", "8\n")
	d := r.Read().Since(before)

	check(t, "io without the Reader's own", d.IO, &IO{5000 - own, 20, 3, 4})
	check(t, "memory", d.Memory, &Memory{1 << 20, 2 << 20})
	check(t, "limit hits", d.GroupMemory.LimitHits, 5)
	check(t, "memory group", d.GroupMemory.Group, "/m")
	check(t, "memory limit", *d.GroupMemory.LimitBytes, 9000)
	near(t, "on CPU", d.RunQueue.OnCPUSeconds, 0.5)
	near(t, "run-queue delay", d.RunQueue.DelaySeconds, 0.7)
	near(t, "busy", d.Machine.BusySeconds, 80)
	near(t, "steal", d.Machine.StealSeconds, 0.01)
	near(t, "iowait that went backwards", d.Machine.IOWaitSeconds, 0)
	near(t, "others", *d.Machine.OthersSeconds, 80-d.CPU.Seconds())
	near(t, "some I/O pressure", d.Pressure.IO.SomeSeconds, 0.75)
	near(t, "full I/O pressure", *d.Pressure.IO.FullSeconds, 0.25)
	check(t, "full CPU pressure of a machine", d.Pressure.CPU.FullSecondsReason, machineFull)
	near(t, "full CPU pressure of a group", *d.GroupPressure.CPU.FullSeconds, 0.5)
	check(t, "groups", len(d.Throttling.Groups), 2)
	check(t, "most throttled", *d.Throttling.MostThrottled, "/job")
	job := d.Throttling.Groups[1]
	check(t, "periods", [2]int64{job.Periods, job.ThrottledPeriods}, [2]int64{20, 10})
	near(t, "throttled", job.ThrottledSeconds, 2)
	near(t, "quota", *job.QuotaCPUs, 1.5)
	if step := d.Throttling.Groups[0]; step.QuotaCPUs != nil || step.QuotaCPUsReason == "" {
		t.Errorf("the group without a quota has %+v", step)
	}
}

func check[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if got-want > 1e-6 || want-got > 1e-6 {
		t.Errorf("%s: %g, want %g", what, got, want)
	}
}

func TestThreadsThatEndStayInTheSum(t *testing.T) {
	skipElsewhere(t)
	s := fakeSystem(t, 1, nil, aProcess())
	r := newReader(s)
	defer r.Close()
	first := r.Read()
	rewrite(t, s, "proc/self/task/11/schedstat", "") // as good as ESRCH for who has it open
	if err := os.RemoveAll(s.path("proc/self/task/11")); err != nil {
		t.Fatal(err)
	}
	second := r.Read()
	check(t, "after an end", second.Since(first).RunQueue, &RunQueue{Threads: 1})
	if err := os.Rename(s.path("proc/self/task/10"), s.path("proc/self/hidden")); err != nil { // not listed, but alive
		t.Fatal(err)
	}
	check(t, "after a listing that missed one", r.Read().Since(second).RunQueue, &RunQueue{Threads: 1})
	if err := os.MkdirAll(s.path("proc/self/task/12"), 0o777); err != nil {
		t.Fatal(err)
	}
	rewrite(t, s, "proc/self/task/12/schedstat", "250000000 500000000 1\n")
	check(t, "after a start", r.Read().Since(second).RunQueue, &RunQueue{0.25, 0.5, 2})
}

// Nothing at all: every group must be absent with a reason, never zero.
func TestWhatIsMissingHasAReason(t *testing.T) {
	r := newReader(fakeSystem(t, 0, nil, nil))
	defer r.Close()
	d := r.Read().Since(r.Read())
	for _, name := range []string{"IO", "RunQueue", "Machine", "Throttling", "Pressure", "GroupPressure", "Memory", "GroupMemory"} {
		if !reflect.ValueOf(d).FieldByName(name).IsNil() {
			t.Errorf("%s was measured without a source", name)
		}
	}
	if d.CPU == nil || d.Runtime == nil {
		t.Error("what needs no files is missing")
	}
	reasons(t, "Delta", reflect.ValueOf(d))
}

// reasons walks through a struct: a pointer is set, or its field NameReason is.
func reasons(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			reasons(t, name, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			reasons(t, name, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			if f.Type.Kind() == reflect.Pointer {
				reason := v.FieldByName(f.Name + "Reason")
				if !reason.IsValid() || (reason.String() == "") != (v.Field(i).Kind() == reflect.Pointer && !v.Field(i).IsNil()) {
					t.Errorf("%s.%s: set %t, reason %q", name, f.Name, !v.Field(i).IsNil(), reason)
				}
			}
			reasons(t, name+"."+f.Name, v.Field(i))
		}
	}
}

func TestReasonsInJSON(t *testing.T) {
	skipElsewhere(t)
	files := aProcess()
	for name := range files {
		if strings.HasPrefix(name, "proc/pressure") {
			delete(files, name)
		}
	}
	r := newReader(fakeSystem(t, 1, nil, files))
	defer r.Close()
	d := r.Read().Since(r.Read())
	reasons(t, "Delta", reflect.ValueOf(d))
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	if v, there := keys["pressure"]; !there || v != nil || keys["pressure_reason"] == nil {
		t.Errorf("pressure is %v, because %v", v, keys["pressure_reason"])
	}
}

func TestGCSecondsWaitForACollection(t *testing.T) {
	r := newRuntimeReader()
	runtime.GC()
	a := r.read()
	check(t, "readable", a.reason, "")
	still := Runtime{GCCycles: a.value.GCCycles}.since(Runtime{GCCycles: a.value.GCCycles})
	if still.GCSeconds != nil || still.GCSecondsReason != staleGC || still.AssistSecondsReason != staleGC {
		t.Errorf("without a collection: %+v", still)
	}
	runtime.GC()
	d := r.read().value.since(a.value)
	if d.GCCycles < 1 || d.GCSeconds == nil || *d.GCSeconds <= 0 {
		t.Errorf("after a collection: %+v", d)
	}
}

func TestFileOf(t *testing.T) {
	skipElsewhere(t)
	const mounts = "27 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 1 0:25 / /dev/shm rw - tmpfs tmpfs rw\n31 1 0:40 / /home rw - nfs4 s:/h rw\n"
	s := fakeSystem(t, 1, nil, map[string]string{"proc/self/mountinfo": mounts,
		"sys/devices/pci0/block/sda/sda1/partition": "1\n", "sys/devices/pci0/block/sda/dev": "8:0\n",
		"sys/devices/pci0/block/sda/queue/rotational": "1\n", "sys/devices/virtual/block/dm-0/dev": "253:0\n"})
	if err := os.MkdirAll(s.path("sys/dev/block"), 0o777); err != nil {
		t.Fatal(err)
	}
	for device, dir := range map[string]string{"8:1": "pci0/block/sda/sda1", "253:0": "virtual/block/dm-0"} {
		if err := os.Symlink(filepath.Join("../../devices", dir), s.path("sys/dev/block", device)); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name                     string
		place                    place
		kind, block, disk, turns string // "-" for none
		inMemory                 bool
		diskMinor                uint32
	}{
		{"a partition", place{major: 8, minor: 1, magic: 0xef53}, "ext4", "sda1", "sda", "true", false, 0},
		{"a device-mapper volume, which mountinfo does not list", place{major: 253, magic: 0x58465342}, "xfs", "dm-0", "dm-0", "-", false, 0},
		{"memory", place{minor: 25, magic: 0x01021994}, "tmpfs", "-", "-", "-", true, 25},
		{"a server", place{minor: 40, magic: 0x6969}, "nfs4", "-", "-", "-", false, 40},
		{"an unknown kind", place{minor: 41, magic: 0x12345}, "-", "-", "-", "-", false, 41},
		{"a pipe", place{minor: 12, pipe: true}, "-", "-", "-", "-", false, 12},
		{"nothing", place{err: os.ErrNotExist}, "-", "-", "-", "-", false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := s.fileOf(tt.place)
			check(t, "kind, block device, disk", [3]string{orDash(f.FileSystem), orDash(f.BlockDevice), orDash(f.Disk)}, [3]string{tt.kind, tt.block, tt.disk})
			check(t, "in memory", f.InMemory, tt.inMemory)
			check(t, "minor number of the disk", f.DiskMinor, tt.diskMinor)
			turns := "-"
			if f.Rotational != nil {
				turns = map[bool]string{true: "true", false: "false"}[*f.Rotational]
			}
			check(t, "rotational", turns, tt.turns)
			reasons(t, "File", reflect.ValueOf(f))
		})
	}
}

func orDash(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}
