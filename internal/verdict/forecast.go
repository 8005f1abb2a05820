package verdict

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// Change is what a forecast supposes. The zero value changes nothing.
type Change struct {
	Cores float64 // CPUs of the run, and threads to go with them
	Quota float64 // CPUs that the control groups allow
	// QuietHost: nobody else uses the cores.
	QuietHost bool
	// Speed is how many times as fast something is, by its knob: disks, the programs at the ends of pipes,
	// and stages.
	Speed map[string]float64
	// Bytes is how many times as much goes to or comes from a device, by its knob.
	Bytes map[string]float64
	// CPU is how many times as much CPU a stage takes, by its name.
	CPU map[string]float64
	// Workers of stages that have a number of their own, by name: inflate with another format, merge with shards.
	Workers  map[string]int
	InFlight int  // batches
	NoStart  bool // the index is there, and in memory
}

// Forecast is what a run would have been.
type Forecast struct {
	WallSeconds float64
	Limits      []Limit // as of a verdict
	Phases      []float64
}

// ErrNoData means that the run had nothing to say about what the change needs.
var ErrNoData = errors.New("this run has no data for it")

// most is how far from the run a forecast goes: a resource that was busy for a quarter of the time is
// measured well enough to say what happens when it becomes the limit, much less is not.
const most = 4.0

// Forecast is what the run would have taken with a change.
func (l Load) Forecast(c Change) (Forecast, error) {
	if len(l.Unclosed) > 0 {
		return Forecast{}, fmt.Errorf("the accounts do not close: %w", ErrNoData)
	}
	if err := c.check(l); err != nil {
		return Forecast{}, err
	}
	after := l.apply(c)
	f := Forecast{Phases: make([]float64, len(l.Phases))}
	for i, p := range l.Phases {
		f.Phases[i] = p.WallSeconds * l.factor(p, after.Phases[i], after, c)
		f.WallSeconds += f.Phases[i]
		after.Phases[i].rescale(f.Phases[i])
	}
	if f.WallSeconds > 0 {
		f.Limits = weigh(after, f.WallSeconds)
	}
	return f, nil
}

func (c Change) check(l Load) error {
	for name, f := range map[string]float64{"cores": c.Cores / max(l.CPUs, 1e-9), "quota": c.Quota / max(l.CPUs, 1e-9)} {
		if f > most*(1+1e-9) {
			return fmt.Errorf("%s: %.1f times as many as the run had are too far from it: %w", name, f, ErrNoData)
		}
	}
	for _, factors := range []map[string]float64{c.Speed, c.Bytes, c.CPU} {
		for name, f := range factors {
			if !(f > 0) || math.IsInf(f, 0) {
				return fmt.Errorf("%s: a factor of %v", name, f)
			}
		}
	}
	return nil
}

// rescale is the phase at its new speed: the same demands in another time.
func (p *Phase) rescale(wall float64) {
	if p.Host != nil && p.WallSeconds > 0 {
		h := *p.Host
		h.OthersCPUSeconds *= wall / p.WallSeconds
		p.Host = &h
	}
	p.WallSeconds = wall
}

// factor is the phase's new wall time over its old one.
func (l Load) factor(before, after Phase, then Load, c Change) float64 {
	if before.WallSeconds <= 0 {
		return 1
	}
	if before.Startup {
		if c.NoStart {
			return 0
		}
		used := clamp(before.ProcessCPUSeconds / (l.CPUs * before.WallSeconds)) // the part that has threads
		return 1 - used + used*capacity(before, l)/capacity(after, then)
	}
	wide := max(capacity(before, l), capacity(after, then))
	was := unclampedResources(before, l, wide)
	for i := range was {
		was[i].Utilisation = clamp(was[i].Utilisation)
	}
	return stretch(was, unclampedResources(after, then, wide))
}

// apply is the load with the demands and capacities of the change, at the speed that it had.
func (l Load) apply(c Change) Load {
	after := l
	if c.Quota > 0 {
		after.QuotaCPUs = c.Quota
		after.CPUs = leastPositive(float64(l.Threads), l.HostCPUs, c.Quota)
	}
	if c.Cores > 0 {
		after.CPUs, after.HostCPUs = c.Cores, max(l.HostCPUs, c.Cores)
		after.Threads = int(math.Ceil(c.Cores))
		if l.QuotaCPUs > 0 {
			after.QuotaCPUs = max(l.QuotaCPUs, c.Cores)
		}
	}
	after.Phases = slices.Clone(l.Phases)
	for i := range after.Phases {
		after.Phases[i] = l.applyTo(after.Phases[i], c, after)
	}
	return after
}

func leastPositive(values ...float64) float64 {
	least := math.Inf(1)
	for _, v := range values {
		if v > 0 {
			least = min(least, v)
		}
	}
	return least
}

func (l Load) applyTo(p Phase, c Change, after Load) Phase {
	if c.QuietHost && p.Host != nil {
		h := *p.Host
		h.OthersCPUSeconds = 0
		p.Host = &h
	}
	if c.InFlight > 0 && p.InFlight > 0 {
		p.InFlight = c.InFlight
	}
	devices := blockedBy(p)
	p.Stations = slices.Clone(p.Stations)
	for i := range p.Stations {
		s := &p.Stations[i]
		cpu := s.CPUSeconds
		s.change(c)
		if !s.Serial && s.Kind == meter.KindCPU && l.Threads > 0 && s.Workers > 1 && c.Workers[s.Name] == 0 {
			s.Workers = max(1, s.Workers*after.Threads/l.Threads)
		}
		if p.ProcessCPUSeconds > 0 {
			p.ProcessCPUSeconds += s.CPUSeconds - cpu
		}
	}
	p.Devices = slices.Clone(p.Devices)
	now := blockedBy(p)
	for i := range p.Devices {
		d := &p.Devices[i]
		if was := devices[d.Name]; was > 0 {
			d.BusySeconds *= now[d.Name] / was
		}
	}
	return p
}

// change applies what concerns one station.
func (s *Station) change(c Change) {
	if f, ok := c.CPU[s.Name]; ok {
		s.CPUSeconds *= f
	}
	if f, ok := c.Speed[StageKnob(s.Name)]; ok {
		s.CPUSeconds /= f
	}
	if n := c.Workers[s.Name]; n > 0 {
		s.Workers, s.Serial = n, n == 1
	}
	for k, f := range c.Speed {
		if s.Turns(k) {
			s.BlockedSeconds /= f
		}
	}
	for k, f := range c.Bytes {
		if s.Turns(k) {
			s.BlockedSeconds *= f
			s.CPUSeconds *= f
		}
	}
}

// Turns tells whether a knob of devices and pipes acts on the station.
func (s Station) Turns(knob string) bool {
	if s.Kind == meter.KindCPU {
		return false
	}
	own := ioKnob(ioClass(s))
	return knob == own || knob == KnobDisk && own != KnobUpstream && own != KnobDownstream
}

func blockedBy(p Phase) map[string]float64 {
	sum := map[string]float64{}
	for _, s := range p.Stations {
		sum[s.Device] += s.BlockedSeconds
	}
	return sum
}
