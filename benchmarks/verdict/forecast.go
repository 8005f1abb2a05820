package main

import "errors"

// errNoForecast is the reason where a report cannot foresee anything.
var errNoForecast = errors.New("not available yet")

// forecast is the gain (time now over time then, less 1) that a report foresees for a knob in a scenario, and
// makespan the time of the whole run that its first tenth foresaw, in seconds.
func forecast(*Report, *Scenario, Knob) (float64, error) { return 0, errNoForecast }

func makespan(*Report) (float64, error) { return 0, errNoForecast }

// foresee notes what the report of the base run says about the knob.
func (k *KnobTruth) foresee(r *Result) {
	gain, err := forecast(r.report, &r.Scenario, k.Knob)
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
