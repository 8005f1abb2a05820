package main

import (
	"math"
	"slices"
	"strings"
)

const (
	sure        = 0.9  // confidence from which being wrong is held against the verdict
	hasEffect   = 0.05 // measured gain from which a forecast of it is scored
	saysNothing = 0.02 // forecast gain up to which it says "no effect"
)

// truthClass is what limited the run. Measured truth comes before the label, but where the label's knob is among
// those that help most, the label says it more exactly: what a quota costs looks like a lack of cores.
func truthClass(r *Result) (class string, measured bool) {
	s, t := &r.Scenario, r.Truth
	if t == nil || !t.Decisive || slices.Contains(t.Set, knobFor(s, s.Class, s.Stage)) {
		return s.Class, t != nil && t.Decisive
	}
	var found []string
	for _, knob := range t.Set {
		for _, c := range classesOf(knob) {
			c, _, _ = strings.Cut(c, " ")
			if !slices.Contains(found, c) {
				found = append(found, c)
			}
		}
	}
	if slices.Contains(found, r.Verdict.Class) {
		return r.Verdict.Class, true // one of several right answers
	}
	if len(found) > 1 {
		return classBalanced, true
	}
	return found[0], true
}

// knobRight tells whether the verdict's first limit points to a knob that helps most; known is false where no knob does.
func knobRight(r *Result) (right, known bool) {
	if r.Truth == nil || !r.Truth.Decisive {
		return false, false
	}
	if len(r.Verdict.Limits) == 0 {
		return false, true
	}
	return slices.Contains(r.Truth.Set, knobOf(&r.Scenario, r.Verdict.Limits[0])), true
}

// share is a count of so many.
type share struct{ n, of int }

func (s *share) add(yes bool) {
	s.of++
	if yes {
		s.n++
	}
}

func (s share) percent() float64 {
	if s.of == 0 {
		return math.NaN()
	}
	return 100 * float64(s.n) / float64(s.of)
}

// Score sums up results.
type Score struct {
	class          share // named right, of all
	measuredClass  share // of those with measured truth
	knob           share // the one that helps most named first, of those where one does
	confidentWrong share
	byClass        map[string]*share
	confusion      map[[2]string]int // truth, verdict
	failures       []*Result

	forecastErrors []float64 // of time, of knobs that have an effect
	noEffect       share     // forecasts of no effect that came true
	makespanErrors []float64

	skipped  map[string]int // by reason
	rejected int            // slots
	slots    int            // that counted
	truths   int
}

func scoreOf(all []Result) *Score {
	results, rejected := latest(all)
	sc := &Score{byClass: map[string]*share{}, confusion: map[[2]string]int{}, skipped: map[string]int{}, rejected: rejected}
	for i := range results {
		r := &results[i]
		if r.Skipped != "" {
			sc.skipped[r.Skipped]++
			continue
		}
		sc.verdict(r)
		sc.forecasts(r)
	}
	return sc
}

func (sc *Score) verdict(r *Result) {
	truth, measured := truthClass(r)
	right := r.Verdict.Class == truth
	sc.class.add(right)
	if measured {
		sc.measuredClass.add(right)
	}
	if sc.byClass[truth] == nil {
		sc.byClass[truth] = &share{}
	}
	sc.byClass[truth].add(right)
	sc.confusion[[2]string{truth, r.Verdict.Class}]++
	sc.confidentWrong.add(!right && r.Verdict.Confidence >= sure)
	good, known := knobRight(r)
	if known {
		sc.knob.add(good)
	}
	if !right || known && !good {
		sc.failures = append(sc.failures, r)
	}
	sc.slots++
	if r.Truth != nil {
		sc.truths++
		sc.slots += r.Truth.Rounds * (1 + len(r.Truth.Knobs))
	}
}

func (sc *Score) forecasts(r *Result) {
	if r.Makespan != nil && r.Base.WallSeconds > 0 {
		sc.makespanErrors = append(sc.makespanErrors, math.Abs(*r.Makespan/r.Base.WallSeconds-1))
	}
	if r.Truth == nil {
		return
	}
	for _, k := range r.Truth.Knobs {
		if k.Forecast == nil {
			continue
		}
		if k.Gain >= hasEffect {
			sc.forecastErrors = append(sc.forecastErrors, timeError(*k.Forecast, k.Gain))
		}
		if *k.Forecast < saysNothing {
			sc.noEffect.add(k.Gain < hasEffect)
		}
	}
}

// timeError is by how much a forecast of a gain misses the time that the run took.
func timeError(forecast, measured float64) float64 { return math.Abs((1+measured)/(1+forecast) - 1) }
