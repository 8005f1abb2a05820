package main

import (
	"reflect"
	"slices"
	"testing"
)

func testPlan(seed uint64) plan { return plan{seed: seed, classes: classes, count: 120, truths: 40} }

func TestOneSeedGivesTheSameScenarios(t *testing.T) {
	differ := false
	for i := range 120 {
		a, b := testPlan(1).scenario(i), testPlan(1).scenario(i)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("scenario %d: %+v and %+v", i, a, b)
		}
		other := testPlan(2).scenario(i)
		other.Seed = a.Seed
		differ = differ || !reflect.DeepEqual(a, other)
	}
	if !differ {
		t.Error("two seeds give the same scenarios")
	}
}

func TestScenariosCoverAllClassesAndTruths(t *testing.T) {
	byClass, truths, measured := map[string]int{}, 0, map[string]bool{}
	for i := range 120 {
		s := testPlan(3).scenario(i)
		byClass[s.Class]++
		if s.Truth {
			truths++
			measured[s.Class] = true
		}
	}
	for _, c := range classes {
		if byClass[c] != 120/len(classes) {
			t.Errorf("%d scenarios of %s, want %d", byClass[c], c, 120/len(classes))
		}
	}
	if truths != 40 {
		t.Errorf("%d truths, want 40", truths)
	}
	if len(measured) < 9 {
		t.Errorf("truth is measured in %d classes only", len(measured))
	}
}

// profiles of runs that are as unlike as can be.
var testProfiles = map[string]Profile{
	"fast output": {StartupSeconds: 0.01, Stream: 4e-6, CPU: 8e-6, InputBytes: 350, OutputBytes: 100, SpillBytes: 90, LeastMemory: 80 << 20,
		PeakBytes: 90 << 20, IndexBytes: 10 << 20, StageCPU: map[string]float64{"inflate": 5e-7, "parse": 2e-7, "order": 1e-7}},
	"slow merge": {StartupSeconds: 2, Stream: 4e-6, Merge: 6e-6, CPU: 2e-5, MergeCPU: 1e-5, InputBytes: 80, OutputBytes: 400, SpillBytes: 300,
		LeastMemory: 120 << 20, PeakBytes: 200 << 20, IndexBytes: 130 << 20, StageCPU: map[string]float64{"inflate": 2e-6, "parse": 2e-7, "order": 1e-7, "merge": 1e-7}},
}

func TestTunedScenariosCanBeRun(t *testing.T) {
	for name, p := range testProfiles {
		for i := range 240 {
			s := testPlan(4).scenario(i)
			if err := s.tune(p); err != nil {
				t.Fatalf("%s, %s: %v", name, s.brief(), err)
			}
			if s.Input.Templates < leastTemplates {
				t.Errorf("%s, %s: %d templates", name, s.brief(), s.Input.Templates)
			}
			for role, d := range s.Disks {
				if d.ReadRate <= 0 || d.WriteRate <= 0 {
					t.Errorf("%s, %s: no rate for %s", name, s.brief(), role)
				}
			}
			if s.Engine == engineBinary && (len(s.Drag) > 0 || s.InFlight > 0) {
				t.Errorf("%s: the shipped program cannot do that", s.brief())
			}
			for role, d := range s.Disks {
				if s.Engine == engineBinary && d.Layer == layerSlow {
					t.Errorf("%s: the shipped program has no slow layer for %s", s.brief(), role)
				}
			}
		}
	}
}

// TestLabelledConstraintTakesLongest checks the arithmetic of tune: the time that a disk or a pipe takes is
// above that of everything beside it, before it and after it.
func TestLabelledConstraintTakesLongest(t *testing.T) {
	for name, p := range testProfiles {
		for i := range 400 {
			s := testPlan(5).scenario(i)
			if err := s.tune(p); err != nil {
				t.Fatal(err)
			}
			if !s.sorted() {
				p := p
				p.Merge = 0
			}
			takes := map[string]float64{
				classInputIO:       p.InputBytes / s.Disks[roleInput].ReadRate,
				classOutputIO:      p.OutputBytes / s.Disks[roleOutput].WriteRate,
				classStarved:       p.InputBytes / s.Input.Rate,
				classBackpressured: p.OutputBytes / s.Output.Rate,
			}
			own, ok := takes[s.Class]
			if !ok {
				continue
			}
			rest := p.Stream
			if s.sorted() {
				rest = max(p.Stream, p.Merge)
			}
			if own < limiting*rest*0.999 {
				t.Errorf("%s, %s: takes %.2g s, the rest %.2g s", name, s.brief(), own, rest)
			}
		}
	}
}

func TestFreeRunHasNothingInItsWay(t *testing.T) {
	for i := range 240 {
		s := testPlan(6).scenario(i)
		f := s.free()
		if len(f.Disks) > 0 || len(f.Decoys) > 0 || f.QuotaCPUs > 0 || f.Spinners > 0 || f.Input.Via != viaFile || f.Output.Via != viaFile || f.InFlight > 0 {
			t.Fatalf("%s is left as %s", s.brief(), f.brief())
		}
		if s.Class == classSerial && f.Drag[s.Stage] > 0 {
			t.Fatalf("%s is still dragged", s.Stage)
		}
	}
}

func TestDragOfASerialStageMakesItTheLongest(t *testing.T) {
	s := Scenario{Class: classSerial, Stage: "parse", Sort: "none", Drag: map[string]float64{}, Tight: map[string]float64{"parse": 1.2}, TargetSeconds: 3}
	p := Profile{Stream: 4e-6, CPU: 8e-6, StageCPU: map[string]float64{"parse": 1e-6}}
	if err := s.tune(p); err != nil {
		t.Fatal(err)
	}
	if got, want := 1e-6*(1+s.Drag["parse"]), limiting*7e-6*1.2; got < want*0.99 || got > want*1.01 {
		t.Errorf("parsing takes %.3g s, want %.3g", got, want)
	}
}

