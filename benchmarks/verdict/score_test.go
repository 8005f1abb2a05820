package main

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// made is a result as it could be, of a scenario that was built for class.
func made(index int, class, verdict string, confidence float64, truth *Truth) Result {
	return Result{Scenario: Scenario{Seed: 1, Index: index, Class: class, Truth: truth != nil}, Truth: truth,
		Base:    Measurement{WallSeconds: 2},
		Verdict: Verdict{Class: verdict, Confidence: confidence, Limits: []Limit{{Class: verdict, Stage: "map", Elasticity: 0.8}}}}
}

func decided(set ...string) *Truth {
	t := &Truth{Rounds: 3, Set: set, Decisive: true}
	for _, k := range set {
		t.Knobs = append(t.Knobs, KnobTruth{Knob: Knob{Name: k, Factor: 1.5}, Gain: 0.4, Low: 0.3, High: 0.5})
	}
	return t
}

func TestTruthClass(t *testing.T) {
	tests := []struct {
		name     string
		r        Result
		want     string
		measured bool
	}{
		{"the label where nothing was measured", made(0, classInputIO, classCPU, 1, nil), classInputIO, false},
		{"the label where no knob helps for certain", made(0, classBalanced, classCPU, 1, &Truth{Set: []string{knobCores}}), classBalanced, false},
		{"the label where its knob is among the best", made(0, classThrottled, classCPU, 1, decided(knobCores, knobQuota)), classThrottled, true},
		{"what was measured where the label is wrong", made(0, classInputIO, classCPU, 1, decided(knobOutput)), classOutputIO, true},
		{"either of two", made(0, classInputIO, classCPU, 1, decided(knobOutput, knobCores)), classCPU, true},
		{"two that the verdict does not name", made(0, classInputIO, classStarved, 1, decided(knobOutput, knobCores)), classBalanced, true},
		{"a stage", made(0, classInputIO, classCPU, 1, decided(stagePrefix+"parse")), classSerial, true},
	}
	for _, tt := range tests {
		if got, measured := truthClass(&tt.r); got != tt.want || measured != tt.measured {
			t.Errorf("%s: %s, measured %v, want %s, %v", tt.name, got, measured, tt.want, tt.measured)
		}
	}
}

func TestScore(t *testing.T) {
	foreseen := decided(knobInput)
	foreseen.Rejected = 2
	right, nothing, wrong := 0.4, 0.0, 0.01
	foreseen.Knobs[0].Forecast = &right
	foreseen.Knobs = append(foreseen.Knobs,
		KnobTruth{Knob: Knob{Name: knobOutput}, Gain: 0.001, Forecast: &nothing},
		KnobTruth{Knob: Knob{Name: knobCores}, Gain: 0.111, Forecast: &wrong},
		KnobTruth{Knob: Knob{Name: knobTemp}, Gain: 0.2, ForecastReason: "no data"})
	results := []Result{
		made(0, classInputIO, classInputIO, 0.95, foreseen),
		made(1, classInputIO, classCPU, 0.95, decided(knobInput)),
		made(2, classCPU, classCPU, 0.8, nil),
		made(3, classCPU, classSerial, 0.8, nil),
		{Scenario: Scenario{Seed: 1, Index: 4}, Skipped: "needs root"},
		{Scenario: Scenario{Seed: 1, Index: 5}, Skipped: skippedNoise, Base: Measurement{Noisy: true, Rejected: []string{"a", "b", "c"}}},
		made(5, classLock, classLock, 1, nil),
	}
	makespan := 2.2
	results[2].Makespan = &makespan
	sc := scoreOf(results)
	if sc.class != (share{3, 5}) || sc.measuredClass != (share{1, 2}) || sc.knob != (share{1, 2}) || sc.confidentWrong != (share{1, 5}) {
		t.Errorf("class %v, measured %v, knob %v, confident and wrong %v", sc.class, sc.measuredClass, sc.knob, sc.confidentWrong)
	}
	if sc.rejected != 6 || sc.slots != 3+3*(1+4)+2+3*(1+1) || sc.truths != 2 {
		t.Errorf("%d slots rejected, %d counted, %d truths", sc.rejected, sc.slots, sc.truths)
	}
	if sc.confusion[[2]string{classInputIO, classCPU}] != 1 || sc.confusion[[2]string{classInputIO, classInputIO}] != 1 {
		t.Errorf("confusion %v", sc.confusion)
	}
	if len(sc.failures) != 2 || sc.skipped["needs root"] != 1 || len(sc.skipped) != 1 {
		t.Errorf("%d failures, skipped %v", len(sc.failures), sc.skipped)
	}
	if len(sc.forecastErrors) != 2 || sc.forecastErrors[0] != 0 || math.Abs(sc.forecastErrors[1]-0.1) > 1e-3 {
		t.Errorf("forecast errors %v", sc.forecastErrors)
	}
	if sc.noEffect != (share{1, 2}) {
		t.Errorf("no effect %v", sc.noEffect)
	}
	if len(sc.makespanErrors) != 1 || math.Abs(sc.makespanErrors[0]-0.1) > 1e-9 {
		t.Errorf("makespan errors %v", sc.makespanErrors)
	}
	md := sc.markdown()
	for _, want := range []string{
		"5 scenarios, 2 of them with measured truth, 2 of these decisive; 26 slots counted, 6 rejected",
		"| class right | 60.0 % | 5 |", "| knob that helps most named first | 50.0 % | 2 |",
		"| truth, verdict | cpu | serial | input-io | lock |", "| input-io | 1 |  | **1** |  |",
		"| 1 | 1 | input-io | input-io: input-disk | cpu | 0.95 |", "| needs root | 1 |",
	} {
		if !strings.Contains(md, want) {
			t.Errorf("no %q in\n%s", want, md)
		}
	}
}

