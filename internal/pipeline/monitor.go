package pipeline

import (
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/alignpipe/alignpipe/internal/host"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/report"
)

const (
	// tick is how often the accounts are looked at during a run. A look takes a tenth of a millisecond.
	tick = 250 * time.Millisecond
	// quickLooks are five times as often.
	quickLooks = 20
	// maxMarks is how many looks a phase keeps; of more, every second one goes.
	maxMarks = 256
)

// monitor looks at the accounts of all stages, and at what the machine says, at the ends of
// each phase and in between.
type monitor struct {
	all     []*meter.Stage
	devices []*meter.Device
	host    *host.Reader
	unbound *meter.Unbound
	cpus    report.CPUs
	// watchers are told of every look during a phase.
	watchers []func(*mark)

	before      func() // called before every look; may be nil
	first, last *mark
	reading     *mark // before the first byte of the input was asked for
	phases      []report.PhaseRun
}

// mark is one look: counters that only go up.
type mark struct {
	at           time.Time
	cpu, runtime time.Duration // of the process; of threads that work for no stage
	stages       []meter.Snapshot
	busy         []int64 // of the devices, in nanoseconds
	host         host.Counters
}

func newMonitor(stages *meter.Set, devices []*meter.Device, threads int) *monitor {
	m := &monitor{all: stages.All(), devices: devices, host: host.NewReader(), unbound: meter.NewUnbound()}
	m.cpus = report.CPUs{Threads: threads, Host: float64(runtime.NumCPU())} // those that the scheduler allowed at the start
	var limit float64
	if limit, m.cpus.Source = host.CPULimit(); limit < m.cpus.Host {
		m.cpus.Quota = limit
	}
	m.first = m.look()
	m.last = m.first
	return m
}

func (m *monitor) close() error {
	m.host.Close()
	return nil
}

// glance looks at the stages alone: all that the watchers need.
func (m *monitor) glance() *mark {
	return &mark{at: time.Now(), cpu: processCPU(), stages: meter.Snapshots(m.all...)}
}

func (m *monitor) look() *mark {
	if m.before != nil {
		m.before()
	}
	k := m.glance()
	k.host = m.host.Read()
	m.host.EachThread(m.unbound.See)
	k.runtime = m.unbound.Done()
	for _, d := range m.devices {
		k.busy = append(k.busy, d.BusyNS())
	}
	return k
}

// beginReading notes that from now on what is read and written is the stages' doing.
func (m *monitor) beginReading() { m.reading = m.look() }

// sinceReading is what the machine did from there on.
func (m *monitor) sinceReading() *host.Delta {
	d := m.last.host.Since(m.reading.host)
	return &d
}

// whole is what the machine did during the run up to the last look.
func (m *monitor) whole() *host.Delta {
	d := m.last.host.Since(m.first.host)
	return &d
}

// phase runs one stretch of the run. Those of the stages that belong to it are listed even where
// they did nothing; others where they worked.
func (m *monitor) phase(p report.PhaseRun, step func() error, stages ...*meter.Stage) error {
	stop := make(chan struct{})
	var watching sync.WaitGroup
	var marks []*mark
	watching.Go(func() { marks = m.tick(stop) })
	err := step()
	close(stop)
	watching.Wait()
	m.end(p, marks, stages...)
	return err
}

// tick looks again and again until stop.
func (m *monitor) tick(stop chan struct{}) []*mark {
	if !meter.Enabled {
		return nil
	}
	var marks []*mark
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	quick := len(m.phases) < 2 // the first tenth of a short run is soon over
	if quick {
		ticker.Reset(tick / 5)
	}
	keep := tick * 9 / 10 // between two looks that are kept: windows of one length
	kept := m.last.at
	for n := 1; ; n++ {
		select {
		case <-stop:
			return marks
		case <-ticker.C:
		}
		if quick && n == quickLooks {
			ticker.Reset(tick)
		}
		due := time.Since(kept) >= keep
		look := m.glance
		if due {
			look = m.look
		}
		k := look()
		for _, watch := range m.watchers {
			watch(k)
		}
		if !due {
			continue
		}
		kept = k.at
		if marks = append(marks, k); len(marks) == maxMarks {
			marks = everySecond(marks)
			keep *= 2
		}
	}
}

func everySecond(marks []*mark) []*mark {
	for i := range len(marks) / 2 {
		marks[i] = marks[2*i+1]
	}
	clear(marks[len(marks)/2:])
	return marks[:len(marks)/2]
}

// end adds a phase that ended now and began where the last one ended.
func (m *monitor) end(p report.PhaseRun, marks []*mark, stages ...*meter.Stage) {
	from, to := m.last, m.look()
	m.last = to
	if p.Startup { // what stages have begun belongs to the phase that they work in
		to.stages, to.busy = from.stages, from.busy
	}
	p.Span = m.between(from, to, stages)
	for before := from; len(marks) > 0; marks = marks[1:] {
		p.Windows = append(p.Windows, m.between(before, marks[0], nil))
		before = marks[0]
	}
	m.phases = append(m.phases, p)
}

// between is what happened from one look to another. Merging runs early when there are many, and the
// last slabs are sorted after the first half: stages may work outside their phase.
func (m *monitor) between(from, to *mark, stages []*meter.Stage) report.Span {
	s := report.Span{Wall: to.at.Sub(from.at), CPU: to.cpu - from.cpu, RuntimeCPU: to.runtime - from.runtime}
	for i, snap := range to.stages {
		if m.all[i] == nil {
			continue // nothing is measured in this build
		}
		if snap = snap.Sub(from.stages[i]); snap.LifetimeNS > 0 || snap.Calls > 0 || slices.Contains(stages, m.all[i]) {
			s.Stages = append(s.Stages, snap)
		}
	}
	for i, d := range m.devices {
		if ns := to.busy[i] - from.busy[i]; ns > 0 {
			s.Devices = append(s.Devices, report.DeviceBusy{Name: d.Name(), Busy: time.Duration(ns)})
		}
	}
	h := to.host.Since(from.host)
	s.Host = &h
	return s
}

func processCPU() time.Duration {
	user, system := meter.CPUNow()
	return user + system
}
