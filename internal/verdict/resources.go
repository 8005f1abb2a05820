package verdict

import (
	"slices"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// Limit is one resource and its say in the run time.
type Limit struct {
	Class string `json:"class"`
	Stage string `json:"stage"`
	// Knob is what a user can turn to have more of the resource: see knobs.go.
	Knob string `json:"knob"`
	// Elasticity is the share of the run time that follows this resource: were it 1 % faster, the
	// run would be Elasticity percent faster. All limits of a run add up to 1.
	Elasticity float64 `json:"elasticity"`
	// Utilisation is the resource's demand over its capacity, in the phase where it weighs most.
	Utilisation float64 `json:"utilisation"`
	// Gain is what the run would be faster by, as a share, with 1.5 times as much of the resource.
	Gain float64 `json:"gain"`

	phase   int // index of that phase
	weight  float64
	station Station // the stage behind it; the largest consumer for the cores
	cores   bool    // the cores together, rather than one station
}

// What a resource can be called by, beside its stage.
const (
	othersShare    = 0.10 // of the cores: from there on a neighbour is noisy
	throttledShare = 0.05 // of the wall time: from there on the quota is what binds
	collectorShare = 0.20 // of the process's CPU time: from there on collecting is what it does
	stallShare     = 0.20 // of a stage's busy time, lost in page faults
	soleShare      = 0.90 // of a device's time: with so much, one role has it for itself
)

// resources lists what could limit a phase, with utilisations from 0 to 1.
func resources(p Phase, load Load) []Limit {
	all := unclampedResources(p, load, capacity(p, load))
	for i := range all {
		all[i].Utilisation = clamp(all[i].Utilisation)
	}
	return all
}

// unclampedResources are those of a phase that may not be possible: a utilisation above 1 says by how
// much longer it would take. Pools that are smaller than wide, a number of cores, are resources of their own.
func unclampedResources(p Phase, load Load, wide float64) []Limit {
	if p.WallSeconds <= 0 {
		return nil
	}
	if p.Startup {
		return []Limit{{Class: Startup, Stage: p.Name, Knob: KnobIndex, Utilisation: 1}}
	}
	all := []Limit{coresOf(p, load)}
	for _, s := range p.Stations {
		if l, ok := poolOf(s, p, wide); ok {
			all = append(all, l)
		}
	}
	if l, ok := stallOf(p); ok {
		all = append(all, l)
	}
	all = append(all, devicesOf(p)...)
	if l, ok := flightOf(p); ok {
		all = append(all, l)
	}
	return all
}

// capacity is how many cores the phase had: those of the run less what others took of them, where they
// leave less than that.
func capacity(p Phase, load Load) float64 {
	cpus := load.CPUs
	if p.Host == nil || p.WallSeconds <= 0 {
		return cpus
	}
	host := max(load.HostCPUs, cpus)
	left := host - p.Host.OthersCPUSeconds/p.WallSeconds
	used := cpuSeconds(p) / p.WallSeconds
	return min(cpus, max(left, used, 0.01))
}

// coresOf is the resource all stages share. Its stage is the one with the largest demand.
func coresOf(p Phase, load Load) Limit {
	var top Station
	for _, s := range p.Stations {
		if s.CPUSeconds > top.CPUSeconds {
			top = s
		}
	}
	class, knob := coresClass(p, load)
	return Limit{Class: class, Stage: top.Name, Knob: knob, station: top, cores: true,
		Utilisation: cpuSeconds(p) / (capacity(p, load) * p.WallSeconds)}
}

// coresClass says why there are no more of them.
func coresClass(p Phase, load Load) (class, knob string) {
	h := p.Host
	switch {
	case h != nil && h.ThrottledSeconds > throttledShare*p.WallSeconds:
		return Throttled, KnobQuota
	case h != nil && h.OthersCPUSeconds > othersShare*max(load.HostCPUs, load.CPUs)*p.WallSeconds && capacity(p, load) < 0.95*load.CPUs:
		return Neighbour, KnobNeighbour
	case h != nil && cpuSeconds(p) > 0 && h.CollectorSeconds > collectorShare*cpuSeconds(p):
		return Memory, KnobMemory
	case load.Threads > 0 && float64(load.Threads) < load.HostCPUs:
		return CPU, KnobThreads
	}
	return CPU, KnobCores
}

// cpuSeconds is the phase's use of the cores: the stages', or the whole process's where known.
func cpuSeconds(p Phase) float64 {
	var sum float64
	for _, s := range p.Stations {
		sum += s.CPUSeconds
	}
	return max(sum, p.ProcessCPUSeconds)
}

// poolOf is a stage with fewer workers than there are cores. A larger pool meets the cores before it
// meets its own size.
func poolOf(s Station, p Phase, cores float64) (Limit, bool) {
	if s.Kind != meter.KindCPU || float64(s.Workers) >= cores {
		return Limit{}, false
	}
	class, knob := CPU, KnobThreads
	if s.Serial || s.Workers == 1 {
		class, knob = Serial, serialKnob(s.Name)
	}
	return Limit{Class: class, Stage: s.Name, Knob: knob, station: s,
		Utilisation: s.CPUSeconds / (float64(s.Workers) * p.WallSeconds)}, true
}

// stallOf is the stage whose workers had work and a core to do it on, and did not run: they waited for
// pages to come from a disk.
func stallOf(p Phase) (Limit, bool) {
	if p.Host == nil || p.Host.MajorFaults == 0 {
		return Limit{}, false
	}
	var top Station
	var lost, most float64
	for _, s := range p.Stations {
		if s.Kind != meter.KindCPU {
			continue
		}
		idle := max(0, s.BusySeconds-s.CPUSeconds)
		lost += idle
		if idle > most {
			most, top = idle, s
		}
	}
	if lost <= 0 {
		return Limit{}, false
	}
	stalled := most * max(0, 1-p.Host.RunQueueSeconds/lost)
	if stalled < stallShare*top.BusySeconds {
		return Limit{}, false
	}
	return Limit{Class: Memory, Stage: top.Name, Knob: KnobMemory, station: top,
		Utilisation: (top.CPUSeconds + stalled) / (float64(top.Workers) * p.WallSeconds)}, true
}

// flightOf is the number of batches that may exist at a time: each is in the parser's hands, or in a
// mapper's, or it waits.
func flightOf(p Phase) (Limit, bool) {
	if p.InFlight <= 0 {
		return Limit{}, false
	}
	var busy float64
	for _, s := range p.Stations {
		if s.Name == meter.NameParse || s.Name == meter.NameMap {
			busy += s.BusySeconds
		}
	}
	return Limit{Class: Lock, Stage: meter.NameMap, Knob: KnobInFlight,
		Utilisation: busy / (float64(p.InFlight) * p.WallSeconds)}, busy > 0
}

// devicesOf gathers the stations that use the same device: it is busy when any of them waits for it.
func devicesOf(p Phase) []Limit {
	var order []string
	groups := map[string][]Station{}
	for _, s := range p.Stations {
		if s.Kind == meter.KindCPU {
			continue
		}
		name := s.Device
		if name == "" {
			name = "of " + s.Name
		}
		if _, ok := groups[name]; !ok {
			order = append(order, name)
		}
		groups[name] = append(groups[name], s)
	}
	var all []Limit
	for _, name := range order {
		all = append(all, deviceOf(p, name, groups[name]))
	}
	return all
}

// deviceOf is one device. Where its own clock is not known, each station counts for itself.
func deviceOf(p Phase, name string, users []Station) Limit {
	var blocked, calls float64
	top := users[0]
	for _, s := range users {
		blocked += s.BlockedSeconds
		calls += s.BlockedSeconds + s.CPUSeconds
		if s.BlockedSeconds > top.BlockedSeconds {
			top = s
		}
	}
	l := Limit{Class: ioClass(top), Stage: top.Name, station: top}
	l.Knob = ioKnob(l.Class)
	busy := blocked / float64(max(1, top.Workers))
	if i := slices.IndexFunc(p.Devices, func(d Device) bool { return d.Name == name }); i >= 0 && calls > 0 {
		busy = p.Devices[i].BusySeconds * blocked / calls // copying is no business of the device
	}
	l.Utilisation = busy / p.WallSeconds
	return l
}

func ioClass(s Station) string {
	switch {
	case s.Kind == meter.KindPipeRead:
		return Starved
	case s.Kind == meter.KindPipeWrite:
		return Backpressured
	case s.Name == meter.NameSpillWrite || s.Name == meter.NameMergeRead:
		return SpillIO
	case s.Kind == meter.KindDeviceRead:
		return InputIO
	default:
		return OutputIO
	}
}

func clamp(u float64) float64 { return min(1, max(0, u)) }
