package bench

import (
	"context"
	"math"
	"runtime/debug"
	"slices"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/pipeline"
)

// lineStages are the stages of a line that does not sort, in order. Collecting and deflating a block is one
// worker's work, one after the other: they are one stage here.
var lineStages = [][]string{{meter.NameRead}, {meter.NameInflate}, {meter.NameParse}, {meter.NameMap},
	{meter.NameOrder}, {meter.NameCollect, meter.NameDeflate}, {meter.NameWrite}}

// The places in lineStages up to which stages pass on pieces of inflated text, and from which on blocks.
const (
	lastInflating = 1
	firstOfBlocks = 4
)

// Service is what one batch takes at a stage.
type Service struct {
	Stage   string  `json:"stage"`
	Seconds float64 `json:"seconds_per_batch"`
	Workers float64 `json:"workers"` // that may share one batch, or have one each
	Pieces  float64 `json:"pieces_per_batch"`
}

// Compared is a measurement beside its formula.
type Compared struct {
	Measured Figure  `json:"measured"`
	Formula  float64 `json:"formula"`
	Error    float64 `json:"error"` // of the measured median against the formula, as a share of it
}

// Fill compares the time to fill and to drain a line, and the share of its time that the limiting stage
// works, with the formula. With K equal stages and m batches the share is m/(K+m-1); here stages are not
// equal, so the limiting stage works m P of fill + m P + drain.
type Fill struct {
	Bases       int       `json:"batch_bases"`
	Batches     int       `json:"batches"`
	Limit       *string   `json:"limiting_stage"`
	LimitReason string    `json:"limiting_stage_reason,omitempty"`
	Services    []Service `json:"services"`             // of the last run, on average
	Cold        []Service `json:"first_batch_services"` // of the first batch, alone
	FillTime    *Compared `json:"fill_seconds"`
	FillReason  string    `json:"fill_seconds_reason,omitempty"`
	Drain       *Compared `json:"drain_seconds"`
	DrainReason string    `json:"drain_seconds_reason,omitempty"`
	Use         *Compared `json:"utilisation"`
	UseReason   string    `json:"utilisation_reason,omitempty"`
}

// FillReport has the line that was measured, and what it took with batches of several sizes.
type FillReport struct {
	Threads int `json:"threads"`
	// Slowed is by what factor the mappers were slowed, so that the cores do not limit: the formula is one
	// of stages that do not wait for each other's cores.
	Slowed       *float64 `json:"map_slowed_times"`
	SlowedReason string   `json:"map_slowed_times_reason,omitempty"`
	Points       []Fill   `json:"points"`
}

// coreShare is how much of the cores beside the mappers the other stages may take: beyond, they
// would wait for each other.
const coreShare = 0.6

// slowLine is a line whose limit is the mappers, not the cores.
type slowLine struct {
	threads int
	factor  float64 // by which the mappers are slowed
	reason  string  // why there is none
}

// slowDown chooses mappers and how much slower they must be, given what a read takes of them and of all other
// stages together, in seconds.
func slowDown(cpus, mapping, others float64) slowLine {
	threads := int(cpus / 2)
	if threads < 1 {
		return slowLine{reason: "one CPU is all there is: stages cannot work side by side"}
	}
	period := others / (coreShare * (cpus - float64(threads)))
	return slowLine{threads: threads, factor: max(1, period*float64(threads)/mapping)}
}

func (l slowLine) how() how {
	return how{single: true, threads: l.threads, tune: pipeline.Tuning{FixedSplit: true, Drag: map[string]float64{meter.NameMap: l.factor - 1}}}
}

// measureFill runs a line whose limit is the mappers, with batches of several sizes.
func measureFill(ctx context.Context, r *runner, s *sample, slow slowLine, powers []int, repeats int) (FillReport, error) {
	if slow.reason != "" {
		return FillReport{SlowedReason: slow.reason, Points: []Fill{}}, nil
	}
	lines, err := sweep(ctx, r, len(powers), repeats, func(i int) how {
		h := slow.how()
		h.tune.BatchBases = batchBases(powers[i])
		return h
	})
	if err != nil {
		return FillReport{}, err
	}
	out := FillReport{Threads: slow.threads, Slowed: &slow.factor}
	for i, ls := range lines {
		cold, err := coldServices(ctx, r, s, batchBases(powers[i]))
		if err != nil {
			return out, err
		}
		out.Points = append(out.Points, fillOf(ls, cold, batchBases(powers[i]), r.cfg.CPUs))
	}
	return out, nil
}

