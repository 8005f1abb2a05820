package pipeline

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/report"
)

func TestTuningDoesNotChangeTheBytes(t *testing.T) {
	drag := map[string]float64{meter.NameMap: 0.5, meter.NameParse: 1, meter.NameDeflate: 0.3, meter.NameInflate: 0.2, "no such stage": 1}
	tunings := []Tuning{
		{BatchBases: 3000}, {BatchBases: 1 << 20}, {BatchBases: 500}, {InFlight: 1}, {InFlight: 100}, {FixedSplit: true}, {Drag: drag},
		{Barrier: true}, {Barrier: true, InFlight: 1}, {Barrier: true, InFlight: 3, BatchBases: 5000}, {Barrier: true, InFlight: 50, BatchBases: 5000, Drag: drag},
	}
	for _, order := range []SortOrder{SortCoordinate, SortNone} {
		for _, paired := range []bool{true, false} {
			config := func(tuning Tuning) Config {
				cfg := lambdaConfig(t)
				cfg.Sort, cfg.Tuning = order, tuning
				if !paired {
					cfg.Reads = cfg.Reads[:1]
				}
				return cfg
			}
			base := config(Tuning{})
			mustRun(t, base)
			want := mustRead(t, base.Output)
			for _, tuning := range tunings {
				t.Run(fmt.Sprintf("%s,paired=%v,%+v", sortNames[order], paired, tuning), func(t *testing.T) {
					cfg := config(tuning)
					result := mustRun(t, cfg)
					if !bytes.Equal(mustRead(t, cfg.Output), want) {
						t.Error("the BAM differs")
					}
					if !meter.Enabled {
						return
					}
					if f := result.Flight; f.Entered != f.Left || f.Left == 0 {
						t.Errorf("in flight: %+v", f)
					}
				})
			}
		}
	}
}

// slowBatches has one mapper and a parser that take about as long, in many small batches.
func slowBatches(t *testing.T, tuning Tuning) (parse, mapping meter.Snapshot, stream report.PhaseRun, result *Result) {
	t.Helper()
	cfg := lambdaConfig(t)
	cfg.Reads, cfg.Threads = []string{write(t, "reads.fq", many(gunzip(t, lambda1), 3))}, 1
	cfg.Tuning = tuning
	cfg.Tuning.BatchBases, cfg.Tuning.Drag = 10_000, map[string]float64{meter.NameParse: 60, meter.NameMap: 5}
	result = mustRun(t, cfg)
	stream = result.Phases[1]
	for _, s := range stream.Stages {
		switch s.Name {
		case meter.NameParse:
			parse = s
		case meter.NameMap:
			mapping = s
		}
	}
	return parse, mapping, stream, result
}

func TestNoMapperWorksBesideTheParserAtABarrier(t *testing.T) {
	if !meter.Enabled {
		t.Skip("nothing is measured")
	}
	share := func(tuning Tuning) float64 {
		parse, mapping, stream, _ := slowBatches(t, tuning)
		t.Logf("parser %d ms, mapper %d ms", parse.BusyNS()/1e6, mapping.BusyNS()/1e6)
		return float64(parse.BusyNS()+mapping.BusyNS()) / float64(stream.Wall)
	}
	queue, barrier := share(Tuning{}), share(Tuning{Barrier: true, InFlight: 4})
	t.Logf("busy times of parser and mapper over wall: %.2f with a queue, %.2f with a barrier", queue, barrier)
	if barrier > 1.03 {
		t.Errorf("with a barrier parser and mapper are busy for %.2f times the wall time", barrier)
	}
	if queue < barrier+0.1 {
		t.Errorf("with a queue they are busy for %.2f times the wall time, with a barrier for %.2f", queue, barrier)
	}
}

func TestInFlightIsHeldByTheRun(t *testing.T) {
	if !meter.Enabled {
		t.Skip("nothing is measured")
	}
	for _, n := range []int{1, 2, 5} {
		_, _, _, result := slowBatches(t, Tuning{InFlight: n})
		if f := result.Flight; f.Limit != n || f.MeanInside > float64(n)*1.0001 || f.MeanInside == 0 {
			t.Errorf("limit %d: %+v", n, f)
		}
	}
}

func TestInflatingOfPlainGzipIsSerial(t *testing.T) {
	if !meter.Enabled {
		t.Skip("nothing is measured")
	}
	bgzf := bgzipped(t, gunzip(t, lambda1))
	tests := []struct {
		name    string
		reads   []string
		serial  bool
		workers int
	}{
		{"one gzip file", []string{lambda1}, true, 1},
		{"two gzip files", []string{lambda1, lambda2}, true, 2},
		{"bgzf", []string{bgzf}, false, 3},
		{"one of each", []string{bgzf, lambda2}, false, 3},
	}
	for _, tt := range tests {
		cfg := lambdaConfig(t)
		cfg.Reads, cfg.Threads = tt.reads, 3
		result := mustRun(t, cfg)
		i := slices.IndexFunc(result.Phases[1].Stages, func(s meter.Snapshot) bool { return s.Name == meter.NameInflate })
		if s := result.Phases[1].Stages[i]; s.Serial != tt.serial || s.Workers != tt.workers {
			t.Errorf("%s: serial %v, %d workers; want %v, %d", tt.name, s.Serial, s.Workers, tt.serial, tt.workers)
		}
	}
}
