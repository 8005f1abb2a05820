package slowfs

import (
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// leastSleep is the debt below which a caller goes on: shorter sleeps are rounded up by too much.
	leastSleep = 2 * time.Millisecond
	// credit is how far the disk may be behind in time when the next transfer begins: what a sleep
	// that was too long has taken from it. More would let a disk that was idle run above its rate.
	credit = 3 * time.Millisecond
)

// Limits is what a disk can do. Rates are bytes a second; 0 or less means no limit.
type Limits struct {
	ReadRate, WriteRate float64
	// Shared makes reads and writes wait for each other. ReadRate and WriteRate say what each byte costs.
	Shared  bool
	Latency time.Duration // of every read, write and sync
	Jitter  time.Duration // latency varies by up to so much, up and down, never below zero
	// WriteBack is how many written bytes may wait for the disk while the writer goes on.
	WriteBack int64
	Seed      uint64 // of the jitter
}

// Disk is a slow disk. Its files may be used by several goroutines at once.
type Disk struct {
	limits Limits
	clock  clock

	mu     sync.Mutex
	read   time.Time // when the last transfer that was asked for is done
	write  time.Time
	jitter *rand.Rand
}

// clock is the time; tests have their own.
type clock interface {
	Now() time.Time
	Sleep(time.Duration)
}

type systemClock struct{}

func (systemClock) Now() time.Time        { return time.Now() }
func (systemClock) Sleep(d time.Duration) { time.Sleep(d) }

// NewDisk makes a disk that nobody has used yet.
func NewDisk(l Limits) *Disk { return newDisk(l, systemClock{}) }

func newDisk(l Limits, c clock) *Disk {
	return &Disk{limits: l, clock: c, jitter: rand.New(rand.NewPCG(l.Seed, 1))}
}

// account is what one file owes its disk.
type account struct {
	mu    sync.Mutex
	owed  time.Duration // latency that was not slept for yet
	dirty time.Time     // when the last byte written is on the disk
}

// takeIn pays for n bytes read.
func (d *Disk) takeIn(a *account, n int) {
	end := d.queue(&d.read, n, d.limits.ReadRate)
	d.pay(a, end)
}

// takeOut pays for n bytes written: for those that the page cache has no room for.
func (d *Disk) takeOut(a *account, n int) {
	line := &d.write
	if d.limits.Shared {
		line = &d.read
	}
	end := d.queue(line, n, d.limits.WriteRate)
	a.mu.Lock()
	if end.After(a.dirty) {
		a.dirty = end
	}
	a.mu.Unlock()
	if d.limits.WriteRate > 0 {
		end = end.Add(-transferTime(d.limits.WriteBack, d.limits.WriteRate))
	}
	d.pay(a, end)
}

// sync waits for what was written and is not on the disk.
func (d *Disk) sync(a *account) {
	a.mu.Lock()
	end := a.dirty
	a.mu.Unlock()
	d.pay(a, end)
}

// queue puts a transfer of n bytes at the end of a line, and returns when it will be done.
func (d *Disk) queue(line *time.Time, n int, rate float64) time.Time {
	now := d.clock.Now()
	if rate <= 0 {
		return now
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if earliest := now.Add(-credit); line.Before(earliest) {
		*line = earliest
	}
	*line = line.Add(transferTime(int64(n), rate))
	return *line
}

// pay sleeps until end, and for the latency, once that is long enough to sleep for.
func (d *Disk) pay(a *account, end time.Time) {
	a.mu.Lock()
	a.owed += d.latency()
	now := d.clock.Now()
	wait := max(0, end.Sub(now)) + a.owed
	if wait < leastSleep {
		a.mu.Unlock()
		return
	}
	a.owed = 0
	a.mu.Unlock()
	d.clock.Sleep(wait)
	if over := d.clock.Now().Sub(now) - wait; over > 0 && !end.After(now) { // a transfer makes up for it by itself
		a.mu.Lock()
		a.owed -= min(over, credit)
		a.mu.Unlock()
	}
}

// latency draws the latency of a call.
func (d *Disk) latency() time.Duration {
	l, j := d.limits.Latency, d.limits.Jitter
	if j <= 0 {
		return l
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return max(0, l+time.Duration(d.jitter.Int64N(int64(2*j)+1))-j)
}

func transferTime(n int64, rate float64) time.Duration {
	return time.Duration(float64(n) / rate * float64(time.Second))
}
