package verdict

import (
	"errors"
	"fmt"
	"maps"
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
	f, after := l.changed(c)
	if f.WallSeconds > 0 {
		f.Limits = weigh(after, f.WallSeconds)
	}
	return f, nil
}

// changed is the run with a change: its times, and its load at them.
func (l Load) changed(c Change) (f Forecast, after Load) {
	after = l.apply(c)
	f.Phases = make([]float64, len(l.Phases))
	for i, p := range l.Phases {
		f.Phases[i] = p.WallSeconds * l.factor(p, after.Phases[i], after, c)
		f.WallSeconds += f.Phases[i]
		after.Phases[i].rescale(f.Phases[i])
	}
	return f, after
}

func (c Change) check(l Load) error {
	if l.CPUs <= 0 {
		return fmt.Errorf("the number of CPUs is not known: %w", ErrNoData)
	}
	for _, n := range []float64{c.Cores, c.Quota} {
		if f := n / l.CPUs; n != 0 && !(f <= most*(1+1e-9) && f >= (1-1e-9)/most) {
			return fmt.Errorf("%.3g times as many cores as the run had are too far from it: %w", f, ErrNoData)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Speed)) {
		if f := c.Speed[name]; f > 0 && f < 1/most {
			return fmt.Errorf("%s at %.3g times the speed is too far from the run: %w", name, f, ErrNoData)
		}
	}
	for _, factors := range []map[string]float64{c.Speed, c.Bytes, c.CPU} {
		for _, name := range slices.Sorted(maps.Keys(factors)) {
			if f := factors[name]; !(f > 0) || math.IsInf(f, 0) {
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
	had, has := capacity(before, l), left(after, then)
	if before.Startup {
		if c.NoStart {
			return 0
		}
		used := clamp(before.ProcessCPUSeconds / (l.CPUs * before.WallSeconds)) // the part that has threads
		return 1 - used + used*had/has
	}
	wide := max(had, has)
	was, now := unclampedResources(before, l, had, wide), unclampedResources(after, then, has, wide)
	if lost := stall(before); stalls(before, lost) {
		was, now = append(was, lost), append(now, stall(after))
	}
	return stretch(was, now)
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
		if c.Cores >= l.CPUs { // under a quota there were more threads than CPUs
			after.Threads = max(after.Threads, l.Threads)
		}
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
	if p.Host != nil {
		h := *p.Host
		h.OthersCPUSeconds = min(h.OthersCPUSeconds, max(0, max(l.HostCPUs, l.CPUs)*p.WallSeconds-cpuSeconds(p))) // they left what was used
		if c.QuietHost {
			h.OthersCPUSeconds = 0
		}
		p.Host = &h
	}
	if c.InFlight > 0 && p.InFlight > 0 {
		p.InFlight = c.InFlight
	}
	before := p
	p.Stations = slices.Clone(p.Stations)
	for i := range p.Stations {
		s := &p.Stations[i]
		cpu := s.CPUSeconds
		s.change(c)
		s.BusySeconds += s.CPUSeconds - cpu // what it waited for pages and cores stays
		if !s.Serial && s.Kind == meter.KindCPU && l.Threads > 0 && (s.Workers > 1 || l.Threads == 1) && c.Workers[s.Name] == 0 {
			s.Workers = max(1, s.Workers*after.Threads/l.Threads)
		}
		if p.ProcessCPUSeconds > 0 {
			p.ProcessCPUSeconds += s.CPUSeconds - cpu
		}
	}
	p.Devices = slices.Clone(p.Devices)
	for i := range p.Devices {
		p.Devices[i].change(before, p)
	}
	return p
}

// change gives a device the time that its users ask for after the change.
func (d *Device) change(before, after Phase) {
	was, now := usersOf(before, d.Name), usersOf(after, d.Name)
	blocked, calls := callSeconds(now)
	if blocked <= 0 {
		return
	}
	busy := deviceSeconds(before, d.Name, was)
	var all, asked float64
	for i, use := range divide(busy, was) {
		all += use
		if was[i].BlockedSeconds > 0 {
			asked += use * now[i].BlockedSeconds / was[i].BlockedSeconds
		}
	}
	if all > 0 {
		d.BusySeconds = busy * asked / all * calls / blocked
	}
}

// usersOf are the stations whose calls go to a device.
func usersOf(p Phase, device string) []Station {
	var users []Station
	for _, s := range p.Stations {
		if s.Kind != meter.KindCPU && s.Device == device {
			users = append(users, s)
		}
	}
	return users
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
