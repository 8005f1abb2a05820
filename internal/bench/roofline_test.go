package bench

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/report"
)

// allows is a station by what it lets through, in reads per second.
func allows(name, resource string, units, rate float64) Station {
	if resource == resourceCPU {
		return cpuStation(name, fromCeiling, units, units/rate, name != meter.NameParse)
	}
	return station(name, resource, fromCeiling, units, units/rate)
}

// roofOf concludes a roofline of one phase.
func roofOf(measured float64, stations ...Station) Roofline {
	r := Roofline{Measured: figureOf([]float64{measured}), Phases: []RoofPhase{{Name: "stream", Stations: stations}}}
	r.conclude()
	return r
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*math.Abs(want) {
		t.Errorf("%s is %g, want %g", what, got, want)
	}
}

func TestRooflineNamesTheLowest(t *testing.T) {
	unknown := unknownStation("read", resourceDevice, "a pipe")
	r := roofOf(90, allows("map", resourceCPU, 2, 300), unknown, allows("write", resourceDevice, 1, 100), allows("parse", resourceCPU, 1, 200))
	if r.Limit != "write" || r.Next != "parse" || r.LimitPhase != "stream" {
		t.Errorf("limit %q, next %q, phase %q", r.Limit, r.Next, r.LimitPhase)
	}
	near(t, "the roof", r.Roof, 100)
	near(t, "the roof of the cores", r.CPURoof, 200)
	near(t, "the roof of the disks", *r.DeviceRoof, 100)
	near(t, "the share", r.Share, .9)
}

func TestRooflineAddsPhases(t *testing.T) {
	r := Roofline{Measured: figureOf([]float64{50}), Phases: []RoofPhase{
		{Name: "stream", Stations: []Station{allows("map", resourceCPU, 2, 100)}},
		{Name: "merge", Stations: []Station{allows("deflate", resourceCPU, 2, 300), allows("write", resourceDevice, 1, 600)}},
	}}
	r.conclude()
	near(t, "the roof", r.Roof, 75) // 1/(1/100 + 1/300)
	near(t, "the roof of the disks", *r.DeviceRoof, 600)
	if r.LimitPhase != "stream" || r.Limit != "map" {
		t.Errorf("limit %s in %s", r.Limit, r.LimitPhase)
	}
}

func TestRooflineWithoutDisks(t *testing.T) {
	r := roofOf(10, allows("map", resourceCPU, 2, 300))
	if r.DeviceRoof != nil || r.DeviceRoofReason == "" {
		t.Errorf("roof of the disks %v, reason %q", r.DeviceRoof, r.DeviceRoofReason)
	}
}

// ceilingOf is a ceiling of one value.
func ceilingOf(name string, streams int, unit string, v float64) Ceiling {
	return Ceiling{Name: name, Streams: streams, Values: []Value{valueOf(unit, []float64{v})}}
}

