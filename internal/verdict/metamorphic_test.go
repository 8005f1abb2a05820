package verdict

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// randomLoads are loads of simulated runs, some with a machine beside them and a limit in flight.
func randomLoads(t *testing.T, n int) []Load {
	t.Helper()
	rng := rand.New(rand.NewPCG(17, 4))
	var all []Load
	for range n {
		load, _ := randomRun(rng).measure(t)
		for i := range load.Phases {
			p := &load.Phases[i]
			if rng.IntN(3) == 0 {
				p.InFlight = 1 + rng.IntN(20)
			}
			if rng.IntN(3) == 0 {
				p.Host = &Host{OthersCPUSeconds: rng.Float64() * p.WallSeconds, ThrottledSeconds: rng.Float64() * p.WallSeconds / 5,
					CollectorSeconds: rng.Float64(), MajorFaults: rng.Int64N(3)}
			}
			for i := range p.Devices { // its clock and those of the calls differ a little
				p.Devices[i].BusySeconds *= 0.9 + 0.2*rng.Float64()
			}
			if rng.IntN(3) == 0 {
				p.ProcessCPUSeconds = cpuSeconds(*p) * (0.98 + 0.06*rng.Float64()) // counted apart from the stages
			}
		}
		if rng.IntN(3) == 0 {
			load.Phases = append([]Phase{{Name: "startup", Startup: true, WallSeconds: rng.Float64(), ProcessCPUSeconds: rng.Float64()}}, load.Phases...)
		}
		all = append(all, load)
	}
	return all
}

func mustForecast(t *testing.T, l Load, c Change) Forecast {
	t.Helper()
	f, err := l.Forecast(c)
	if err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	return f
}

func same(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a)) }

func TestAChangeOfNothingForecastsTheRun(t *testing.T) {
	for _, l := range randomLoads(t, 200) {
		ones := map[string]float64{KnobDisk: 1, KnobInputDisk: 1, KnobOutputDisk: 1, StageKnob(meter.NameMap): 1}
		for _, c := range []Change{{}, {Speed: ones}, {Bytes: ones}, {CPU: map[string]float64{meter.NameMap: 1}}, {Quota: l.CPUs}} {
			if f := mustForecast(t, l, c); !same(f.WallSeconds, wallOf(l.Phases)) {
				t.Fatalf("%+v: %v s instead of %v\n%+v", c, f.WallSeconds, wallOf(l.Phases), l)
			}
		}
	}
}

func TestMoreOfSomethingIsNeverSlower(t *testing.T) {
	for _, l := range randomLoads(t, 200) {
		wall := wallOf(l.Phases)
		changes := []Change{{QuietHost: true}, {NoStart: true}, {InFlight: 1000}, {Cores: 1.5 * l.CPUs}, {Cores: 4 * l.CPUs}, {Quota: 2 * l.CPUs}}
		for _, k := range []string{KnobDisk, KnobInputDisk, KnobOutputDisk, KnobSpillDisk, KnobUpstream,
			StageKnob(meter.NameInflate), StageKnob(meter.NameParse), StageKnob(meter.NameMap), StageKnob(meter.NameDeflate)} {
			var before float64 = wall
			for _, f := range []float64{1.01, 1.5, 4, 1e9} {
				got := mustForecast(t, l, Change{Speed: map[string]float64{k: f}}).WallSeconds
				if got > before*(1+1e-9) {
					t.Fatalf("%s %v times as fast: %v s after %v\n%+v", k, f, got, before, l)
				}
				before = got
			}
		}
		for _, c := range changes {
			if got := mustForecast(t, l, c).WallSeconds; got > wall*(1+1e-9) {
				t.Fatalf("%+v: %v s, was %v\n%+v", c, got, wall, l)
			}
		}
	}
}

func TestElasticitiesAreShares(t *testing.T) {
	for _, l := range randomLoads(t, 200) {
		v := Classify(l)
		var sum float64
		for _, limit := range v.Limits {
			sum += limit.Elasticity
			if limit.Elasticity < 0 || limit.Utilisation < 0 || limit.Utilisation > 1 {
				t.Fatalf("%+v", limit)
			}
		}
		if math.Abs(sum-1) > 1e-9 || v.Confidence < 0 || v.Confidence > 1 {
			t.Fatalf("elasticities add up to %v, confidence %v", sum, v.Confidence)
		}
		if again := Classify(l); !reflect.DeepEqual(v, again) {
			t.Fatalf("a second look differs")
		}
	}
}

// stretched is the load with all times k times as long.
func stretched(l Load, k float64) Load {
	l.Phases = slices.Clone(l.Phases)
	for i, p := range l.Phases {
		l.Phases[i] = part(p, k)
	}
	return l
}

// part is a phase with everything that it did k times.
func part(p Phase, k float64) Phase {
	p.Stations, p.Devices = slices.Clone(p.Stations), slices.Clone(p.Devices)
	if p.Host != nil {
		h := *p.Host
		p.Host = &h
	}
	of := p
	of.WallSeconds *= k
	p.scale(of)
	return p
}

