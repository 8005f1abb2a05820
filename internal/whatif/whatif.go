// Package whatif forecasts what a run would have taken on another machine or with other options, from
// its report alone.
//
// [Knobs] are what a user can change. [Knobs.Ask] turns them into a [verdict.Change] and has the model of the
// report computed again; what the run has no data for is refused. [Survey] asks about every knob in turn and
// says which of them have no effect.
package whatif

import (
	"fmt"
	"math"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/report"
	"github.com/alignpipe/alignpipe/internal/verdict"
)

// Free is a speed that makes something cost nothing.
const Free = 1e9

// Knobs are the changes to forecast; zero leaves a knob alone. Speeds are how many times as fast.
type Knobs struct {
	Cores      float64 // and as many threads
	Quota      float64 // CPUs that control groups allow
	QuietHost  bool
	Input      float64 // the device that reads come from
	Spill      float64
	Output     float64
	Disk       float64 // all three
	Upstream   float64 // the program that writes into the input pipe
	Downstream float64
	Cached     bool // the input is in memory
	BGZF       bool // the input is BGZF instead of gzip
	Level      *int // of compression
	Shards     int
	Memory     int64              // bytes
	InFlight   int                // batches of reads
	IndexReady bool               // no start-up
	Stages     map[string]float64 // stages, by name
}

// NoEffect is the change of the wall time below which a knob does nothing, as a share.
const NoEffect = 0.02

// Forecast is what a run would have been.
type Forecast struct {
	WallSeconds    float64 `json:"wall_seconds"`
	ReadsPerSecond float64 `json:"reads_per_second"`
	// Speedup is the measured wall time over the forecast one; the run lies in the interval with 90 %.
	Speedup     float64 `json:"speedup"`
	SpeedupLow  float64 `json:"speedup_low"`
	SpeedupHigh float64 `json:"speedup_high"`
	NoEffect    bool    `json:"no_effect"`
	Limit       string  `json:"limit_becomes"`
	Basis       string  `json:"basis"` // the tier of the model, and what was measured for it
}

// Ask forecasts the run of a report with other knobs. The error wraps [verdict.ErrNoData] where the run
// has nothing to say about them.
func (k Knobs) Ask(r *report.Report) (Forecast, error) {
	if r.Verdict.Class == verdict.Memory {
		return Forecast{}, fmt.Errorf("a run that waits for memory does so differently each time: %w", verdict.ErrNoData)
	}
	c, basis, err := k.change(r)
	if err != nil {
		return Forecast{}, err
	}
	f, err := r.Model.Forecast(c)
	if err != nil {
		return Forecast{}, err
	}
	if k.InFlight > 0 {
		if err := replayInFlight(r, k.InFlight, &f); err != nil {
			return Forecast{}, err
		}
		basis = "replay of the batches"
	}
	return finish(r, f, basis)
}

// finish adds what a reader of the forecast wants to know.
func finish(r *report.Report, f verdict.Forecast, basis string) (Forecast, error) {
	if !(f.WallSeconds > 0) || math.IsInf(f.WallSeconds, 0) {
		return Forecast{}, fmt.Errorf("a run of %v s: %w", f.WallSeconds, verdict.ErrNoData)
	}
	out := Forecast{WallSeconds: f.WallSeconds, Basis: basis}
	out.Speedup = r.WallSeconds / f.WallSeconds
	width := interval(out.Speedup)
	out.SpeedupLow, out.SpeedupHigh = out.Speedup*(1-width), out.Speedup*(1+width)
	out.NoEffect = math.Abs(out.Speedup-1) < NoEffect
	out.ReadsPerSecond = float64(r.Reads.Total) / f.WallSeconds
	if len(f.Limits) > 0 {
		out.Limit = fmt.Sprintf("%s (%s)", f.Limits[0].Class, f.Limits[0].Stage)
	}
	return out, nil
}

// change puts the knobs in the words of the model.
func (k Knobs) change(r *report.Report) (c verdict.Change, basis string, err error) {
	c = verdict.Change{Cores: k.Cores, Quota: k.Quota, QuietHost: k.QuietHost, NoStart: k.IndexReady,
		Speed: map[string]float64{}, Bytes: map[string]float64{}, CPU: map[string]float64{}, Workers: map[string]int{}}
	basis = "demands of this run"
	speeds := map[string]float64{verdict.KnobInputDisk: k.Input, verdict.KnobSpillDisk: k.Spill, verdict.KnobOutputDisk: k.Output,
		verdict.KnobDisk: k.Disk, verdict.KnobUpstream: k.Upstream, verdict.KnobDownstream: k.Downstream}
	for stage, f := range k.Stages {
		if !hasStage(r, stage) {
			return c, "", fmt.Errorf("no stage %q ran: %w", stage, verdict.ErrNoData)
		}
		speeds[verdict.StageKnob(stage)] = f
	}
	if k.Cached {
		speeds[verdict.KnobInputDisk] = Free
	}
	for knob, f := range speeds {
		if f != 0 {
			c.Speed[knob] = f
		}
	}
	for _, apply := range []func(*report.Report, *verdict.Change, *string) error{k.bgzf, k.level, k.shards, k.memory} {
		if err := apply(r, &c, &basis); err != nil {
			return c, "", err
		}
	}
	return c, basis, nil
}

func hasStage(r *report.Report, name string) bool {
	for _, p := range r.Model.Phases {
		for _, s := range p.Stations {
			if s.Name == name {
				return true
			}
		}
	}
	return false
}

// bgzf lets as many threads inflate as there are.
func (k Knobs) bgzf(r *report.Report, c *verdict.Change, _ *string) error {
	if !k.BGZF {
		return nil
	}
	serial := false
	for _, in := range r.Inputs {
		serial = serial || in.Serial && in.Format == "gzip"
	}
	if !serial {
		return fmt.Errorf("no input is gzip that one thread inflates: %w", verdict.ErrNoData)
	}
	threads := r.Threads
	if k.Cores > 0 {
		threads = int(math.Ceil(k.Cores))
	}
	c.Workers[meter.NameInflate] = max(2, threads)
	return nil
}

// shards has as many merges side by side as there are shards and threads for them.
func (k Knobs) shards(r *report.Report, c *verdict.Change, _ *string) error {
	if k.Shards == 0 {
		return nil
	}
	if r.Options.Sort != "coordinate" {
		return fmt.Errorf("only records sorted by coordinate can be sharded: %w", verdict.ErrNoData)
	}
	c.Workers[meter.NameMerge] = min(k.Shards, r.Threads)
	return nil
}

// memory tells only what would be without spilling: how much of the sorting goes with less or more of it,
// one run does not say.
func (k Knobs) memory(r *report.Report, c *verdict.Change, basis *string) error {
	if k.Memory == 0 {
		return nil
	}
	switch enough := r.Sort.NeededBytes; {
	case r.Sort.SpilledRuns == 0 && k.Memory >= r.Memory.LimitBytes:
		return nil
	case r.Sort.SpilledRuns == 0:
		return fmt.Errorf("nothing was spilled, so what spilling costs is not known: %w", verdict.ErrNoData)
	case enough == nil || k.Memory < *enough:
		return fmt.Errorf("with this much some would still be spilled, and one run does not say how that goes: %w", verdict.ErrNoData)
	}
	c.Speed[verdict.KnobSpillDisk] = Free
	*basis = "demands of this run without its spilling; sorting as it was, which is more than it would be"
	return nil
}
