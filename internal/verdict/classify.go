package verdict

import (
	"cmp"
	"fmt"
	"slices"
)

const (
	minWallSeconds = 1.5 // below, start-up noise and clock steps are a visible part
	minBatches     = 30  // below, the ends of the line weigh more than its middle
	clearShare     = 0.5 // elasticity that names one class; less is balanced
	startupShare   = 0.3 // the largest part at 30 % is enough for start-up: it does no work on reads
	doubt          = 0.8 // factor on the confidence for each witness against
)

// Verdict is what limited a run.
type Verdict struct {
	Class      string
	Stage      string   // "" where the class has none
	Confidence float64  // 0..1; from the margin over the runner-up and the witnesses, not a calibrated probability
	Evidence   []string // sentences with numbers, the most telling first
	Advice     string   // one sentence: what to change
	Limits     []Limit  // all resources, the largest elasticity first
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
	wall := wallOf(load)
	if why := tooLittle(load, wall); why != "" {
		return Verdict{Class: Undetermined, Evidence: append([]string{why}, load.Unclosed...), Advice: advice[Undetermined]}
	}
	limits := weigh(load, wall)
	v := name(limits)
	v.Limits = limits
	v.Confidence = margin(limits)
	v.Evidence = evidence(load, wall, v)
	against := append(contradictions(load, v), load.Unclosed...)
	for _, line := range against {
		v.Confidence *= doubt
		v.Evidence = append(v.Evidence, "against: "+line)
	}
	v.Advice = adviceFor(v)
	return v
}

func wallOf(load Load) float64 {
	var wall float64
	for _, p := range load.Phases {
		wall += p.WallSeconds
	}
	return wall
}

// tooLittle says why the load is no basis for a verdict, or "".
func tooLittle(load Load, wall float64) string {
	if wall < minWallSeconds {
		return fmt.Sprintf("the run took %.2f s; below %.1f s nothing limits it long enough to tell", wall, minWallSeconds)
	}
	if load.CPUs <= 0 {
		return "the number of CPUs is not known"
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
		return fmt.Sprintf("only %d batches went through; below %d the ends of the line weigh more than its middle", batches, minBatches)
	}
	return ""
}

// weigh adds up the elasticities of all phases, each by its part of the wall time. What a device
// does in several stages counts together, under the stage with the largest part.
func weigh(load Load, wall float64) []Limit {
	byKey := map[string]*Limit{}
	for i, p := range load.Phases {
		if p.WallSeconds <= 0 {
			continue
		}
		for _, l := range elasticities(resources(p, load.CPUs)) {
			l.Elasticity *= p.WallSeconds / wall
			l.weight, l.phase = l.Elasticity, i
			sum, ok := byKey[l.key()]
			if !ok {
				byKey[l.key()] = &l
				continue
			}
			total := sum.Elasticity + l.Elasticity
			if l.weight > sum.weight {
				*sum = l
			}
			sum.Elasticity = total
		}
	}
	limits := make([]Limit, 0, len(byKey))
	for _, l := range byKey {
		limits = append(limits, *l)
	}
	slices.SortFunc(limits, func(a, b Limit) int {
		return cmp.Or(cmp.Compare(b.Elasticity, a.Elasticity), cmp.Compare(a.key(), b.key()))
	})
	return limits
}

func (l Limit) key() string {
	switch l.Class {
	case CPU, Serial:
		return l.Class + " " + l.Stage
	default:
		return l.Class
	}
}

// name picks the class from the ranking.
func name(limits []Limit) Verdict {
	top := limits[0]
	switch {
	case top.Class == Undetermined:
		return Verdict{Class: Undetermined}
	case top.Class == Startup && top.Elasticity >= startupShare, top.Elasticity >= clearShare:
		return Verdict{Class: top.Class, Stage: top.Stage}
	default:
		return Verdict{Class: Balanced, Stage: top.Stage}
	}
}

// margin maps the lead of the first over the second from 0.5 (a toss-up) to 1.
func margin(limits []Limit) float64 {
	lead := limits[0].Elasticity
	if len(limits) > 1 {
		lead -= limits[1].Elasticity
	}
	return 0.5 + 0.5*clamp(lead)
}