func TestTheUnitOfTimeDoesNotMatter(t *testing.T) {
	for _, l := range randomLoads(t, 100) {
		for _, k := range []float64{2, 1000} {
			slow := stretched(l, k)
			a, b := Classify(l), Classify(slow)
			if a.String() != b.String() || !same(a.Confidence, b.Confidence) {
				t.Fatalf("%s %v; %g times as long: %s %v", a, a.Confidence, k, b, b.Confidence)
			}
			c := Change{Cores: 2 * l.CPUs}
			if x, y := mustForecast(t, l, c).WallSeconds, mustForecast(t, slow, c).WallSeconds; !same(y/x/k, 1) {
				t.Fatalf("forecast %v s; %g times as long: %v s", x, k, y)
			}
		}
	}
}

func TestHalvesOfAPhaseSayWhatTheWholeSays(t *testing.T) {
	for _, l := range randomLoads(t, 100) {
		split := l
		split.Phases = nil
		for _, p := range l.Phases {
			split.Phases = append(split.Phases, part(p, 0.3), part(p, 0.7))
		}
		a, b := Classify(l), Classify(split)
		if a.Class != b.Class || a.Class != Balanced && a.Stage != b.Stage || !same(a.Limits[0].Elasticity, b.Limits[0].Elasticity) {
			t.Fatalf("whole: %s %v; in two: %s %v", a, a.Limits[0].Elasticity, b, b.Limits[0].Elasticity)
		}
		c := Change{Cores: 2 * l.CPUs, Speed: map[string]float64{KnobDisk: 2}}
		if x, y := mustForecast(t, l, c).WallSeconds, mustForecast(t, split, c).WallSeconds; !same(x, y) {
			t.Fatalf("whole: %v s; in two: %v s", x, y)
		}
	}
}

func TestWindowsThatDisagreeCostConfidence(t *testing.T) {
	window := func(inflate, mapping float64) Phase {
		return stream(1, cpu("inflate", 1, inflate, 1-inflate), cpu("map", 4, mapping, 4-mapping))
	}
	whole := func(windows ...Phase) Phase {
		p := Phase{Name: "stream"}
		for _, w := range windows {
			p.add(w)
		}
		p.Windows = windows
		return p
	}
	steady := func(n int) []Phase { return slices.Repeat([]Phase{window(0.97, 1)}, n) }
	alike := Classify(Load{CPUs: 4, Phases: []Phase{whole(steady(20)...)}})
	mixed := Classify(Load{CPUs: 4, Phases: []Phase{whole(append(steady(13), slices.Repeat([]Phase{window(0.1, 3.85)}, 7)...)...)}})
	if alike.Class != Serial || alike.Confidence < 0.9 {
		t.Errorf("windows alike: %s, confidence %.2f", alike, alike.Confidence)
	}
	if mixed.Confidence > alike.Confidence-0.1 {
		t.Errorf("mixed windows: %s, confidence %.2f after %.2f", mixed, mixed.Confidence, alike.Confidence)
	}
}

