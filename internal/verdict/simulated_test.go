package verdict

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/model"
)

// simulated is a run that a simulation stands in for: its lines follow each other.
type simulated struct {
	threads int
	quota   float64 // cores; 0 is none
	phases  []model.Line
}

// roles are the stations that random lines are made of. Pools have as many workers as the run has threads.
var roles = []struct {
	name string
	kind meter.Kind
	pool bool
}{
	{meter.NameRead, fileIn, false}, {meter.NameInflate, meter.KindCPU, false}, {meter.NameParse, meter.KindCPU, false},
	{meter.NameMap, meter.KindCPU, true}, {meter.NameDeflate, meter.KindCPU, true}, {meter.NameWrite, fileOut, false},
}

func roleOf(name string) (kind meter.Kind, pool bool) {
	for _, r := range roles {
		if r.name == name {
			return r.kind, r.pool
		}
	}
	return meter.KindCPU, false
}

// randomRun has one or two lines of three to six stages that share cores and, a quarter of the time, a disk.
func randomRun(rng *rand.Rand) simulated {
	s := simulated{threads: []int{2, 4, 8}[rng.IntN(3)]}
	if rng.IntN(4) == 0 {
		s.quota = float64(s.threads) * (0.3 + 0.36*rng.Float64())
	}
	for range 1 + rng.IntN(2) {
		l := randomLine(rng, s.threads)
		if s.quota > 0 {
			l.Resources[0].Capacity = s.quota
		}
		s.phases = append(s.phases, l)
	}
	return s
}

func randomLine(rng *rand.Rand, threads int) model.Line {
	l := model.Line{Items: 300 + rng.IntN(700), Seed: rng.Uint64(), Resources: []model.Resource{
		{Name: "cores", Kind: model.Cores, Capacity: float64(threads)}, {Name: "in", Kind: model.Device}, {Name: "out", Kind: model.Device}}}
	shared, queue, spread := rng.IntN(4) == 0, 2+rng.IntN(15), rng.Float64()
	picked := rng.Perm(len(roles))[:3+rng.IntN(4)]
	slices.Sort(picked)
	for _, i := range picked {
		st := model.Stage{Name: roles[i].name, Workers: 1, Queue: queue, Resource: "cores"}
		mean := 0.01 * math.Exp(1.5*rng.NormFloat64()/2)
		switch {
		case roles[i].pool:
			st.Workers = threads
			mean *= float64(threads)
		case roles[i].kind == fileOut && !shared:
			st.Resource = "out"
		case roles[i].kind != meter.KindCPU:
			st.Resource = "in"
		}
		for range 64 {
			st.Samples = append(st.Samples, mean*(1-spread+spread*rng.ExpFloat64()))
		}
		l.Stages = append(l.Stages, st)
	}
	return l
}