// coldServices measures what the first batch takes of inflating and parsing, with a reader of its own: that is
// more than the mean, since memory comes with its first use.
func coldServices(ctx context.Context, r *runner, s *sample, batchBases int) ([]Service, error) {
	text := s.first(batchBases)
	data, err := packed(text, r.work.Container)
	if err != nil {
		return nil, err
	}
	columns, err := repeat(ctx, coldRepeats, func() ([]float64, error) {
		debug.FreeOSMemory() // as before a run
		inflated, parsing := newCPUStage(meter.NameInflate), newCPUStage(meter.NameParse)
		batches, err := parsed(ctx, data, 1000, batchBases, false, inflated, parsing)
		releaseAll(batches)
		return []float64{cpuOf(inflated), cpuOf(parsing)}, err
	})
	if err != nil {
		return nil, err
	}
	pieces := max(1, float64(len(text))/inflatedPiece)
	return []Service{{meter.NameInflate, figureOf(columns[0]).Median, 1, pieces}, {meter.NameParse, figureOf(columns[1]).Median, 1, 1}}, nil
}

const coldRepeats = 7

// fillOf compares runs with batches of one size.
func fillOf(lines []*line, cold []Service, batchBases int, cpus float64) Fill {
	var fills, drains, uses, formulaFill, formulaDrain, formulaUse []float64
	out := Fill{Bases: batchBases, Batches: lines[0].batches(), Cold: cold}
	for _, l := range lines {
		one := l.filling(cold, batchBases, cpus)
		if why := one.reason; why != "" {
			return Fill{Bases: batchBases, Batches: out.Batches, LimitReason: why, Services: []Service{}, Cold: cold,
				FillReason: why, DrainReason: why, UseReason: why}
		}
		out.Limit, out.Services = &one.limit, one.services
		fills, drains, uses = append(fills, one.fill), append(drains, one.drain), append(uses, one.use)
		formulaFill = append(formulaFill, one.formulaFill)
		formulaDrain, formulaUse = append(formulaDrain, one.formulaDrain), append(formulaUse, one.formulaUse)
	}
	out.FillTime, out.Drain, out.Use = compare(fills, formulaFill), compare(drains, formulaDrain), compare(uses, formulaUse)
	return out
}

func compare(measured, formula []float64) *Compared {
	c := &Compared{Measured: figureOf(measured), Formula: figureOf(formula).Median}
	c.Error = off(c.Measured.Median, c.Formula)
	return c
}

// filling is one run's times, measured and by the formula.
type filling struct {
	limit                                 string
	services                              []Service
	fill, drain, use                      float64
	formulaFill, formulaDrain, formulaUse float64
	reason                                string // why there is nothing
}

func (l *line) filling(cold []Service, batchBases int, cpus float64) filling {
	services := l.services(batchBases)
	if len(services) == 0 || l.batches() == 0 {
		return filling{reason: "the stages' times were not measured"}
	}
	at := limiting(services)
	if at == 0 || at == len(services)-1 {
		return filling{reason: "the line begins or ends with its limit: there is nothing to fill or to drain"}
	}
	limit, before, last := l.stages[services[at].Stage], l.stages[services[at-1].Stage], l.stages[meter.NameWrite]
	if before.FirstNS == 0 || limit.LastNS == 0 {
		return filling{reason: "when the stage before the limit gave its first batch is not known"}
	}
	out := filling{limit: services[at].Stage, services: services}
	out.fill = float64(before.FirstNS-l.startNS) / 1e9
	out.drain = float64(last.LastNS-limit.LastNS) / 1e9
	// The limit's own time is that on the clock: it holds what other programs take, as do the times measured.
	work := float64(limit.BusyNS()) / 1e9 / services[at].Workers
	out.use = work / l.seconds()
	out.formulaFill = l.fillFormula(instead(services[:at], cold), cpus)
	out.formulaDrain = drainFormula(services[at+1:], services[at], cpus, l.lastShare(batchBases))
	out.formulaUse = work / (out.formulaFill + work + out.formulaDrain)
	return out
}