func TestQuantise(t *testing.T) {
	tests := []struct {
		in   float64
		want int
	}{{0, 1000}, {1000, 1000}, {1410, 1414}, {64_000, 64_000}, {70_000, 64_000}, {80_000, 90_510}, {1e9, mostTemplates}}
	for _, tt := range tests {
		if got := quantise(tt.in); got != tt.want {
			t.Errorf("quantise(%g) = %d, want %d", tt.in, got, tt.want)
		}
	}
}

func TestRelax(t *testing.T) {
	base := Scenario{CPUs: 1, Threads: 1, QuotaCPUs: 0, Spinners: 1, InFlight: 1, FASTA: true, GroupMemoryBytes: 100,
		Input: Input{Rate: 10}, Output: Output{Rate: 20}, Drag: uniformDrag()}
	base.Drag["map"] = 2
	base.setDisk(roleInput, Disk{Name: "a", ReadRate: 30, WriteRate: 30, LatencyMS: 3})
	base.setDisk(roleOutput, Disk{Name: "b", WriteRate: 60})
	base.setDisk(roleTemp, Disk{Name: "b", WriteRate: 60})
	tests := []struct {
		knob   string
		factor float64
		check  func(s *Scenario) bool
	}{
		{knobInput, 1.5, func(s *Scenario) bool { d := s.Disks[roleInput]; return d.ReadRate == 45 && d.LatencyMS == 2 }},
		{knobDisk, 1.5, func(s *Scenario) bool {
			return s.Disks[roleOutput].WriteRate == 90 && s.Disks[roleTemp].WriteRate == 90
		}},
		{knobProducer, 1.5, func(s *Scenario) bool { return s.Input.Rate == 15 }},
		{knobConsumer, 1.5, func(s *Scenario) bool { return s.Output.Rate == 30 }},
		{knobCores, 2, func(s *Scenario) bool { return s.CPUs == 2 && s.Threads == 2 }},
		{knobNeighbour, 2, func(s *Scenario) bool { return s.Spinners == 0 }},
		{knobInFlight, 2, func(s *Scenario) bool { return s.InFlight == 2 }},
		{knobMemory, 2, func(s *Scenario) bool { return s.GroupMemoryBytes == 200 }},
		{knobIndex, 2, func(s *Scenario) bool { return !s.FASTA }},
		{knobCPUSpeed, 1.5, func(s *Scenario) bool { return s.Drag["parse"] == 0 && s.Drag["map"] == 1 }},
		{stagePrefix + "map", 1.5, func(s *Scenario) bool { return s.Drag["map"] == 1 && s.Drag["parse"] == 0.5 }},
	}
	for _, tt := range tests {
		got, k, ok := base.relax(tt.knob, 2)
		if !ok || k.Factor != tt.factor || !tt.check(&got) {
			t.Errorf("%s: factor %g, ok %v: %+v", tt.knob, k.Factor, ok, got)
		}
	}
	if base.Drag["map"] != 2 || base.Disks[roleInput].ReadRate != 30 {
		t.Error("relaxing changed the base")
	}
	for _, knob := range []string{knobQuota, stagePrefix + "none", "nonsense"} {
		if _, _, ok := base.relax(knob, 2); ok {
			t.Errorf("%s could be relaxed", knob)
		}
	}
}

func TestChosenKnobs(t *testing.T) {
	s := Scenario{Class: classInputIO, CPUs: 2, Drag: uniformDrag()}
	s.setDisk(roleInput, Disk{Name: "a", ReadRate: 1})
	s.setDisk(roleOutput, Disk{Name: "b", WriteRate: 1})
	v := Verdict{Limits: []Limit{{Class: classCPU, Stage: "map"}, {Class: classThrottled}, {Class: classSerial, Stage: "parse"}, {Class: classOutputIO}}}
	knobs, decoys := chooseKnobs(&s, &v, 2)
	if want := []string{knobInput, knobCPUSpeed, stagePrefix + "parse"}; !slices.Equal(knobs, want) {
		t.Errorf("knobs %v, want %v", knobs, want)
	}
	if len(decoys) != 1 || slices.Contains(knobs, decoys[0]) {
		t.Errorf("decoys %v", decoys)
	}
}

func TestKnobOfALimit(t *testing.T) {
	shared := Scenario{}
	shared.setDisk(roleInput, Disk{Name: "a"})
	shared.setDisk(roleOutput, Disk{Name: "a"})
	uniform := Scenario{Drag: uniformDrag()}
	tests := []struct {
		name string
		s    Scenario
		l    Limit
		want string
	}{
		{"cores by the class", Scenario{}, Limit{Class: classCPU, Stage: "map"}, knobCores},
		{"cores where all stages are dragged", uniform, Limit{Class: classCPU, Stage: "map", Knob: "cores"}, knobCPUSpeed},
		{"a stage", Scenario{}, Limit{Class: classSerial, Stage: "parse"}, "stage parse"},
		{"BGZF is a faster inflate", Scenario{}, Limit{Class: classSerial, Stage: "inflate", Knob: "bgzf"}, "stage inflate"},
		{"a disk of its own", Scenario{}, Limit{Class: classOutputIO}, knobOutput},
		{"a disk that two roles are on", shared, Limit{Class: classOutputIO, Knob: knobOutput}, knobDisk},
		{"the verdict's own word", Scenario{}, Limit{Class: "other", Knob: "quota"}, knobQuota},
		{"nothing", Scenario{}, Limit{Class: classUndetermined}, ""},
	}
	for _, tt := range tests {
		if got := knobOf(&tt.s, tt.l); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