func mustSimulate(t *testing.T, l model.Line) model.Result {
	t.Helper()
	r, err := model.Simulate(l)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// measure makes the load of a simulated run, and its wall time.
func (s simulated) measure(t *testing.T) (Load, float64) {
	t.Helper()
	load := Load{CPUs: float64(s.threads), Threads: s.threads, HostCPUs: float64(s.threads), QuotaCPUs: s.quota}
	if s.quota > 0 {
		load.CPUs = s.quota
	}
	for i, l := range s.phases {
		load.Phases = append(load.Phases, phaseOf(fmt.Sprint("phase ", i), l, mustSimulate(t, l)))
	}
	return load, wallOf(load.Phases)
}

func phaseOf(name string, l model.Line, r model.Result) Phase {
	p := Phase{Name: name, WallSeconds: r.LineSeconds}
	for i, st := range r.Stages {
		kind, pool := roleOf(st.Name)
		s := Station{Name: st.Name, Kind: kind, Workers: st.Workers, Serial: !pool, LifetimeSeconds: float64(st.Workers) * r.LineSeconds,
			BusySeconds: st.BusySeconds, WaitInSeconds: st.IdleSeconds, WaitOutSeconds: st.BlockedSeconds, Items: int64(l.Items), Batches: int64(l.Items)}
		if kind == meter.KindCPU {
			s.CPUSeconds = st.WorkSeconds
		} else {
			s.Device, s.BlockedSeconds, s.Bytes = l.Stages[i].Resource, st.BusySeconds, int64(1e8*st.WorkSeconds)
		}
		p.Stations = append(p.Stations, s)
	}
	for _, res := range r.Resources[1:] {
		p.Devices = append(p.Devices, Device{res.Name, res.WorkSeconds})
	}
	return p
}

// relaxation is one knob turned, in the model and in the simulation.
type relaxation struct {
	knobs  []string // of the limits that it relaxes
	change Change
	turn   func(l *model.Line)
}

// relaxations are those of what the run uses.
func (s simulated) relaxations() []relaxation {
	all := []relaxation{{[]string{KnobCores}, Change{Cores: relaxed * float64(s.threads)}, func(l *model.Line) {
		l.Resources[0].Capacity *= relaxed
		for i := range l.Stages {
			if l.Stages[i].Workers > 1 {
				l.Stages[i].Workers = int(relaxed * float64(l.Stages[i].Workers))
			}
		}
	}}}
	if s.quota > 0 {
		all = []relaxation{{[]string{KnobCores}, Change{Quota: relaxed * s.quota}, func(l *model.Line) {
			l.Resources[0].Capacity = relaxed * s.quota
		}}}
	}
	used := map[string]bool{}
	for _, l := range s.phases {
		for _, st := range l.Stages {
			used[st.Name] = true
			used[st.Name+st.Resource] = true
		}
	}
	for _, r := range roles {
		if !used[r.name] {
			continue
		}
		knobs, change := []string{StageKnob(r.name)}, StageKnob(r.name)
		switch {
		case r.kind == fileIn:
			knobs, change = []string{KnobInputDisk}, KnobInputDisk
		case r.kind == fileOut:
			knobs, change = []string{KnobOutputDisk}, KnobOutputDisk
		case r.name == meter.NameInflate:
			knobs = append(knobs, KnobBGZF)
		}
		all = append(all, relaxation{knobs, Change{Speed: map[string]float64{change: relaxed}}, faster(r.name)})
	}
	if used[meter.NameRead+"in"] && used[meter.NameWrite+"in"] {
		all = append(all, relaxation{[]string{KnobDisk}, Change{Speed: map[string]float64{KnobDisk: relaxed}}, faster(meter.NameRead, meter.NameWrite)})
	}
	return all
}

func faster(names ...string) func(l *model.Line) {
	return func(l *model.Line) {
		for i, st := range l.Stages {
			if !slices.Contains(names, st.Name) {
				continue
			}
			l.Stages[i].Samples = slices.Clone(st.Samples)
			for j := range st.Samples {
				l.Stages[i].Samples[j] /= relaxed
			}
		}
	}
}

// with is the run with a relaxation.
func (s simulated) with(r relaxation) simulated {
	out := simulated{s.threads, s.quota, slices.Clone(s.phases)}
	for i := range out.phases {
		out.phases[i].Stages = slices.Clone(out.phases[i].Stages)
		out.phases[i].Resources = slices.Clone(out.phases[i].Resources)
		r.turn(&out.phases[i])
	}
	return out
}

// trial is what one relaxation did, and was forecast to do.
type trial struct {
	knobs             []string
	speedup, forecast float64
}

func (s simulated) trials(t *testing.T, load Load, wall float64) []trial {
	var all []trial
	for _, r := range s.relaxations() {
		f, err := load.Forecast(r.change)
		if err != nil {
			t.Fatal(err)
		}
		_, truth := s.with(r).measure(t)
		all = append(all, trial{r.knobs, wall / truth, wall / f.WallSeconds})
	}
	return all
}

// tally is how forecasts and verdicts compare with what relaxing really did.
type tally struct {
	errs, effects          []float64 // relative, of the speed-up; of those that have an effect
	byKnob                 map[string][]float64
	none, noneRight        int // without an effect, and forecast so
	called, calledRight    int // forecast to have no effect, and had none
	decisive, first, model int // one knob helps clearly most; the verdict's first limit; the best forecast
}

func (c *tally) add(trials []trial) {
	for _, tr := range trials {
		e := math.Abs(tr.forecast/tr.speedup - 1)
		c.errs = append(c.errs, e)
		c.byKnob[tr.knobs[0]] = append(c.byKnob[tr.knobs[0]], e)
		if tr.speedup > 1.02 {
			c.effects = append(c.effects, e)
		} else if math.Abs(tr.speedup-1) < 0.01 {
			c.none++
			c.noneRight += count(math.Abs(tr.forecast-1) < 0.02)
		}
		if tr.forecast < 1.02 {
			c.called++
			c.calledRight += count(tr.speedup < 1.04)
		}
	}
}

// rank compares who helps most with who was said to, where one helps clearly most.
func (c *tally) rank(trials []trial, top Limit) {
	pools := func(tr trial) bool { // turning them is turning the cores
		return slices.Contains(tr.knobs, StageKnob(meter.NameMap)) || slices.Contains(tr.knobs, StageKnob(meter.NameDeflate))
	}
	trials = slices.DeleteFunc(slices.Clone(trials), pools)
	slices.SortFunc(trials, func(a, b trial) int { return cmp.Compare(b.speedup, a.speedup) })
	if trials[0].speedup < 1.05 || len(trials) > 1 && trials[0].speedup-trials[1].speedup < 0.02 {
		return
	}
	foretold := slices.MaxFunc(trials, func(a, b trial) int { return cmp.Compare(a.forecast, b.forecast) })
	c.decisive++
	c.first += count(slices.Contains(trials[0].knobs, top.Knob))
	c.model += count(slices.Equal(foretold.knobs, trials[0].knobs))
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestForecastsOfSimulatedRuns(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 2026))
	c := tally{byKnob: map[string][]float64{}}
	for range 600 {
		s := randomRun(rng)
		load, wall := s.measure(t)
		trials := s.trials(t, load, wall)
		c.add(trials)
		c.rank(trials, Classify(load).Limits[0])
	}
	for _, k := range slices.Sorted(maps.Keys(c.byKnob)) {
		t.Logf("%-14s %d forecasts: p50 %.1f %%, p95 %.1f %%", k, len(c.byKnob[k]), 100*quantile(c.byKnob[k], 0.5), 100*quantile(c.byKnob[k], 0.95))
	}
	t.Logf("with an effect %d: p50 %.2f %%, p95 %.2f %%, most %.1f %%", len(c.effects), 100*quantile(c.effects, 0.5), 100*quantile(c.effects, 0.95), 100*slices.Max(c.effects))
	t.Logf("no effect: %d of %d foreseen; %d of %d forecast had none", c.noneRight, c.none, c.calledRight, c.called)
	t.Logf("the knob that helps most: the verdict's first in %d of %d, the best forecast in %d", c.first, c.decisive, c.model)
	atMost(t, "p50 of forecasts with an effect", quantile(c.effects, 0.5), 0.01)
	atMost(t, "p95 of forecasts with an effect", quantile(c.effects, 0.95), 0.05)
	atMost(t, "p95 of all forecasts", quantile(c.errs, 0.95), 0.04)
	atMost(t, "effects seen where there is none", 1-float64(c.noneRight)/float64(c.none), 0.03)
	atMost(t, "effects missed", 1-float64(c.calledRight)/float64(c.called), 0.01)
	atMost(t, "first knobs wrong", 1-float64(c.first)/float64(c.decisive), 0.06)
	atMost(t, "best forecasts wrong", 1-float64(c.model)/float64(c.decisive), 0.02)
}

func atMost(t *testing.T, what string, got, bound float64) {
	t.Helper()
	if !(got <= bound) {
		t.Errorf("%s: %.4f, more than %.4f", what, got, bound)
	}
}

func quantile(values []float64, q float64) float64 {
	values = slices.Clone(values)
	slices.Sort(values)
	return values[int(q*float64(len(values)-1))]
}
