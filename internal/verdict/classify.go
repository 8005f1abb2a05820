package verdict

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/alignpipe/alignpipe/internal/meter"
)

const (
	minWallSeconds = 1.5  // below, start-up noise and clock steps are a visible part
	minBatches     = 30   // below, the ends of the line weigh more than its middle
	leastGain      = 0.09 // when nothing brings more than that, all is balanced
	nearlyAsGood   = 0.75 // and it is when something of another class brings so much of what the best does
	unclearShare   = 0.5  // of the time that no resource explains: then there is no verdict
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
	if batches < minBatches && startup < wall/2 {
		return []string{fmt.Sprintf("only %d batches went through; below %d the ends of the line weigh more than its middle", batches, minBatches)}
	}
	return nil
}

// weigh adds up the elasticities of all phases, each by its part of the wall time. What a knob
// turns in several stages or phases counts together, under the stage with the largest part.
func weigh(load Load, wall float64) []Limit {
	byKnob := map[string]*Limit{}
	shared := sharedDevices(load)
	phases := make([][]Limit, len(load.Phases))
	for i, p := range load.Phases {
		phases[i] = resources(p, load)
		for j := range phases[i] {
			phases[i][j].share(shared)
		}
		for _, l := range elasticities(slices.Clone(phases[i])) {
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
		if l.Knob != unexplained {
			l.Gain = gain(load, phases, wall, l.Knob)
		}
		limits = append(limits, *l)
	}
	slices.SortFunc(limits, byGain)
	return limits
}

// relaxed is how much more of a resource there would be, for its gain.
const relaxed = 1.5

// gain is the speed-up, less 1, with so much more of what a knob turns.
func gain(load Load, phases [][]Limit, wall float64, knob string) float64 {
	var then float64
	for i, before := range phases {
		p := load.Phases[i]
		if len(before) == 0 {
			then += p.WallSeconds
			continue
		}
		after := slices.Clone(before)
		for j := range after {
			if after[j].Knob == knob {
				after[j].Utilisation /= relaxed
			}
		}
		then += p.WallSeconds * stretch(before, after)
	}
	return wall/max(then, 1e-9) - 1
}

func byGain(a, b Limit) int {
	return cmp.Or(cmp.Compare(b.Gain, a.Gain), byElasticity(a, b))
}

func byElasticity(a, b Limit) int {
	return cmp.Or(cmp.Compare(b.Elasticity, a.Elasticity), cmp.Compare(a.Knob, b.Knob), cmp.Compare(a.Stage, b.Stage))
}

// share makes a limit that of a device with several roles.
func (l *Limit) share(devices map[string]bool) {
	if l.station.Kind != meter.KindCPU && devices[l.station.Device] {
		l.Class, l.Knob = SharedDisk, KnobDisk
	}
}

// sharedDevices are those that the run waits for in several roles, none of which has nearly all of it.
func sharedDevices(load Load) map[string]bool {
	all := map[string]map[string]float64{} // blocked seconds by device and class
	for _, p := range load.Phases {
		for _, s := range p.Stations {
			if s.Kind == meter.KindCPU || s.Device == "" {
				continue
			}
			if all[s.Device] == nil {
				all[s.Device] = map[string]float64{}
			}
			all[s.Device][ioClass(s)] += s.BlockedSeconds
		}
	}
	shared := map[string]bool{}
	for device, roles := range all {
		var sum, most float64
		for _, s := range roles {
			sum += s
			most = max(most, s)
		}
		shared[device] = most < soleShare*sum
	}
	return shared
}

// phaseVerdicts names what limited each phase alone.
func phaseVerdicts(load Load, wall float64) []PhaseVerdict {
	var all []PhaseVerdict
	for _, p := range load.Phases {
		if p.WallSeconds <= 0 {
			continue
		}
		alone := load
		alone.Phases = []Phase{p}
		limits := weigh(alone, p.WallSeconds)
		v := name(limits)
		all = append(all, PhaseVerdict{Phase: p.Name, Class: v.Class, Stage: v.Stage, Share: p.WallSeconds / wall, Limits: limits})
	}
	return all
}

// name picks the class from the ranking.
func name(limits []Limit) Verdict {
	top := limits[0]
	if unexplainedShare(limits) >= unclearShare {
		return Verdict{Class: Undetermined}
	}
	if top.Gain < leastGain || nextGain(limits) > nearlyAsGood*top.Gain {
		return Verdict{Class: Balanced, Stage: top.Stage}
	}
	return Verdict{Class: top.Class, Stage: top.Stage}
}

func unexplainedShare(limits []Limit) float64 {
	for _, l := range limits {
		if l.Knob == unexplained {
			return l.Elasticity
		}
	}
	return 0
}

// nextGain is the best of another class than the first limit's.
func nextGain(limits []Limit) float64 {
	for _, l := range limits[1:] {
		if l.Class != limits[0].Class {
			return l.Gain
		}
	}
	return 0
}
