package host

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The tests of this file run against this machine, and skip what it does not have.

// childEnv makes the test binary another program: what it has to do.
const childEnv = "ALIGNPIPE_HOST_TEST_CHILD"

func TestMain(m *testing.M) {
	job, arg, _ := strings.Cut(os.Getenv(childEnv), "=")
	switch job {
	case "":
		os.Exit(m.Run())
	case "join":
		childInGroup(arg, func(d Delta) bool { return d.Seconds > 0.1 })
	case "throttled":
		childInGroup(arg, func(d Delta) bool {
			return d.Throttling != nil && slices.ContainsFunc(d.Throttling.Groups, func(g Throttled) bool { return g.ThrottledSeconds > 0.1 && g.ThrottledPeriods > 1 })
		})
	case "produce":
		childProducer(arg)
	}
}

// patience is for machines on which others take nearly all of the CPUs.
const patience = 30 * time.Second

func child(t *testing.T, job string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+job)
	cmd.Stderr = os.Stderr
	return cmd
}

// burn uses CPU on this thread for about d of wall time.
func burn(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}

func TestBurningCPUShows(t *testing.T) {
	r := NewReader()
	defer r.Close()
	before := r.Read()
	for end := time.Now().Add(patience); readCPU().value.Seconds() < before.cpu.value.Seconds()+0.1 && time.Now().Before(end); {
		burn(time.Millisecond)
	}
	d := r.Read().Since(before)
	reasons(t, "Delta", reflect.ValueOf(d))
	if d.CPU == nil || d.CPU.Seconds() < 0.1 {
		t.Errorf("CPU %+v (%s) in %.3f s", d.CPU, d.CPUReason, d.Seconds)
	}
	if d.Machine == nil || d.Machine.CPUs < 1 || d.Machine.BusySeconds == 0 {
		t.Errorf("machine %+v (%s)", d.Machine, d.MachineReason)
	}
	if d.Memory == nil || d.Memory.RSSBytes < 1<<20 || d.Memory.PeakBytes < d.Memory.RSSBytes {
		t.Errorf("memory %+v (%s)", d.Memory, d.MemoryReason)
	}
	if d.RunQueue == nil {
		t.Skip("run queue: " + d.RunQueueReason)
	}
	q := d.RunQueue
	if q.OnCPUSeconds < 0.05 || q.Threads < 1 {
		t.Errorf("run queue %+v in %.3f s", q, d.Seconds)
	}
	if off := q.OnCPUSeconds - d.CPU.Seconds(); off < -0.03 || off > 0.03 {
		t.Errorf("threads say %.3f s on the CPU, the process %.3f s", q.OnCPUSeconds, d.CPU.Seconds())
	}
}

func TestThreadsThatComeAndGoNeverLowerTheSum(t *testing.T) {
	r := NewReader()
	defer r.Close()
	last := r.Read()
	if last.runQueue.reason != "" {
		t.Skip(last.runQueue.reason)
	}
	for range 40 {
		done := make(chan bool)
		for range 3 {
			go func() {
				runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
				burn(time.Millisecond)
				done <- true
			}()
		}
		during := r.Read()
		for range 3 {
			<-done
		}
		for _, c := range []Counters{during, r.Read()} {
			d := c.Since(last)
			if d.RunQueue == nil || d.RunQueue.OnCPUSeconds < 0 || d.RunQueue.DelaySeconds < 0 {
				t.Fatalf("run queue %+v %s", d.RunQueue, d.RunQueueReason)
			}
			last = c
		}
	}
}

func TestReadersMayBeShared(t *testing.T) {
	r := NewReader()
	defer r.Close()
	first := r.Read()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 20 {
				if d := r.Read().Since(first); d.CPU == nil || d.CPU.Seconds() < 0 || d.Seconds < 0 {
					t.Errorf("CPU %+v in %g s", d.CPU, d.Seconds)
				}
			}
		})
	}
	group.Wait()
}

func TestTheReaderIsNoInput(t *testing.T) {
	r := NewReader()
	defer r.Close()
	before := r.Read()
	for range 20 {
		r.Read()
	}
	d := r.Read().Since(before)
	if d.IO == nil {
		t.Skip(d.IOReason)
	}
	if n := r.scratch.read / 22; d.IO.RCharBytes < 0 || d.IO.RCharBytes > n { // the Go runtime reads a little, too
		t.Errorf("%d bytes of input while nothing but the Reader read, %d bytes each time", d.IO.RCharBytes, n)
	}
}