// instead puts other times of the same stages in place of the mean ones.
func instead(services, others []Service) []Service {
	out := slices.Clone(services)
	for i, s := range out {
		for _, o := range others {
			if o.Stage == s.Stage {
				out[i] = o
			}
		}
	}
	return out
}

// fillFormula is the time that the first batch needs to the limit. Reading and inflating have begun
// when the file was opened, before the parser did.
func (l *line) fillFormula(before []Service, cpus float64) float64 {
	ahead := float64(l.startNS-l.openNS) / 1e9
	last := before[len(before)-1:]
	return max(passTime(last, cpus, 1), passTime(before, cpus, 1)-ahead)
}

// drainFormula is the time from the end of the limit's last batch, of which a share is there, to the end. Where
// the full batch before is still under way, the last one follows it by what the slowest stage takes.
func drainFormula(after []Service, limit Service, cpus, share float64) float64 {
	left := passTime(after, cpus, 1) - share*limit.Seconds/limit.Workers
	slowest := 0.0
	for _, s := range after {
		slowest = max(slowest, share*s.Seconds/s.Workers)
	}
	return max(passTime(after, cpus, share), left+slowest)
}

// lastShare is how full the last batch is.
func (l *line) lastShare(batchBases int) float64 {
	full := math.Ceil(float64(batchBases) / max(l.bases, 1))
	rest := float64(l.result.Primary) - full*float64(l.batches()-1)
	return min(max(rest/full, 0), 1)
}

// limiting is the stage that takes longest for a batch, its workers side by side.
func limiting(services []Service) int {
	best := 0
	for i, s := range services {
		if s.Seconds/s.Workers > services[best].Seconds/services[best].Workers {
			best = i
		}
	}
	return best
}

// passTime is how long a batch of which a share is there needs through stages that are idle. They hand it on in
// pieces, so that they work on it side by side: the first piece takes the sum, and each other
// one the time of the slowest stage, or of all where there are fewer cores than stages. It is the
// formula of the whole line again, with the pieces as its batches.
func passTime(services []Service, cpus, share float64) float64 {
	first, slowest, sum := 0.0, 0.0, 0.0
	pieces := math.Inf(1)
	for _, s := range services {
		pieces = min(pieces, max(s.Pieces*share, 1))
	}
	for _, s := range services {
		t := s.Seconds * share
		first += t / max(s.Pieces*share, 1)
		slowest = max(slowest, t/min(s.Workers, pieces))
		sum += t
	}
	slowest = max(slowest, sum/cpus)
	return first + slowest*(pieces-1)/pieces
}

// pieceBytes are the sizes in which stages pass bytes on.
const (
	inflatedPiece = 256 << 10
	blockPiece    = 65280
)

// serviceOf is a stage's time on a core, or in calls of its device, in seconds.
func serviceOf(s meter.Snapshot) float64 {
	ns := s.CPUNS
	if s.Kind != meter.KindCPU {
		ns = s.BlockedNS()
	} else if ns == 0 {
		ns = max(0, s.BusyNS())
	}
	return float64(ns) / 1e9
}

// services are the stages' times for one batch: on a core, or in the calls of a device.
func (l *line) services(batchBases int) []Service {
	m := float64(l.batches())
	plain := float64(l.stages[meter.NameInflate].BytesOut) / m
	if plain == 0 {
		plain = float64(l.stages[meter.NameRead].BytesIn) / m
	}
	records := float64(l.stages[meter.NameOrder].BytesIn) / m
	var out []Service
	for i, names := range lineStages {
		v := Service{Stage: names[len(names)-1], Pieces: 1}
		for _, name := range names {
			s := l.stages[name]
			v.Seconds += serviceOf(s) / m
			v.Workers = float64(max(1, s.Workers))
			if s.Serial {
				v.Workers = 1
			}
		}
		switch {
		case i <= lastInflating:
			v.Pieces = max(1, plain/inflatedPiece)
		case i >= firstOfBlocks:
			v.Pieces = max(1, records/blockPiece)
		}
		if v.Seconds > 0 {
			out = append(out, v)
		}
	}
	return out
}