func TestPhaseUnderTheCeilings(t *testing.T) {
	m := &machine{cpus: 4, level: 1, container: containerGzip, files: 2, input: 50,
		core: ceilings{ceilingOf("inflate gzip", 1, readsPerSecond, 1000), ceilingOf(nameMap, 1, readsPerSecond, 200)},
		folders: []Folder{{Path: "/data", Roles: []string{roleInput, roleOutput}, Ceilings: []Ceiling{
			ceilingOf(nameRead, 2, bytesPerSecond, 50_000), ceilingOf(nameWrite, 1, bytesPerSecond, 100_000)}}}}
	p := report.PhaseRun{Name: "stream", Span: report.Span{Wall: 2 * time.Second, Stages: []meter.Snapshot{
		{Name: meter.NameRead, Kind: meter.KindDeviceRead, Workers: 2, LifetimeNS: 1, BytesIn: 1},
		{Name: meter.NameInflate, Kind: meter.KindCPU, Workers: 2, Serial: true, LifetimeNS: 1},
		{Name: meter.NameMap, Kind: meter.KindCPU, Workers: 3, LifetimeNS: 1},
		{Name: meter.NameOrder, Kind: meter.KindCPU, Workers: 1, Serial: true, LifetimeNS: 1, CPUNS: 1e9},
		{Name: meter.NameMerge, Kind: meter.KindCPU, Workers: 1},
		{Name: meter.NameWrite, Kind: meter.KindDeviceWrite, Workers: 1, LifetimeNS: 1, BytesOut: 100_000},
	}}}
	got := m.phase(p, 500)
	want := map[string]float64{ // reads per second
		meter.NameRead:    1000, // 50 kB/s, 50 bytes a read
		meter.NameInflate: 2000, // one thread for each file
		meter.NameMap:     600,
		meter.NameOrder:   500, // what it took in the run
		meter.NameWrite:   500, // 100 kB/s, 200 bytes a read
		nameCores:         500, // 4 / (1 + 5 + 2 ms)
		"disk of /data":   1 / (1./1000 + 1./500),
	}
	if len(got.Stations) != len(want) {
		t.Errorf("%d stations, want %d", len(got.Stations), len(want))
	}
	near(t, "the measured throughput", got.Measured, 250)
	for _, s := range got.Stations {
		near(t, s.Name, *s.Allowed, want[s.Name])
		if fixed := s.Resource == resourceDevice || s.Name == meter.NameOrder; s.Scales == fixed {
			t.Errorf("%s scales with cores: %t", s.Name, s.Scales)
		}
		near(t, "the utilisation of "+s.Name, *s.Utilisation, 250/want[s.Name])
	}
}

func TestSyncIsPartOfWriting(t *testing.T) {
	phase := func(name string, wall time.Duration, stages ...meter.Snapshot) report.PhaseRun {
		return report.PhaseRun{Name: name, Span: report.Span{Wall: wall, Stages: stages}}
	}
	in := []report.PhaseRun{phase("merge", 2, meter.Snapshot{Name: meter.NameWrite, BytesOut: 7}),
		phase(phaseSync, 3, meter.Snapshot{Name: meter.NameWrite, BytesOut: 4}, meter.Snapshot{Name: meter.NameSync})}
	out := joinSync(in)
	if len(out) != 1 || out[0].Wall != 5 || len(out[0].Stages) != 2 || out[0].Stages[0].BytesOut != 11 {
		t.Errorf("joined to %+v", out)
	}
	if in[0].Stages[0].BytesOut != 7 {
		t.Error("the run's own account was changed")
	}
}

func TestAdvice(t *testing.T) {
	const cpus = 2
	cores := func(rate float64) Station { return allows(nameCores, resourceCPU, cpus, rate) }
	disk := func(rate float64) Station { return allows(meter.NameWrite, resourceDevice, 1, rate) }
	tests := []struct {
		name     string
		stations []Station
		buy      string
		words    string
	}{
		{"disks far above the cores", []Station{cores(1e5), disk(1e6)}, buyCores, "10.0 times as many would be used"},
		{"one thread between cores and disks", []Station{cores(1e5), disk(1e6), allows(meter.NameParse, resourceCPU, 1, 3e5)}, buyCores, "next limit then is parse, at 300 thousand"},
		{"one thread that parses", []Station{cores(2e5), allows(meter.NameParse, resourceCPU, 1, 1e5), disk(1e6)}, buyNeither, "one thread's work while other cores"},
		{"disks below the cores", []Station{cores(1e6), disk(2e5)}, buyDisks, "5.0 times as fast"},
		{"alike", []Station{cores(1e5), disk(1.05e5)}, buyBoth, "alike"},
		{"one thread that inflates", []Station{cores(2e5), allows(meter.NameInflate, resourceCPU, 1, 1e5), disk(1e6)}, buyNeither, "BGZF"},
		{"no disk known", []Station{cores(1e5)}, buyUnknown, "not known"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := adviceOf(roofOf(1e4, tt.stations...), cpus, containerGzip)
			if a.Buy != tt.buy || !strings.Contains(strings.Join(a.Words, " "), tt.words) {
				t.Errorf("buy %s: %q, want %s with %q", a.Buy, a.Words, tt.buy, tt.words)
			}
		})
	}
}