func TestClassesFromWhatTheMachineDid(t *testing.T) {
	mapping := func(cpuS, busy float64) []Station {
		return []Station{dev("read", fileIn, 1, 3, 1), {Name: "parse", Kind: meter.KindCPU, Workers: 1, Serial: true, CPUSeconds: 5, BusySeconds: 5, LifetimeSeconds: 60, Batches: 100},
			{Name: "map", Kind: meter.KindCPU, Workers: 4, CPUSeconds: cpuS, BusySeconds: busy, LifetimeSeconds: 240, Batches: 100}}
	}
	onDisk := func(name string, kind meter.Kind, blocked float64, bytes int64) Station {
		s := dev(name, kind, 1, blocked, 1)
		s.Device, s.Bytes = "sda", bytes
		return s
	}
	disk := []Device{{"sda", 58}}
	tests := []struct {
		story    string
		host     *Host
		quota    float64
		inFlight int
		stations []Station
		devices  []Device
		want     string
		knob     string
	}{
		{"two cores by quota, used up in most periods", &Host{ThrottledSeconds: 40}, 2, 0, mapping(112, 235), nil, "cgroup-throttled (map)", KnobQuota},
		{"a quota that is never used up, and a disk", &Host{}, 3, 0, []Station{dev("read", fileIn, 1, 58, 1), cpu("map", 4, 40, 190)}, nil, "input-io (read)", KnobInputDisk},
		{"others take two of four cores", &Host{OthersCPUSeconds: 120}, 0, 0, mapping(112, 235), nil, "noisy-neighbour (map)", KnobNeighbour},
		{"others take two of four cores, which nobody wants", &Host{OthersCPUSeconds: 120}, 0, 0, []Station{dev("read", fileIn, 1, 58, 1), cpu("map", 4, 30, 200)}, nil, "input-io (read)", KnobInputDisk},
		{"half of the work is collecting garbage", &Host{CollectorSeconds: 110}, 0, 0, mapping(233, 235), nil, "memory (map)", KnobMemory},
		{"the index comes from a disk page by page", &Host{MajorFaults: 1e5}, 0, 0, mapping(30, 235), nil, "memory (map)", KnobMemory},
		{"the same off-CPU time, but it was spent in run queues", &Host{MajorFaults: 1e5, RunQueueSeconds: 205, OthersCPUSeconds: 205}, 0, 0, mapping(30, 235), nil, "noisy-neighbour (map)", KnobNeighbour},
		{"one batch for four mappers", nil, 0, 1, mapping(54, 54), nil, "lock (map)", KnobInFlight},
		{"reading and writing the same disk", nil, 0, 0, []Station{onDisk("read", fileIn, 50, 5e9), onDisk("spill-write", fileOut, 50, 4e9), cpu("map", 4, 40, 190)}, disk, "shared-disk (read)", KnobDisk},
		{"reading a little from a disk that writing keeps busy", nil, 0, 0, []Station{onDisk("read", fileIn, 50, 1e8), onDisk("write", fileOut, 55, 4e9), cpu("map", 4, 40, 190)}, disk, "output-io (write)", KnobOutputDisk},
		{"reading much of what is in memory, and writing to the same disk", nil, 0, 0, []Station{onDisk("read", fileIn, 0.2, 9e9), onDisk("write", fileOut, 58, 4e9), cpu("map", 4, 40, 190)}, disk, "output-io (write)", KnobOutputDisk},
	}
	for _, tt := range tests {
		t.Run(tt.story, func(t *testing.T) {
			p := stream(60, tt.stations...)
			p.Host, p.InFlight, p.Devices = tt.host, tt.inFlight, tt.devices
			l := Load{CPUs: leastPositive(4, tt.quota), Threads: 4, HostCPUs: 4, QuotaCPUs: tt.quota, Phases: []Phase{p}}
			v := Classify(l)
			if v.String() != tt.want || v.Limits[0].Knob != tt.knob || v.Confidence < 0.5 {
				t.Errorf("%s, knob %s, confidence %.2f; want %s, %s\n%s\n%+v", v, v.Limits[0].Knob, v.Confidence, tt.want, tt.knob, strings.Join(v.Evidence, "\n"), v.Limits)
			}
			l.Unclosed = []string{"items lost"}
			if v := Classify(l); v.Class != Undetermined || v.Confidence != 0 || !slices.Contains(v.Evidence, "items lost") {
				t.Errorf("accounts that do not close: %s, confidence %v, %q", v, v.Confidence, v.Evidence)
			}
			if _, err := l.Forecast(Change{}); err == nil {
				t.Errorf("accounts that do not close were forecast from")
			}
		})
	}
}

func TestForecastOfCoresTurnsEveryPool(t *testing.T) {
	one := Load{CPUs: 1, Threads: 1, HostCPUs: 1, Phases: []Phase{stream(60, Station{Name: "parse", Kind: meter.KindCPU, Workers: 1, Serial: true, CPUSeconds: 3}, cpu("map", 1, 56, 1))}}
	if f := mustForecast(t, one, Change{Cores: 2}); f.WallSeconds > 33 {
		t.Errorf("a run of one thread on two cores: %.1f s of 60", f.WallSeconds)
	}
}

func TestForecastScalesWhatADeviceIsAskedFor(t *testing.T) {
	write := dev("write", fileOut, 1, 30, 30) // half of the calls is copying
	write.Device = "sda"
	p := stream(30, write)
	p.Devices = []Device{{"sda", 60}}
	l := Load{CPUs: 8, Threads: 8, HostCPUs: 8, Phases: []Phase{p}}
	if f := mustForecast(t, l, Change{Speed: map[string]float64{KnobOutputDisk: 1.5}}); math.Abs(f.WallSeconds-20) > 0.5 {
		t.Errorf("a disk 1.5 times as fast: %.2f s, want 20", f.WallSeconds)
	}
}

func TestForecastRefusals(t *testing.T) {
	l := Load{CPUs: 2, Threads: 2, HostCPUs: 2, Phases: []Phase{stream(60, cpu("map", 2, 118, 1))}}
	for _, c := range []Change{{Cores: 9}, {Quota: 9}, {Cores: math.Inf(1)}, {Cores: math.NaN()}, {Cores: 0.1}, {Quota: -1}, {Speed: map[string]float64{"disk": 0.01}}, {Speed: map[string]float64{"disk": 0}}, {Bytes: map[string]float64{"disk": -1}},
		{CPU: map[string]float64{"map": math.NaN()}}, {Speed: map[string]float64{"disk": math.Inf(1)}}} {
		if f, err := l.Forecast(c); err == nil {
			t.Errorf("%+v: %v s", c, f.WallSeconds)
		}
	}
	l.CPUs = 0
	if _, err := l.Forecast(Change{}); err == nil {
		t.Error("forecast without a number of CPUs")
	}
}