func TestReadingAFileShowsInIO(t *testing.T) {
	r := NewReader()
	defer r.Close()
	name := filepath.Join(t.TempDir(), "x")
	before := r.Read()
	if err := os.WriteFile(name, make([]byte, 1<<20), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(name); err != nil {
		t.Fatal(err)
	}
	d := r.Read().Since(before)
	if d.IO == nil {
		t.Skip(d.IOReason)
	}
	if d.IO.RCharBytes < 1<<20 || d.IO.RCharBytes > 1<<20+64<<10 || d.IO.WCharBytes < 1<<20 || d.IO.WCharBytes > 1<<20+4<<10 {
		t.Errorf("a MiB written and read: %+v", d.IO)
	}
}

// onDisk makes a file in a file system that has a block device.
func onDisk(t testing.TB) (*os.File, File) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	at := FileOfFD(f.Fd())
	if at.BlockDevice == nil {
		t.Skip("no block device: " + at.BlockDeviceReason)
	}
	return f, at
}

const fileSize = 8<<20 + 100

func writeAll(t testing.TB, f *os.File) {
	t.Helper()
	if _, err := f.WriteAt(make([]byte, fileSize), 0); err != nil {
		t.Fatal(err)
	}
}

func TestCachedFollowsAFileToTheDisk(t *testing.T) {
	f, _ := onDisk(t)
	if c := Cached(f.Fd()); c.DirtyBytes == nil {
		t.Skip(c.DirtyBytesReason)
	}
	owed := func(c Cache) int64 { return *c.DirtyBytes + *c.WritebackBytes }
	// The kernel may begin to write at any moment, so one of several tries must show all of it.
	var most int64
	for range 5 {
		writeAll(t, f)
		c := Cached(f.Fd())
		reasons(t, "Cache", reflect.ValueOf(c))
		most = max(most, owed(c))
		check(t, "cached after writing", *c.CachedBytes, fileSize)
	}
	if most < fileSize {
		t.Errorf("%d bytes of %d were owed after writing them", most, fileSize)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	check(t, "owed after fsync", owed(Cached(f.Fd())), 0)
	check(t, "cached after fsync", *Cached(f.Fd()).CachedBytes, fileSize)
	drop(t, f)
	if _, err := f.ReadAt(make([]byte, 1<<20), 0); err != nil {
		t.Fatal(err)
	}
	if in := *Cached(f.Fd()).CachedBytes; in < 1<<20 || in > fileSize/2 {
		t.Errorf("%d bytes are cached after a MiB was read", in)
	}
}

// drop takes a synced file out of the page cache, and forbids to read ahead of what is asked for.
func drop(t testing.TB, f *os.File) {
	t.Helper()
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_RANDOM); err != nil {
		t.Fatal(err)
	}
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		t.Fatal(err)
	}
	c := Cached(f.Fd())
	if c.CachedBytes == nil {
		t.Skip(c.CachedBytesReason)
	}
	if *c.CachedBytes != 0 {
		t.Fatalf("%d bytes are cached after they were given up", *c.CachedBytes)
	}
}

func TestMincoreAgreesWithCachestat(t *testing.T) {
	f, _ := onDisk(t)
	writeAll(t, f)
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	for _, read := range []int64{fileSize, 0, 3 << 20} {
		drop(t, f)
		if _, err := io.Copy(io.Discard, io.NewSectionReader(f, 0, read)); err != nil {
			t.Fatal(err)
		}
		want, err := cachestat(int(f.Fd()), fileSize)
		if err != nil {
			t.Skip(err)
		}
		var st unix.Stat_t
		if err := unix.Fstat(int(f.Fd()), &st); err != nil {
			t.Fatal(err)
		}
		got := mincoreCache(int(f.Fd()), &st, "no cachestat")
		reasons(t, "Cache", reflect.ValueOf(got))
		check(t, fmt.Sprintf("cached after reading %d bytes", read), *got.CachedBytes, *want.CachedBytes)
	}
}

