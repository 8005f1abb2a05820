package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// KnobTruth is what relaxing one constraint really brought.
type KnobTruth struct {
	Knob
	Decoy  bool      `json:"decoy"`  // turned to see that nothing happens
	Ratios []float64 `json:"ratios"` // of each round: time without over time with
	Gain   float64   `json:"gain"`   // their median, less 1
	Low    float64   `json:"low"`    // its 95 % interval
	High   float64   `json:"high"`

	Forecast       *float64 `json:"forecast_gain"` // what the report of the base run foresaw
	ForecastReason string   `json:"forecast_gain_reason,omitempty"`
}

// Truth is what relaxing the constraints of a scenario one by one showed.
type Truth struct {
	Rounds   int         `json:"rounds"`
	Knobs    []KnobTruth `json:"knobs"`
	Set      []string    `json:"set"`      // those that help most: no interval of another is above theirs
	Decisive bool        `json:"decisive"` // the best helps for certain
	Rejected int         `json:"rejected"` // slots, by the noise guard
	Noisy    int         `json:"noisy"`    // slots that counted nevertheless, after all tries

	BaseWalls    []float64 `json:"base_wall_seconds"`
	BaseVerdicts []string  `json:"base_verdicts"` // of each round
}

const (
	likeliest  = 3    // knobs that are turned because the verdict, or the label, says so
	decisive   = 0.05 // least gain for which somebody would turn a knob
	bootstraps = 2000
	confidence = 0.95
)

// relaxAll measures the truth of a scenario.
func (h *harness) relaxAll(ctx context.Context, s *Scenario, r *Result) (*Truth, error) {
	t := &Truth{Rounds: h.rounds, Rejected: len(r.Base.Rejected)}
	knobs, decoys := chooseKnobs(s, &r.Verdict, h.cpus)
	worlds := []Scenario{*s}
	for i, name := range append(knobs, decoys...) {
		relaxed, k, _ := s.relax(name, h.cpus)
		worlds = append(worlds, relaxed)
		t.Knobs = append(t.Knobs, KnobTruth{Knob: k, Decoy: i >= len(knobs)})
	}
	for round := range h.rounds {
		walls, err := h.round(ctx, t, worlds, round%2 == 1)
		if err != nil {
			return t, err
		}
		t.BaseWalls = append(t.BaseWalls, walls[0])
		for i := range t.Knobs {
			t.Knobs[i].Ratios = append(t.Knobs[i].Ratios, walls[0]/walls[i+1])
		}
	}
	for i := range t.Knobs {
		t.Knobs[i].settle(s.Seed)
		t.Knobs[i].foresee(r)
	}
	t.decide()
	return t, nil
}

// round runs every world once, the other way round where backwards.
func (h *harness) round(ctx context.Context, t *Truth, worlds []Scenario, backwards bool) ([]float64, error) {
	walls := make([]float64, len(worlds))
	order := make([]int, len(worlds))
	for i := range order {
		order[i] = i
	}
	if backwards {
		slices.Reverse(order)
	}
	for _, i := range order {
		m, err := h.measure(ctx, &worlds[i])
		if err != nil {
			return nil, err
		}
		walls[i] = m.WallSeconds
		t.Rejected += len(m.Rejected)
		if m.Noisy {
			t.Noisy++
		}
		if i == 0 {
			t.BaseVerdicts = append(t.BaseVerdicts, verdictName(&m.report.Verdict))
		}
	}
	return walls, nil
}

func verdictName(v *Verdict) string {
	if v.stage() == "" {
		return v.Class
	}
	return fmt.Sprintf("%s (%s)", v.Class, v.stage())
}

// allKnobs is every knob there is.
func allKnobs() []string {
	knobs := []string{knobInput, knobOutput, knobTemp, knobDisk, knobProducer, knobConsumer, knobQuota, knobCores, knobCPUSpeed,
		knobNeighbour, knobMemory, knobInFlight, knobIndex}
	for _, stage := range cpuStages {
		knobs = append(knobs, stagePrefix+stage)
	}
	return knobs
}

// chooseKnobs are the likeliest to help, by the label first and then by the verdict, and one more to see nothing happen.
func chooseKnobs(s *Scenario, v *Verdict, cpus int) (knobs, decoys []string) {
	add := func(name string) {
		if _, _, ok := s.relax(name, cpus); ok && len(knobs) < likeliest && !slices.Contains(knobs, name) {
			knobs = append(knobs, name)
		}
	}
	add(knobFor(s, s.Class, s.Stage))
	for _, l := range v.Limits {
		add(knobOf(s, l))
	}
	for _, role := range []string{knobDisk, knobInput, knobOutput, knobTemp, cpuKnob(s)} { // where the verdict has few limits
		add(role)
	}
	rest := allKnobs()
	rand.New(rand.NewPCG(s.Seed, uint64(s.Index))).Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	for _, name := range rest {
		if _, _, ok := s.relax(name, cpus); ok && !slices.Contains(knobs, name) {
			return knobs, []string{name}
		}
	}
	return knobs, nil
}

// settle works out gain and interval from the ratios.
func (k *KnobTruth) settle(seed uint64) {
	k.Gain = median(k.Ratios) - 1
	low, high := bootstrap(k.Ratios, seed)
	k.Low, k.High = low-1, high-1
}

// decide finds the knobs that help most.
func (t *Truth) decide() {
	t.Set, t.Decisive = nil, false
	best := -1
	for i, k := range t.Knobs {
		if best < 0 || k.Gain > t.Knobs[best].Gain {
			best = i
		}
	}
	if best < 0 {
		return
	}
	t.Decisive = t.Knobs[best].Low > decisive
	for _, k := range t.Knobs {
		if k.High >= t.Knobs[best].Low {
			t.Set = append(t.Set, k.Name)
		}
	}
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile interpolates between the values next to it; NaN when there are none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low == len(sorted)-1 {
		return sorted[low]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// bootstrap is the interval of the median, from samples drawn with replacement.
func bootstrap(values []float64, seed uint64) (low, high float64) {
	rng := rand.New(rand.NewPCG(seed, 7))
	medians := make([]float64, bootstraps)
	sample := make([]float64, len(values))
	for i := range medians {
		for j := range sample {
			sample[j] = values[rng.IntN(len(values))]
		}
		medians[i] = median(sample)
	}
	return quantile(medians, (1-confidence)/2), quantile(medians, (1+confidence)/2)
}
