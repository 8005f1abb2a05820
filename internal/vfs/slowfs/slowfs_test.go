package slowfs

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// fakeClock moves by sleeping only. over is what each sleep takes beyond what was asked.
type fakeClock struct {
	now    time.Time
	over   time.Duration
	sleeps []time.Duration
}

func newFakeClock() *fakeClock { return &fakeClock{now: time.Unix(1000, 0)} }

func (c *fakeClock) Now() time.Time { return c.now }

func (c *fakeClock) Sleep(d time.Duration) {
	c.sleeps = append(c.sleeps, d)
	c.now = c.now.Add(d + c.over)
}

const mega = 1_000_000

// within says whether a duration is what it should be, but for debt and credit.
func within(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got < want-credit-leastSleep || got > want+credit {
		t.Errorf("%s took %v, want %v", what, got, want)
	}
}

func TestDisk(t *testing.T) {
	var idle time.Duration
	type step func(d *Disk, a *account)
	read := func(n int) step { return func(d *Disk, a *account) { d.takeIn(a, n) } }
	write := func(n int) step { return func(d *Disk, a *account) { d.takeOut(a, n) } }
	sync := func(d *Disk, a *account) { d.sync(a) }
	many := func(times int, s step) step {
		return func(d *Disk, a *account) {
			for range times {
				s(d, a)
			}
		}
	}
	pause := func(p time.Duration) step {
		return func(d *Disk, _ *account) {
			idle += p
			d.clock.(*fakeClock).now = d.clock.Now().Add(p)
		}
	}
	tests := []struct {
		name   string
		limits Limits
		over   time.Duration
		steps  []step
		want   time.Duration // without pauses
	}{
		{"one large read", Limits{ReadRate: 10 * mega}, 0, []step{read(5 * mega)}, 500 * time.Millisecond},
		{"many small reads", Limits{ReadRate: 10 * mega}, 0, []step{many(5000, read(1000))}, 500 * time.Millisecond},
		{"sleeps that take too long are made up for", Limits{ReadRate: 10 * mega}, time.Millisecond, []step{many(5000, read(1000))}, 500 * time.Millisecond},
		{"no limit", Limits{WriteRate: mega}, 0, []step{read(50 * mega)}, 0},
		{"an idle disk saves nothing up", Limits{ReadRate: 10 * mega}, 0, []step{pause(time.Second), read(5 * mega)}, 500 * time.Millisecond},
		{"reads and writes have queues of their own", Limits{ReadRate: 10 * mega, WriteRate: 10 * mega, WriteBack: 100 * mega}, 0,
			[]step{write(5 * mega), read(5 * mega)}, 500 * time.Millisecond},
		{"shared, they wait for each other", Limits{ReadRate: 10 * mega, WriteRate: 10 * mega, Shared: true, WriteBack: 100 * mega}, 0,
			[]step{write(5 * mega), read(5 * mega)}, time.Second},
		{"a write without a cache", Limits{WriteRate: 10 * mega}, 0, []step{write(5 * mega)}, 500 * time.Millisecond},
		{"a write into the cache", Limits{WriteRate: 10 * mega, WriteBack: 8 * mega}, 0, []step{write(5 * mega)}, 0},
		{"what the cache has no room for", Limits{WriteRate: 10 * mega, WriteBack: 2 * mega}, 0, []step{write(5 * mega)}, 300 * time.Millisecond},
		{"sync pays the rest", Limits{WriteRate: 10 * mega, WriteBack: 8 * mega}, 0, []step{write(5 * mega), sync}, 500 * time.Millisecond},
		{"the cache drains meanwhile", Limits{WriteRate: 10 * mega, WriteBack: 8 * mega}, 0,
			[]step{write(5 * mega), pause(200 * time.Millisecond), sync}, 300 * time.Millisecond},
		{"sync of nothing", Limits{WriteRate: mega}, 0, []step{sync}, 0},
		{"latency of each call", Limits{Latency: 3 * time.Millisecond}, 0, []step{many(100, read(1))}, 300 * time.Millisecond},
		{"short latencies add up", Limits{Latency: 100 * time.Microsecond}, 0, []step{many(1000, read(1))}, 100 * time.Millisecond},
		{"short latencies, long sleeps", Limits{Latency: 100 * time.Microsecond}, time.Millisecond, []step{many(1000, read(1))}, 100 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clock := newFakeClock()
			clock.over, idle = tt.over, 0
			d, a := newDisk(tt.limits, clock), &account{}
			start := clock.now
			for _, s := range tt.steps {
				s(d, a)
			}
			within(t, tt.name, clock.now.Sub(start)-idle, tt.want)
			for _, s := range clock.sleeps {
				if s < leastSleep {
					t.Errorf("slept for %v", s)
				}
			}
		})
	}
}

func TestSyncWaitsForItsOwnFile(t *testing.T) {
	clock := newFakeClock()
	d := newDisk(Limits{WriteRate: mega, WriteBack: 100 * mega}, clock)
	var first, second account
	d.takeOut(&first, mega)
	d.takeOut(&second, 9*mega)
	start := clock.now
	d.sync(&first)
	within(t, "the sync of the first", clock.now.Sub(start), time.Second)
	d.sync(&second)
	within(t, "both", clock.now.Sub(start), 10*time.Second)
}