// On an overlay cachestat says 0 to everything. It must not be believed.
func TestCachedOnAnOverlay(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"low", "up", "work", "all"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	all := filepath.Join(dir, "all")
	if err := unix.Mount("overlay", all, "overlay", 0, fmt.Sprintf("lowerdir=%[1]s/low,upperdir=%[1]s/up,workdir=%[1]s/work", dir)); err != nil {
		t.Skip("no overlay can be mounted: ", err)
	}
	t.Cleanup(func() { unix.Unmount(all, 0) })
	f, err := os.Create(filepath.Join(all, "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	writeAll(t, f)
	c := Cached(f.Fd())
	reasons(t, "Cache", reflect.ValueOf(c))
	if c.CachedBytes == nil || *c.CachedBytes != fileSize || c.DirtyBytes != nil || c.WritebackBytes != nil {
		t.Errorf("a file just written, on an overlay: %+v", c)
	}
	check(t, "file system", *FileOfFD(f.Fd()).FileSystem, "overlay")
}

func TestCachedOfOtherThings(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	check(t, "a pipe", Cached(r.Fd()), noCache("not a regular file"))
	empty, _ := onDisk(t)
	var st unix.Stat_t
	if err := unix.Fstat(int(empty.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	check(t, "an empty file", *mincoreCache(int(empty.Fd()), &st, "no cachestat").CachedBytes, 0)
}

func TestDeviceCountersSeeAWrite(t *testing.T) {
	f, at := onDisk(t)
	before, reason := DeviceCounters(at.Major, at.Minor)
	if reason != "" {
		t.Skip(reason)
	}
	writeAll(t, f)
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	after, _ := DeviceCounters(at.Major, at.Minor)
	if d := after.Since(before); d.WriteBytes < fileSize || d.Writes < 1 || d.Seconds <= 0 {
		t.Errorf("%d bytes written: %+v", fileSize, d)
	}
	if _, reason := DeviceCounters(0, 4095); reason == "" {
		t.Error("a device that is not there has no reason")
	}
}

func TestFileOfThisMachine(t *testing.T) {
	shm := FileOf("/dev/shm")
	if shm.FileSystem == nil || *shm.FileSystem != "tmpfs" {
		t.Skipf("/dev/shm is no tmpfs: %+v", shm)
	}
	check(t, "in memory", shm.InMemory, true)
	f, at := onDisk(t)
	check(t, "by name and by descriptor", FileOf(f.Name()), at)
	check(t, "a device is in memory", at.InMemory, false)
	reasons(t, "File", reflect.ValueOf(at))
}

// v1CPU is where the v1 CPU controller is mounted, if groups may be made there.
func v1CPU(t *testing.T) string {
	t.Helper()
	m := thisSystem().cgroupMount("cpu")
	name, ok := ownGroup(thisSystem().read("proc/self/cgroup"), "cpu")
	if os.Geteuid() != 0 || !ok || name != "/" || m.kind != "cgroup" {
		t.Skip("needs root and the root group of cgroup v1's CPU controller")
	}
	return m.point
}

// childInGroup joins a control group, burns CPU until a Reader has seen enough, and prints that.
func childInGroup(dir string, enough func(Delta) bool) {
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0o666); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	r := NewReader()
	before := r.Read()
	var out seen
	for end := time.Now().Add(patience); time.Now().Before(end) && !enough(out.Delta); {
		burn(5 * time.Millisecond)
		out.Delta = r.Read().Since(before)
	}
	out.CPUs, out.Source = CPULimit()
	out.Threads = Threads()
	_ = json.NewEncoder(os.Stdout).Encode(out)
}

// newGroup makes a control group for the time of the test.
func newGroup(t *testing.T, parent, name string) string {
	t.Helper()
	dir := filepath.Join(parent, name)
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { os.Remove(dir) })
	return dir
}

// seenIn returns what a child in a control group saw.
func seenIn(t *testing.T, dir, until string) (got seen) {
	t.Helper()
	text, err := child(t, until+"="+dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return got
}

func TestTheOwnGroupsPressure(t *testing.T) {
	s := thisSystem()
	m := s.cgroupMount("")
	name, ok := ownGroup(s.read("proc/self/cgroup"), "")
	if os.Geteuid() != 0 || !ok || name != "/" || m.kind != "cgroup2" {
		t.Skip("needs root and the root group of cgroup v2")
	}
	dir := newGroup(t, m.point, fmt.Sprintf("alignpipe-host-test-%d", os.Getpid()))
	if _, err := os.Stat(filepath.Join(dir, "cpu.pressure")); err != nil {
		t.Skip(err)
	}
	p := seenIn(t, dir, "join").Delta.GroupPressure
	if p == nil || p.CPU.FullSeconds == nil { // which the machine does not have
		t.Errorf("pressure of a group of its own: %+v", p)
	}
}

type seen struct {
	Delta   Delta
	CPUs    float64
	Source  string
	Threads int
}

func TestAnAncestorsQuotaShows(t *testing.T) {
	parent := newGroup(t, v1CPU(t), fmt.Sprintf("alignpipe-host-test-%d", os.Getpid()))
	dir := newGroup(t, parent, "job")
	for file, text := range map[string]string{"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "2000"} {
		if err := os.WriteFile(filepath.Join(parent, file), []byte(text), 0o666); err != nil {
			t.Skip(err)
		}
	}
	got := seenIn(t, dir, "throttled")
	name := "/" + filepath.Base(parent)
	near(t, "CPU limit", got.CPUs, 0.02)
	check(t, "its source", got.Source, "cgroup "+name+" cpu.cfs_quota_us 2000/100000")
	check(t, "threads", got.Threads, 1)
	th := got.Delta.Throttling
	if th == nil || th.MostThrottled == nil || *th.MostThrottled != name || len(th.Groups) != 3 {
		t.Fatalf("throttling %+v (%s)", th, got.Delta.ThrottlingReason)
	}
	if g := th.Groups[1]; g.ThrottledSeconds <= 0.1 || g.ThrottledPeriods < 2 || *g.QuotaCPUs != 0.02 {
		t.Errorf("throttled %+v", g)
	}
	t.Logf("quota 0.02 CPUs, %.2f s: throttled %.2f s, run-queue delay %.2f s, on CPU %.2f s", got.Delta.Seconds,
		th.Groups[1].ThrottledSeconds, got.Delta.RunQueue.DelaySeconds, got.Delta.RunQueue.OnCPUSeconds)
}

// childProducer burns CPU and writes now and then, until the reader goes away.
func childProducer(fifo string) {
	out := os.Stdout
	if fifo != "" {
		var err error
		if out, err = os.OpenFile(fifo, os.O_WRONLY, 0); err != nil {
			os.Exit(1)
		}
	}
	for {
		burn(20 * time.Millisecond)
		if _, err := out.WriteString("x"); err != nil {
			return
		}
	}
}

func TestPipePartnerIsTheProducer(t *testing.T) {
	t.Run("pipe", func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd := child(t, "produce=")
		cmd.Stdout = w
		start(t, cmd, r)
		w.Close()
		followPartner(t, r, cmd.Process.Pid)
	})
	t.Run("fifo", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "reads.fq")
		if err := unix.Mkfifo(name, 0o600); err != nil {
			t.Skip(err)
		}
		cmd := child(t, "produce="+name)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		r, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close(); cmd.Wait() })
		followPartner(t, r, cmd.Process.Pid)
	})
}

