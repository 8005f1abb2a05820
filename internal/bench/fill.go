package bench

import (
	"math"
	"slices"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// lineStages are the stages of a line that does not sort, in order.
var lineStages = []string{meter.NameRead, meter.NameInflate, meter.NameParse, meter.NameMap,
	meter.NameOrder, meter.NameCollect, meter.NameDeflate, meter.NameWrite}

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

// Fill compares the time to fill and to drain the line, and how much of its time the limiting stage
// works, with the formula. With K equal stages and m batches that is m/(K+m-1); here stages are not equal,
// so the limiting stage works m P of fill + m P + drain.
type Fill struct {
	Limit       *string   `json:"limiting_stage"`
	LimitReason string    `json:"limiting_stage_reason,omitempty"`
	Services    []Service `json:"services"` // of the median run
	FillSeconds *Compared `json:"fill_seconds"`
	Drain       *Compared `json:"drain_seconds"`
	Utilisation *Compared `json:"utilisation"`
}

// fillOf compares runs with batches of one size.
func fillOf(lines []*line, batchBases int, cpus float64) Fill {
	var fills, drains, uses, formulaFill, formulaDrain, formulaUse []float64
	var out Fill
	for _, l := range lines {
		one := l.filling(batchBases, cpus)
		if one.reason != "" {
			return Fill{LimitReason: one.reason, Services: []Service{}}
		}
		out.Limit, out.Services = &one.limit, one.services
		fills, drains, uses = append(fills, one.fill), append(drains, one.drain), append(uses, one.use)
		formulaFill = append(formulaFill, one.formulaFill)
		formulaDrain, formulaUse = append(formulaDrain, one.formulaDrain), append(formulaUse, one.formulaUse)
	}
	out.FillSeconds, out.Drain, out.Utilisation = compare(fills, formulaFill), compare(drains, formulaDrain), compare(uses, formulaUse)
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

func (l *line) filling(batchBases int, cpus float64) filling {
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
	m := float64(l.batches())
	period := services[at].Seconds / services[at].Workers
	out.use = m * period / l.seconds()
	out.formulaFill = passTime(services[:at], cpus, 1)
	out.formulaDrain = passTime(services[at+1:], cpus, l.lastShare(batchBases))
	out.formulaUse = m * period / (out.formulaFill + m*period + out.formulaDrain)
	return out
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

// services are the stages' times for one batch: on a core, or in the calls of a device.
func (l *line) services(batchBases int) []Service {
	m := float64(l.batches())
	plain := float64(l.stages[meter.NameInflate].BytesOut) / m
	if plain == 0 {
		plain = float64(l.stages[meter.NameRead].BytesIn) / m
	}
	records := float64(l.stages[meter.NameOrder].BytesIn) / m
	var out []Service
	for _, name := range lineStages {
		s := l.stages[name]
		ns := s.CPUNS
		if s.Kind != meter.KindCPU {
			ns = s.BlockedNS()
		} else if ns == 0 {
			ns = max(0, s.BusyNS())
		}
		if ns == 0 {
			continue
		}
		v := Service{Stage: name, Seconds: float64(ns) / 1e9 / m, Workers: float64(max(1, s.Workers)), Pieces: 1}
		if s.Serial {
			v.Workers = 1
		}
		switch {
		case slices.Contains(lineStages[:2], name):
			v.Pieces = max(1, plain/inflatedPiece)
		case slices.Contains(lineStages[4:], name):
			v.Pieces = max(1, records/blockPiece)
		}
		out = append(out, v)
	}
	return out
}