func TestJitter(t *testing.T) {
	total := func(seed uint64) (sum time.Duration) {
		clock := newFakeClock()
		d := newDisk(Limits{Latency: 10 * time.Millisecond, Jitter: 8 * time.Millisecond, Seed: seed}, clock)
		var a account
		start := clock.now
		for range 1000 {
			d.takeIn(&a, 1)
		}
		for _, s := range clock.sleeps {
			if s > 20*time.Millisecond {
				t.Fatalf("slept for %v", s)
			}
		}
		return clock.now.Sub(start)
	}
	if a, b := total(1), total(1); a != b {
		t.Errorf("one seed gave %v and %v", a, b)
	}
	if a, b := total(1), total(2); a == b {
		t.Errorf("two seeds gave %v", a)
	}
	if sum := total(1); sum < 9*time.Second || sum > 11*time.Second {
		t.Errorf("a thousand calls took %v, want about 10 s", sum)
	}
}

func TestRoles(t *testing.T) {
	slow, slower := NewDisk(Limits{}), NewDisk(Limits{})
	f := New(vfs.OS, Role{Prefix: "/a/b", Disk: slow}, Role{Prefix: "/a/b/c", Disk: slower, Cached: true})
	tests := []struct {
		name string
		want *Disk
	}{
		{"/a/b/x", slow}, {"/a/b", slow}, {"/a/b/c", slower}, {"/a/b/c/d/e", slower},
		{"/a/bc", nil}, {"/a", nil}, {"/a/b/../x", nil}, {"/x/../a/b/x", slow},
	}
	for _, tt := range tests {
		var got *Disk
		if r := f.role(tt.name); r != nil {
			got = r.Disk
		}
		if got != tt.want {
			t.Errorf("%s is on the wrong disk", tt.name)
		}
	}
}

func TestDevice(t *testing.T) {
	shared, own := NewDisk(Limits{}), NewDisk(Limits{})
	f := New(vfs.OS, Role{Prefix: "/in", Disk: shared}, Role{Prefix: "/out", Disk: shared}, Role{Prefix: "/tmp", Disk: own})
	in, out, tmp := f.Device("/in/a"), f.Device("/out/b"), f.Device("/tmp/c")
	if in == "" || in != out || tmp == "" || tmp == in || f.Device("/else") != "" {
		t.Errorf("devices %q, %q, %q and %q", in, out, tmp, f.Device("/else"))
	}
}

// testFS returns a file system whose folder dir is on a slow disk with a clock of its own.
func testFS(t *testing.T, l Limits, cached bool) (fsys *FS, dir string, clock *fakeClock) {
	t.Helper()
	dir, clock = t.TempDir(), newFakeClock()
	return New(vfs.OS, Role{Prefix: dir, Disk: newDisk(l, clock), Cached: cached}), dir, clock
}

func TestFileContentAndTime(t *testing.T) {
	fsys, dir, clock := testFS(t, Limits{ReadRate: 2 * mega, WriteRate: mega, WriteBack: 300_000}, false)
	data := bytes.Repeat([]byte("0123456789"), mega/10)
	name := filepath.Join(dir, "file")
	w, err := fsys.CreateNew(name, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	start := clock.now
	if _, err := w.Write(data[:mega/2]); err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteAt(data[mega/2:], mega/2); err != nil {
		t.Fatal(err)
	}
	within(t, "writing", clock.now.Sub(start), 700*time.Millisecond)
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	within(t, "writing and syncing", clock.now.Sub(start), time.Second)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	r, err := fsys.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Fd() != vfs.NoFd {
		t.Error("a slow file has a descriptor")
	}
	start = clock.now
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("read %d bytes back, error %v", len(got), err)
	}
	within(t, "reading", clock.now.Sub(start), 500*time.Millisecond)
	start = clock.now
	if _, err := r.ReadAt(got[:mega/2], 0); err != nil {
		t.Fatal(err)
	}
	within(t, "reading again", clock.now.Sub(start), 250*time.Millisecond)
}

func TestCachedReadsAreFree(t *testing.T) {
	fsys, dir, clock := testFS(t, Limits{ReadRate: 1000, WriteRate: mega}, true)
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, make([]byte, mega), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := fsys.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	start := clock.now
	if _, err := io.Copy(io.Discard, f); err != nil {
		t.Fatal(err)
	}
	within(t, "reading", clock.now.Sub(start), 0)
}

func TestOutsideAllRolesNothingIsWrapped(t *testing.T) {
	fsys, _, _ := testFS(t, Limits{ReadRate: 1}, false)
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, make([]byte, 1000), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := fsys.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Fd() == vfs.NoFd {
		t.Error("a fast file lost its descriptor")
	}
}

// TestCommit holds the commit protocol to the disk: an output is under its name only when it is paid for.
func TestCommit(t *testing.T) {
	fsys, dir, clock := testFS(t, Limits{WriteRate: mega, WriteBack: 100 * mega}, false)
	a, err := vfs.CreateAtomic(fsys, filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()
	start := clock.now
	if _, err := a.Write(make([]byte, mega)); err != nil {
		t.Fatal(err)
	}
	within(t, "writing", clock.now.Sub(start), 0)
	if err := vfs.Commit(a); err != nil {
		t.Fatal(err)
	}
	within(t, "committing", clock.now.Sub(start), time.Second)
}