func start(t *testing.T, cmd *exec.Cmd, r *os.File) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); cmd.Wait() })
}

func followPartner(t *testing.T, r *os.File, pid int) {
	t.Helper()
	if _, err := r.Read(make([]byte, 1)); err != nil { // it is there
		t.Fatal(err)
	}
	p, reason := PipePartner(r.Fd())
	for range 20 { // where there is no CPU to be had, time is up before anything was looked at
		if p != nil || reason != tookTooLong {
			break
		}
		p, reason = PipePartner(r.Fd())
	}
	if p == nil {
		t.Fatal(reason)
	}
	check(t, "process", p.PID, pid)
	if want := filepath.Base(os.Args[0]); !strings.HasPrefix(want, p.Command) {
		t.Errorf("command %q, want the beginning of %q", p.Command, want)
	}
	first, _ := p.CPUSeconds()
	var now float64
	for end := time.Now().Add(patience); now < first+0.05 && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if now, reason = p.CPUSeconds(); reason != "" {
			t.Fatal(reason)
		}
	}
	if now < first+0.05 {
		t.Errorf("CPU time went from %.2f to %.2f s", first, now)
	}
	other := *p
	other.started--
	if _, reason := other.CPUSeconds(); reason == "" {
		t.Error("another process of the same number was taken for it")
	}
}

func TestPipePartnerHasAReason(t *testing.T) {
	r, w, err := os.Pipe() // both ends are ours
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	file, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, f := range map[string]*os.File{"a pipe to ourselves": r, "a file": file} {
		if p, reason := PipePartner(f.Fd()); p != nil || reason == "" {
			t.Errorf("%s: %+v, %q", name, p, reason)
		}
	}
}

func TestManyProcessesAreNotLookedThrough(t *testing.T) {
	root := t.TempDir()
	for pid := range 4 {
		if err := os.MkdirAll(filepath.Join(root, "proc", strconv.Itoa(1_000_000+pid)), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if p, reason := (system{root: root}).findHolder("pipe:[1]", unix.O_RDONLY, 3); p != nil || !strings.Contains(reason, "more than") {
		t.Errorf("%+v, %q", p, reason)
	}
}

func BenchmarkRead(b *testing.B) {
	for _, threads := range []int{0, 16} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			stop := make(chan bool)
			defer close(stop)
			for range threads {
				go func() {
					runtime.LockOSThread()
					<-stop
				}()
			}
			r := NewReader()
			defer r.Close()
			r.Read()
			b.ReportAllocs()
			for b.Loop() {
				r.Read()
			}
		})
	}
}

func BenchmarkCached(b *testing.B) {
	f, _ := onDisk(b)
	writeAll(b, f)
	b.Run("how=cachestat", func(b *testing.B) {
		b.SetBytes(fileSize)
		for b.Loop() {
			Cached(f.Fd())
		}
	})
	b.Run("how=mincore", func(b *testing.B) {
		b.SetBytes(fileSize)
		for b.Loop() {
			if _, err := mincore(int(f.Fd()), fileSize); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDeviceCounters(b *testing.B) {
	_, at := onDisk(b)
	b.ReportAllocs()
	for b.Loop() {
		DeviceCounters(at.Major, at.Minor)
	}
}

func BenchmarkPipePartner(b *testing.B) {
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for b.Loop() {
		PipePartner(r.Fd())
	}
}
