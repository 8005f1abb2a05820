package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/alignpipe/alignpipe/internal/report"
	"github.com/alignpipe/alignpipe/internal/whatif"
)

// errNoForecast is the reason where a report cannot foresee anything.
var errNoForecast = errors.New("no forecast for this knob")

// forecast is the gain (time now over time then, less 1) that a report foresees for a knob.
func forecast(r *Report, k Knob) (float64, error) {
	var whole report.Report
	if err := json.Unmarshal(r.raw, &whole); err != nil {
		return 0, err
	}
	knobs, err := inWords(&whole, k)
	if err != nil {
		return 0, err
	}
	f, err := knobs.Ask(&whole)
	return f.Speedup - 1, err
}

// inWords puts a knob of the harness in the words of the forecasts.
func inWords(r *report.Report, k Knob) (whatif.Knobs, error) {
	if stage, ok := strings.CutPrefix(k.Name, stagePrefix); ok {
		return whatif.Knobs{Stages: map[string]float64{stage: k.Factor}}, nil
	}
	switch k.Name {
	case knobInput:
		return whatif.Knobs{Input: k.Factor}, nil
	case knobOutput:
		return whatif.Knobs{Output: k.Factor}, nil
	case knobTemp:
		return whatif.Knobs{Spill: k.Factor}, nil
	case knobDisk:
		return whatif.Knobs{Disk: k.Factor}, nil
	case knobProducer:
		return whatif.Knobs{Upstream: k.Factor}, nil
	case knobConsumer:
		return whatif.Knobs{Downstream: k.Factor}, nil
	case knobQuota:
		return whatif.Knobs{Quota: k.Factor * r.Model.QuotaCPUs}, nil
	case knobCores:
		return whatif.Knobs{Cores: k.Factor * r.Model.CPUs}, nil
	case knobCPUSpeed:
		return whatif.Knobs{Stages: everyStage(r, k.Factor)}, nil
	case knobNeighbour:
		return whatif.Knobs{QuietHost: true}, nil
	case knobInFlight:
		return whatif.Knobs{InFlight: int(k.Factor * float64(r.Flight.Limit))}, nil
	case knobIndex:
		return whatif.Knobs{IndexReady: true}, nil
	}
	return whatif.Knobs{}, fmt.Errorf("%s: %w", k.Name, errNoForecast)
}

// everyStage makes all stages that compute, and ran, so many times as fast.
func everyStage(r *report.Report, factor float64) map[string]float64 {
	all := map[string]float64{}
	for _, s := range r.Stages {
		if s.Kind == "cpu" && s.LifetimeSeconds > 0 {
			all[s.Name] = factor
		}
	}
	return all
}

// makespan is the time of the whole run that its first tenth foresaw, in seconds.
func makespan(r *Report) (float64, error) {
	if r.Makespan == nil {
		return 0, errors.New(r.MakespanReason)
	}
	return r.Makespan.WallSeconds, nil
}

// foresee notes what the report of the base run says about the knob.
func (k *KnobTruth) foresee(r *Result) {
	gain, err := forecast(r.report, k.Knob)
	if err != nil {
		k.ForecastReason = err.Error()
		return
	}
	k.Forecast = &gain
}

// foresee notes what the first tenth of the base run said about the whole.
func (r *Result) foresee() {
	seconds, err := makespan(r.report)
	if err != nil {
		r.MakespanReason = err.Error()
		return
	}
	r.Makespan = &seconds
}
