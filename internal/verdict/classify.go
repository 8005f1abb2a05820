package verdict

import (
	"cmp"
	"fmt"
	"slices"
)

const (
	minWallSeconds = 1.5 // below, start-up noise and clock steps are a visible part
	minBatches     = 30  // below, the ends of the line weigh more than its middle
	clearShare     = 0.4 // elasticity that names one class; less is balanced
	clearLead      = 0.1 // and so is a smaller lead over the next class
	startupShare   = 0.3 // the largest part at 30 % is enough for start-up: it does no work on reads
)

// Verdict is what limited a run.
type Verdict struct {
	Class      string
	Stage      string   // "" where the class has none
	Confidence float64  // 0..1: see confidence.go
	Evidence   []string // sentences with numbers, the most telling first
	Advice     string   // one sentence: what to change
	Limits     []Limit  // all resources, the largest elasticity first
	Phases     []PhaseVerdict
}

// PhaseVerdict is what limited one phase.
type PhaseVerdict struct {
	Phase  string  `json:"phase"`
	Class  string  `json:"class"`
	Stage  string  `json:"stage"`
	Share  float64 `json:"share_of_wall"`
	Limits []Limit `json:"limits"`
}

// String returns the class with its stage, as in "cpu (map)".
func (v Verdict) String() string {
	switch {
	case v.Class == Balanced && len(v.Limits) > 1:
		return fmt.Sprintf("%s (%s + %s)", v.Class, v.Limits[0].Stage, v.Limits[1].Stage)
	case v.Stage == "":
		return v.Class
	default:
		return fmt.Sprintf("%s (%s)", v.Class, v.Stage)
	}
}

// Classify names what limited the run.
func Classify(load Load) Verdict {
	wall := wallOf(load.Phases)
	if why := append(tooLittle(load, wall), load.Unclosed...); len(why) > 0 {
		return Verdict{Class: Undetermined, Evidence: why, Advice: advice[Undetermined]}
	}
	limits := weigh(load, wall)
	v := name(limits)
	v.Limits = limits
	v.Phases = phaseVerdicts(load, wall)
	against := append(contradictions(load, v), load.Doubts...)
	v.Confidence = confidence(load, v, len(against))
	v.Evidence = evidence(load, wall, v)
	for _, line := range against {
		v.Evidence = append(v.Evidence, "against: "+line)
	}
	v.Advice = adviceFor(v)
	return v
}

func wallOf(phases []Phase) float64 {
	var wall float64
	for _, p := range phases {
		wall += p.WallSeconds
	}
	return wall
}

// tooLittle says why the load is no basis for a verdict, or nothing.
func tooLittle(load Load, wall float64) []string {
	if wall < minWallSeconds {
		return []string{fmt.Sprintf("the run took %.2f s; below %.1f s nothing limits it long enough to tell", wall, minWallSeconds)}
	}
	if load.CPUs <= 0 {
		return []string{"the number of CPUs is not known"}
	}
	var batches int64
	var startup float64
	for _, p := range load.Phases {
		if p.Startup {
			startup += p.WallSeconds
		}
		for _, s := range p.Stations {
			batches = max(batches, s.Batches)
		}
	}
	if batches < minBatches && startup < clearShare*wall {
		return []string{fmt.Sprintf("only %d batches went through; below %d the ends of the line weigh more than its middle", batches, minBatches)}
	}
	return nil
}

// weigh adds up the elasticities of all phases, each by its part of the wall time. What a knob
// turns in several stages or phases counts together, under the stage with the largest part.
func weigh(load Load, wall float64) []Limit {
	byKnob := map[string]*Limit{}
	shared := sharedDevices(load)
	for i, p := range load.Phases {
		for _, l := range elasticities(resources(p, load)) {
			if l.station.Device != "" && shared[l.station.Device] {
				l.Class, l.Knob = SharedDisk, KnobDisk
			}
			l.Elasticity *= p.WallSeconds / wall
			l.weight, l.phase = l.Elasticity, i
			sum, ok := byKnob[l.Knob]
			if !ok {
				byKnob[l.Knob] = &l
				continue
			}
			total := sum.Elasticity + l.Elasticity
			if l.weight > sum.weight {
				*sum = l
			}
			sum.Elasticity = total
		}
	}
	limits := make([]Limit, 0, len(byKnob))
	for _, l := range byKnob {
		limits = append(limits, *l)
	}
	slices.SortFunc(limits, byElasticity)
	return limits
}

func byElasticity(a, b Limit) int {
	return cmp.Or(cmp.Compare(b.Elasticity, a.Elasticity), cmp.Compare(a.Knob, b.Knob), cmp.Compare(a.Stage, b.Stage))
}

// sharedDevices are those that several roles keep busy in the same phase: then they are one
// resource in all phases.
func sharedDevices(load Load) map[string]bool {
	shared := map[string]bool{}
	for _, p := range load.Phases {
		for _, l := range devicesOf(p) {
			if l.Class == SharedDisk && l.Utilisation >= clearShare {
				shared[l.station.Device] = true
			}
		}
	}
	return shared
}

// phaseVerdicts names what limited each phase alone.
func phaseVerdicts(load Load, wall float64) []PhaseVerdict {
	var all []PhaseVerdict
	for _, p := range load.Phases {
		limits := elasticities(resources(p, load))
		if len(limits) == 0 {
			continue
		}
		slices.SortFunc(limits, byElasticity)
		v := name(limits)
		all = append(all, PhaseVerdict{Phase: p.Name, Class: v.Class, Stage: v.Stage, Share: p.WallSeconds / wall, Limits: limits})
	}
	return all
}

// name picks the class from the ranking.
func name(limits []Limit) Verdict {
	top := limits[0]
	share := map[string]float64{}
	for _, l := range limits {
		share[l.Class] += l.Elasticity
	}
	var next float64 // the largest share of another class
	for class, s := range share {
		if class != top.Class {
			next = max(next, s)
		}
	}
	switch {
	case top.Class == Undetermined:
		return Verdict{Class: Undetermined}
	case top.Class == Startup && top.Elasticity >= startupShare, share[top.Class] >= clearShare && share[top.Class]-next >= clearLead:
		return Verdict{Class: top.Class, Stage: top.Stage}
	default:
		return Verdict{Class: Balanced, Stage: top.Stage}
	}
}
