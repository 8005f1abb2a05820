package main

import (
	"slices"
	"strings"
)

// Knob is one constraint that can really be relaxed.
type Knob struct {
	Name string `json:"name"`
	// Factor is by how much. It is 1.5 where a constraint has a size; some only are or are not there.
	Factor float64 `json:"factor"`
}

const relaxBy = 1.5

// The knobs, by the names that the verdict uses where it has one for them. A knob of a stage is
// stagePrefix and the stage's name.
const (
	knobInput     = "input-disk"
	knobOutput    = "output-disk"
	knobTemp      = "spill-disk"
	knobDisk      = "disk" // one that several roles share
	knobProducer  = "upstream"
	knobConsumer  = "downstream"
	knobQuota     = "quota"
	knobCores     = "cores"     // another core: factor 2 from one
	knobCPUSpeed  = "cpu-speed" // every CPU stage 1.5 times as fast, which a machine of faster cores would be
	knobNeighbour = "neighbour" // the competitors leave
	knobMemory    = "memory"    // the control group's limit is doubled
	knobInFlight  = "in-flight"
	knobIndex     = "index" // built before
	stagePrefix   = "stage "
)

// cpuStages are those a uniform drag slows down: all that compute.
var cpuStages = []string{"inflate", "parse", "map", "sort", "merge", "order", "collect", "deflate"}

// uniformDrag makes every CPU stage slow enough to be made 1.5 times as fast by taking it away.
func uniformDrag() map[string]float64 {
	drag := map[string]float64{}
	for _, stage := range cpuStages {
		drag[stage] = relaxBy - 1
	}
	return drag
}

// knobOf is the knob that a limit of the verdict points to, in this scenario; "" where it points to none.
// The verdict's own word for it counts, where there is one.
func knobOf(s *Scenario, l Limit) string {
	switch l.Knob {
	case "":
		return knobFor(s, l.Class, l.Stage)
	case "cores", "threads":
		return cpuKnob(s)
	case "bgzf": // what it changes is how fast inflating is
		return stagePrefix + "inflate"
	case knobInput, knobOutput, knobTemp, knobDisk:
		return diskKnob(s, l.Class)
	}
	return l.Knob
}

// knobFor is the knob that helps against a class of limit.
func knobFor(s *Scenario, class, stage string) string {
	switch class {
	case classCPU:
		return cpuKnob(s)
	case classSerial:
		return stagePrefix + stage
	case classInputIO, classOutputIO, classSpillIO, classSharedDisk:
		return diskKnob(s, class)
	}
	return map[string]string{classStarved: knobProducer, classBackpressured: knobConsumer, classThrottled: knobQuota,
		classNoisy: knobNeighbour, classMemory: knobMemory, classLock: knobInFlight, classStartup: knobIndex}[class]
}

// cpuKnob is more computing power, in the form that this scenario has room for.
func cpuKnob(s *Scenario) string {
	if s.uniform() {
		return knobCPUSpeed
	}
	return knobCores
}

// uniform tells whether every CPU stage is dragged.
func (s *Scenario) uniform() bool {
	for _, stage := range cpuStages {
		if s.Drag[stage] < relaxBy-1 {
			return false
		}
	}
	return true
}

// diskKnob is that of the disk behind the role, which may be a shared one.
func diskKnob(s *Scenario, class string) string {
	role, own := roleInput, knobInput
	switch class {
	case classOutputIO:
		role, own = roleOutput, knobOutput
	case classSpillIO:
		role, own = roleTemp, knobTemp
	case classSharedDisk:
		return knobDisk
	}
	if s.shares(role) {
		return knobDisk
	}
	return own
}

// shares tells whether the role's disk has another role, too.
func (s *Scenario) shares(role string) bool {
	d, ok := s.Disks[role]
	if !ok {
		return false
	}
	n := 0
	for _, other := range s.Disks {
		if other.Name == d.Name {
			n++
		}
	}
	return n > 1
}

// classesOf are the classes whose cure a knob is.
func classesOf(knob string) []string {
	if stage, ok := strings.CutPrefix(knob, stagePrefix); ok {
		return []string{classSerial + " " + stage}
	}
	switch knob {
	case knobCores, knobCPUSpeed:
		return []string{classCPU}
	case knobInput:
		return []string{classInputIO}
	case knobOutput:
		return []string{classOutputIO}
	case knobTemp:
		return []string{classSpillIO}
	}
	for _, class := range classes {
		if knobFor(&Scenario{}, class, "") == knob {
			return []string{class}
		}
	}
	return nil
}

// relax turns a knob. ok is false where the scenario has nothing there that could be relaxed.
func (s Scenario) relax(name string, machineCPUs int) (out Scenario, k Knob, ok bool) {
	out, k = s.clone(), Knob{name, relaxBy}
	if stage, is := strings.CutPrefix(name, stagePrefix); is {
		return out, k, faster(out.Drag, stage)
	}
	switch name {
	case knobInput:
		ok = out.widen(roleInput)
	case knobOutput:
		ok = out.widen(roleOutput)
	case knobTemp:
		ok = out.widen(roleTemp)
	case knobDisk:
		ok = slices.ContainsFunc([]string{roleInput, roleOutput, roleTemp}, func(role string) bool { return out.shares(role) && out.widen(role) })
	case knobProducer:
		ok = scale(&out.Input.Rate)
	case knobConsumer:
		ok = scale(&out.Output.Rate)
	case knobQuota:
		ok = scale(&out.QuotaCPUs)
	case knobCPUSpeed:
		ok = out.uniform()
		for _, stage := range cpuStages {
			ok = ok && faster(out.Drag, stage)
		}
	default:
		ok = out.lift(&k, machineCPUs)
	}
	return out, k, ok
}

// lift relaxes what is there or not there.
func (s *Scenario) lift(k *Knob, machineCPUs int) bool {
	k.Factor = 2
	switch k.Name {
	case knobCores:
		if s.CPUs*2 > machineCPUs || s.QuotaCPUs > 0 {
			return false
		}
		s.CPUs, s.Threads = 2*s.CPUs, 2*s.Threads
		return true
	case knobInFlight:
		s.InFlight *= 2
		return s.InFlight > 0
	case knobNeighbour:
		k.Factor = float64(s.CPUs+s.Spinners) / float64(s.CPUs)
		had := s.Spinners > 0
		s.Spinners = 0
		return had
	case knobMemory:
		had := s.GroupMemoryBytes > 0
		s.GroupMemoryBytes *= 2
		return had
	case knobIndex:
		had := s.FASTA
		s.FASTA = false
		return had
	}
	return false
}

// widen makes the disk of a role faster, in both directions.
func (s *Scenario) widen(role string) bool {
	d, ok := s.Disks[role]
	if !ok || d.ReadRate <= 0 && d.WriteRate <= 0 && d.LatencyMS <= 0 {
		return false
	}
	s.updateDisk(role, func(d *Disk) {
		d.ReadRate *= relaxBy
		d.WriteRate *= relaxBy
		d.LatencyMS /= relaxBy
		d.JitterMS /= relaxBy
	})
	return true
}

func scale(v *float64) bool {
	*v *= relaxBy
	return *v > 0
}

// faster lessens a drag so that the stage takes 1.5 times less.
func faster(drag map[string]float64, stage string) bool {
	left := (1+drag[stage])/relaxBy - 1
	if left < -1e-9 {
		return false
	}
	drag[stage] = max(0, left)
	return true
}