func TestScoreOfNothing(t *testing.T) {
	if md := scoreOf(nil).markdown(); !strings.Contains(md, "| class right | no data | 0 |") {
		t.Errorf("got\n%s", md)
	}
}

func TestQuantile(t *testing.T) {
	tests := []struct {
		values []float64
		q      float64
		want   float64
	}{
		{[]float64{3, 1, 2}, 0.5, 2}, {[]float64{1, 2}, 0.5, 1.5}, {[]float64{5}, 0.95, 5}, {[]float64{1, 2, 3, 4, 5}, 0.95, 4.8}, {[]float64{1, 2}, 1, 2},
	}
	for _, tt := range tests {
		if got := quantile(tt.values, tt.q); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("quantile(%v, %g) = %g, want %g", tt.values, tt.q, got, tt.want)
		}
	}
	if !math.IsNaN(quantile(nil, 0.5)) {
		t.Error("the median of nothing is a number")
	}
}

func TestBootstrap(t *testing.T) {
	values := []float64{1.5, 1.48, 1.52, 1.49, 1.51}
	low, high := bootstrap(values, 1)
	if low < 1.48 || low >= 1.5 || high > 1.52 || high <= 1.5 {
		t.Errorf("interval %g to %g", low, high)
	}
	if l, h := bootstrap(values, 1); l != low || h != high {
		t.Error("one seed gave two intervals")
	}
	wide := []float64{1, 2, 1.5, 1.2, 1.8}
	if l, h := bootstrap(wide, 1); h-l <= high-low {
		t.Errorf("values that differ more give %g to %g", l, h)
	}
	if l, h := bootstrap([]float64{1.3}, 1); l != 1.3 || h != 1.3 {
		t.Errorf("one value gives %g to %g", l, h)
	}
}

func TestDecide(t *testing.T) {
	knob := func(name string, ratios ...float64) KnobTruth {
		k := KnobTruth{Knob: Knob{Name: name}, Ratios: ratios}
		k.settle(1)
		return k
	}
	tests := []struct {
		name     string
		knobs    []KnobTruth
		set      []string
		decisive bool
	}{
		{"one is best", []KnobTruth{knob("a", 1.5, 1.49, 1.51), knob("b", 1, 1.01, 0.99)}, []string{"a"}, true},
		{"two that cannot be told apart", []KnobTruth{knob("a", 1.5, 1.4, 1.6), knob("b", 1.45, 1.5, 1.42), knob("c", 1, 1, 1)}, []string{"a", "b"}, true},
		{"none helps", []KnobTruth{knob("a", 1.01, 1.02, 0.99), knob("b", 1, 1.01, 1)}, []string{"a", "b"}, false},
		{"the best is uncertain", []KnobTruth{knob("a", 1.3, 0.9, 1.2)}, []string{"a"}, false},
		{"no knobs", nil, nil, false},
	}
	for _, tt := range tests {
		truth := Truth{Knobs: tt.knobs}
		truth.decide()
		if !slices.Equal(truth.Set, tt.set) || truth.Decisive != tt.decisive {
			t.Errorf("%s: %v, decisive %v, want %v, %v", tt.name, truth.Set, truth.Decisive, tt.set, tt.decisive)
		}
	}
}
