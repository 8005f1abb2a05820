package pipeline

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/report"
)

const (
	// window is how long demands are measured before a decision: some tens of batches, and at most one change a second.
	window = time.Second
	// Less of anything is set after this many windows have asked for it in a row; twice as many each time that it
	// turned out to be too little. More is set at once.
	patienceWindows = 2
	mostPatience    = 64
)

// auto adapts the mappers at work, and the batches in flight, to the demands that are measured during the
// run. The bytes of the output do not depend on either. decide.go has the rules.
//
// The monitor's goroutine owns it, but for set and ready.
type auto struct {
	off      string // why nothing is changed; "" where it may be
	gate     *gate
	inFlight func(int) // sets the limit
	first    split
	mapping  int // of the stages that the monitor looks at: the mappers' place, and the parser's
	parsing  int
	ready    atomic.Bool // the limits may be changed: no sample is held any more

	now      split
	from     *mark // where the window began; nil before the first one
	fewer    split // the most of what the windows have asked for that wanted less, in a row
	windows  int   // how many those were
	patience int
	lowered  bool
	changes  []report.AutoChange
	held     int // the limit in flight that held for most of the mapping
}

// newAuto is called before the mapping begins.
func (r *run) newAuto() *auto {
	t := r.cfg.Tuning
	a := &auto{gate: newGate(r.cfg.Threads), inFlight: r.reader.SetInFlight, patience: patienceWindows,
		first: split{r.cfg.Threads, r.inFlightLimit()}}
	a.now, a.changes = a.first, []report.AutoChange{}
	a.mapping, a.parsing = slices.Index(r.monitor.all, r.stages.Map), slices.Index(r.monitor.all, r.stages.Parse)
	switch {
	case t.FixedSplit:
		a.off = "switched off"
	case t.Barrier || t.InFlight > 0:
		a.off = "the limit in flight was given"
	case !meter.Enabled:
		a.off = "nothing is measured in this build"
	}
	return a
}

// set changes both limits; any goroutine may.
func (a *auto) set(s split) {
	a.gate.set(s.mappers)
	a.inFlight(s.inFlight)
}

// watch is told of every look of the monitor's.
func (r *run) watch(k *mark) {
	a := r.auto
	if a.off != "" || !a.ready.Load() {
		return
	}
	if a.from == nil {
		a.from = k
	}
	if k.at.Sub(a.from.at) < window {
		return
	}
	d := a.demands(a.from, k)
	d.cores = r.monitor.cpus.Limit()
	a.from = k
	want, why := decide(d, a.now, a.first)
	next := a.weigh(want)
	if next == a.now {
		return
	}
	a.now = next
	a.set(next)
	at := k.at.Sub(r.monitor.first.at).Seconds()
	a.changes = append(a.changes, report.AutoChange{AtSeconds: at, Mappers: next.mappers, InFlight: next.inFlight, Why: why})
	r.cfg.Log.Info("auto: "+why, "mappers", next.mappers, "in_flight", next.inFlight)
}

func (a *auto) demands(from, to *mark) demands {
	mapping := to.stages[a.mapping].Sub(from.stages[a.mapping])
	parsing := to.stages[a.parsing].Sub(from.stages[a.parsing])
	sec := func(ns int64) float64 { return time.Duration(ns).Seconds() }
	return demands{
		wall: to.at.Sub(from.at).Seconds(), batches: mapping.Batches,
		mapCPU: sec(mapping.CPUNS), allCPU: (to.cpu - from.cpu).Seconds(),
		starved: sec(mapping.WaitNS[meter.WaitIn]), heldUp: sec(mapping.WaitNS[meter.WaitOut]),
		credit: sec(parsing.WaitNS[meter.WaitCredit]),
	}
}

// weigh makes the next split from what a window asks for. Changes of a tenth and less are none.
func (a *auto) weigh(want split) split {
	want = split{beyondTenth(a.now.mappers, want.mappers), beyondTenth(a.now.inFlight, want.inFlight)}
	if more := most(a.now, want); more != a.now {
		if a.lowered {
			a.lowered, a.patience = false, min(2*a.patience, mostPatience)
		}
		a.windows = 0
		return more
	}
	if want == a.now {
		a.windows = 0
		return want
	}
	if a.windows == 0 {
		a.fewer = want
	}
	a.fewer = most(a.fewer, want)
	if a.windows++; a.windows < a.patience {
		return a.now
	}
	a.windows, a.lowered = 0, true
	return a.fewer
}

func beyondTenth(now, want int) int {
	if d := want - now; 10*max(d, -d) <= now {
		return now
	}
	return want
}

func most(a, b split) split { return split{max(a.mappers, b.mappers), max(a.inFlight, b.inFlight)} }

// longest is the limit in flight that held for most of the time between two moments, in seconds of the run.
func (a *auto) longest(from, to float64) int {
	held := map[int]float64{}
	limit, since := a.first.inFlight, from
	for _, c := range a.changes {
		held[limit] += c.AtSeconds - since
		limit, since = c.InFlight, c.AtSeconds
	}
	held[limit] += to - since
	for n, s := range held {
		if s > held[limit] || s == held[limit] && n > limit {
			limit = n
		}
	}
	return limit
}

// stream is the phase in which reads are mapped.
func (r *run) stream(step func() error, stages ...*meter.Stage) error {
	r.auto = r.newAuto()
	all := r.monitor.watchers
	r.monitor.watchers = append(all, r.foresight.watch, r.watch)
	r.partners.watch(r.monitor.last)
	err := r.monitor.phase(report.PhaseRun{Name: "stream"}, step, stages...)
	r.monitor.watchers = all
	phase := &r.monitor.phases[len(r.monitor.phases)-1]
	end := r.monitor.last.at.Sub(r.monitor.first.at)
	phase.InFlight = r.auto.longest((end - phase.Wall).Seconds(), end.Seconds())
	r.auto.held = phase.InFlight
	return err
}
