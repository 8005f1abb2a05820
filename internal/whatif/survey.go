package whatif

import (
	"fmt"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/report"
	"github.com/alignpipe/alignpipe/internal/verdict"
)

// Row is one question and its answer.
type Row struct {
	Knob     string    `json:"knob"`
	Change   string    `json:"change"`
	Forecast *Forecast `json:"forecast"`
	Reason   string    `json:"forecast_reason,omitempty"`
	// Free is the forecast were the resource to cost nothing: the most that it can bring.
	Free       *Forecast `json:"forecast_if_free"`
	FreeReason string    `json:"forecast_if_free_reason,omitempty"`
}

// question is a knob with a usual change.
type question struct {
	knob, change string
	knobs        Knobs
	free         *Knobs
}

// Survey asks about every knob that makes sense for the run.
func Survey(r *report.Report) []Row {
	var rows []Row
	for _, q := range questions(r) {
		row := Row{Knob: q.knob, Change: q.change, FreeReason: "nothing can make it free"}
		row.Forecast, row.Reason = answer(q.knobs, r)
		if q.free != nil {
			row.Free, row.FreeReason = answer(*q.free, r)
		}
		rows = append(rows, row)
	}
	return rows
}

func answer(k Knobs, r *report.Report) (*Forecast, string) {
	f, err := k.Ask(r)
	if err != nil {
		return nil, err.Error()
	}
	return &f, ""
}

func questions(r *report.Report) []question {
	l := r.Model
	qs := []question{{verdict.KnobCores, fmt.Sprintf("%.4g -> %.4g", l.CPUs, 2*l.CPUs), Knobs{Cores: 2 * l.CPUs}, nil}}
	if l.QuotaCPUs > 0 {
		qs = append(qs, question{verdict.KnobQuota, fmt.Sprintf("%.4g -> %.4g CPUs", l.QuotaCPUs, 2*l.QuotaCPUs), Knobs{Quota: 2 * l.QuotaCPUs}, nil})
	}
	for _, d := range []struct {
		knob, stage string
		at          func(float64) Knobs
	}{
		{verdict.KnobInputDisk, meter.NameRead, func(f float64) Knobs { return Knobs{Input: f} }},
		{verdict.KnobUpstream, meter.NameRead, func(f float64) Knobs { return Knobs{Upstream: f} }},
		{verdict.KnobSpillDisk, meter.NameSpillWrite, func(f float64) Knobs { return Knobs{Spill: f} }},
		{verdict.KnobOutputDisk, meter.NameWrite, func(f float64) Knobs { return Knobs{Output: f} }},
		{verdict.KnobDownstream, meter.NameWrite, func(f float64) Knobs { return Knobs{Downstream: f} }},
	} {
		if !turns(r, d.stage, d.knob) {
			continue
		}
		free := d.at(Free)
		qs = append(qs, question{d.knob, "2x as fast", d.at(2), &free})
	}
	qs = append(qs, question{verdict.KnobIndex, "ready in memory", Knobs{IndexReady: true}, nil})
	if k := (Knobs{BGZF: true}); k.bgzf(r, &verdict.Change{Workers: map[string]int{}}, nil) == nil {
		qs = append(qs, question{verdict.KnobBGZF, "gzip -> BGZF", k, nil})
	}
	if r.Options.Format == "bam" && r.Options.OutputFile != "" {
		for _, level := range []int{1, 6} {
			if level != r.Options.Level {
				qs = append(qs, question{"level", fmt.Sprintf("%d -> %d", r.Options.Level, level), Knobs{Level: &level}, nil})
			}
		}
	}
	if r.Options.Sort == "coordinate" && r.Options.Shards == 0 {
		qs = append(qs, question{"shards", fmt.Sprintf("1 -> %d", r.Threads), Knobs{Shards: r.Threads}, nil})
	}
	if need := r.Sort.NeededBytes; r.Sort.SpilledRuns > 0 && need != nil {
		qs = append(qs, question{verdict.KnobMemory, fmt.Sprintf("%d -> %d MiB", r.Memory.LimitBytes>>20, *need>>20), Knobs{Memory: *need}, nil})
	}
	if n := r.Flight.Limit; n > 0 {
		qs = append(qs, question{verdict.KnobInFlight, fmt.Sprintf("%d -> %d batches", n, 2*n), Knobs{InFlight: 2 * n}, nil})
	}
	return qs
}

// turns tells whether a knob acts on a stage that ran.
func turns(r *report.Report, stage, knob string) bool {
	for _, p := range r.Model.Phases {
		for _, s := range p.Stations {
			if s.Name == stage && s.Turns(knob) {
				return true
			}
		}
	}
	return false
}
