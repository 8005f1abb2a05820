package verdict

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// cpu is a computing station: its CPU seconds, and the seconds it waited for input.
func cpu(name string, workers int, cpuS, waitIn float64) Station {
	return Station{Name: name, Kind: meter.KindCPU, Workers: workers, CPUSeconds: cpuS, BusySeconds: cpuS,
		LifetimeSeconds: cpuS + waitIn, WaitInSeconds: waitIn, Items: 1e6, Batches: 100}
}

// dev is a device or pipe station: the seconds it was blocked, and those of copying.
func dev(name string, kind meter.Kind, workers int, blocked, cpuS float64) Station {
	return Station{Name: name, Kind: kind, Workers: workers, BlockedSeconds: blocked, CPUSeconds: cpuS,
		LifetimeSeconds: blocked + cpuS, Batches: 100, Bytes: 1e9}
}

func stream(wall float64, stations ...Station) Phase {
	return Phase{Name: "stream", WallSeconds: wall, Stations: stations}
}

const (
	fileIn, fileOut = meter.KindDeviceRead, meter.KindDeviceWrite
	pipeIn, pipeOut = meter.KindPipeRead, meter.KindPipeWrite
)

func TestClassify(t *testing.T) {
	startup := func(wall float64) Phase { return Phase{Name: "index load", WallSeconds: wall, Startup: true} }
	tests := []struct {
		story string
		cpus  float64
		run   []Phase
		want  string
		conf  [2]float64
	}{
		{"two cores full of mapping, the disk half awake: more cores", 2,
			[]Phase{stream(60, dev("read", fileIn, 1, 6, 1), cpu("inflate", 1, 9, 40), cpu("map", 2, 106, 1))}, "cpu (map)", [2]float64{0.8, 1}},
		{"the cores are full, and the reader waits on the disk a lot behind a full queue's back", 2,
			[]Phase{stream(60, dev("read", fileIn, 1, 30, 1), cpu("map", 2, 118, 1))}, "cpu (map)", [2]float64{0.9, 1}},
		{"two of eight cores are allowed to map and never rest: a bigger pool", 8,
			[]Phase{stream(60, dev("read", fileIn, 1, 2, 1), cpu("map", 2, 118, 1))}, "cpu (map)", [2]float64{0.9, 1}},
		{"half a core by quota, saturated by everybody together", 0.5,
			[]Phase{stream(60, cpu("inflate", 1, 6, 50), cpu("map", 2, 23, 90))}, "cpu (map)", [2]float64{0.9, 1}},
		{"one gzip file: its thread never rests while three of four cores do; not an I/O problem", 4,
			[]Phase{stream(60, dev("read", fileIn, 1, 5, 1), cpu("inflate", 1, 58, 1), cpu("parse", 1, 19, 40), cpu("map", 4, 90, 150))}, "serial (inflate)", [2]float64{0.8, 1}},
		{"the merge of many runs is one thread, and it is most of the run", 4,
			[]Phase{stream(10, cpu("map", 4, 39, 1)), {Name: "merge", WallSeconds: 50, Stations: []Station{
				dev("merge-read", fileIn, 1, 4, 2), cpu("merge", 1, 49, 0), cpu("deflate", 4, 30, 150), dev("write", fileOut, 1, 3, 2)}}}, "serial (merge)", [2]float64{0.75, 1}},
		{"cold input on a slow disk: everybody waits for read", 4,
			[]Phase{stream(60, dev("read", fileIn, 1, 57, 1), cpu("inflate", 1, 12, 47), cpu("map", 4, 40, 190))}, "input-io (read)", [2]float64{0.9, 1}},
		{"the same with two files, each read by its own worker", 4,
			[]Phase{stream(60, dev("read", fileIn, 2, 116, 1), cpu("map", 4, 40, 190))}, "input-io (read)", [2]float64{0.9, 1}},
		{"reads come from a fifo whose writer is slow: the disk is innocent", 2,
			[]Phase{stream(60, dev("read", pipeIn, 1, 58, 1), cpu("map", 2, 20, 99))}, "starved-upstream (read)", [2]float64{0.9, 1}},
		{"whoever reads our output takes its time", 2,
			[]Phase{{Name: "merge", WallSeconds: 60, Stations: []Station{cpu("merge", 1, 6, 0), cpu("deflate", 2, 30, 0), dev("write", pipeOut, 1, 57, 1)}}}, "backpressured-downstream (write)", [2]float64{0.9, 1}},
		{"little memory and a slow temp disk: workers hang in spill writes", 2,
			[]Phase{stream(60, dev("read", fileIn, 1, 3, 1), cpu("map", 2, 10, 2), cpu("sort", 2, 4, 0), dev("spill-write", fileOut, 2, 104, 2))}, "spill-io (spill-write)", [2]float64{0.8, 1}},
		{"the spill hurts twice, on the way out and back; together it is most of the run", 2,
			[]Phase{stream(30, cpu("map", 2, 8, 0), dev("spill-write", fileOut, 2, 50, 1)),
				{Name: "merge", WallSeconds: 30, Stations: []Station{dev("merge-read", fileIn, 1, 28, 1), cpu("merge", 1, 5, 24)}}}, "spill-io (merge-read)", [2]float64{0.8, 1}},
		{"an output disk that cannot follow: blocked in write, then in the final sync", 2,
			[]Phase{{Name: "merge", WallSeconds: 60, Stations: []Station{cpu("deflate", 2, 25, 80), dev("write", fileOut, 1, 35, 3), dev("sync", meter.KindSync, 1, 22, 0)}}}, "output-io (write)", [2]float64{0.6, 1}},
		{"writing to the page cache costs CPU, not a device: 20 s in write, 19 of them copying", 2,
			[]Phase{stream(60, cpu("map", 2, 98, 1), dev("write", fileOut, 1, 1, 19))}, "cpu (map)", [2]float64{0.9, 1}},
		{"a big index for a few reads", 2,
			[]Phase{startup(20), stream(5, cpu("map", 2, 9.5, 0))}, "startup (index load)", [2]float64{0.7, 1}},
		{"start-up is two thirds of a tiny run with hardly a batch: still told", 2,
			[]Phase{startup(4), stream(2, Station{Name: "map", Workers: 2, CPUSeconds: 1, LifetimeSeconds: 4, Batches: 2})}, "startup (index load)", [2]float64{0.6, 1}},
		{"a third of start-up does not beat two thirds of mapping", 2,
			[]Phase{startup(20), stream(40, cpu("map", 2, 79, 0))}, "cpu (map)", [2]float64{0.6, 0.8}},
		{"map then write, one after the other, equally long", 2,
			[]Phase{stream(30, cpu("map", 2, 59, 0)), {Name: "merge", WallSeconds: 31, Stations: []Station{cpu("deflate", 2, 6, 40), dev("write", fileOut, 1, 30, 1)}}}, "balanced (write + map)", [2]float64{0.8, 1}},
		{"half, a quarter and a quarter: the half is named, with little confidence", 2,
			[]Phase{stream(30, cpu("map", 2, 59, 0)), {Name: "merge", WallSeconds: 40, Stations: []Station{cpu("deflate", 2, 39, 1), dev("write", fileOut, 1, 20, 1)}},
				{Name: "sync", WallSeconds: 25, Stations: []Station{dev("spill-write", fileOut, 1, 25, 0)}}}, "cpu (map)", [2]float64{0.6, 0.8}},
		{"something else had the machine: work, but no CPU to do it on", 2,
			[]Phase{stream(60, Station{Name: "map", Workers: 2, CPUSeconds: 50, BusySeconds: 118, LifetimeSeconds: 120, Batches: 100})}, "undetermined", [2]float64{0.5, 0.6}},
		{"a run of half a second limits nobody", 2, []Phase{stream(0.5, cpu("map", 2, 1, 0))}, "undetermined", [2]float64{0, 0}},
		{"three batches are no line", 2, []Phase{stream(5, Station{Name: "map", Workers: 2, CPUSeconds: 9.9, LifetimeSeconds: 10, Batches: 3})}, "undetermined", [2]float64{0, 0}},
		{"nobody knows how many CPUs there are", 0, []Phase{stream(60, cpu("map", 2, 118, 0))}, "undetermined", [2]float64{0, 0}},
		{"nothing was measured", 2, nil, "undetermined", [2]float64{0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.story, func(t *testing.T) {
			v := Classify(Load{CPUs: tt.cpus, Phases: tt.run})
			if v.String() != tt.want || v.Confidence < tt.conf[0] || v.Confidence > tt.conf[1] {
				t.Errorf("verdict %s, confidence %.2f; want %s, %v\n%s", v, v.Confidence, tt.want, tt.conf, strings.Join(v.Evidence, "\n"))
			}
			if len(v.Evidence) == 0 || v.Advice == "" {
				t.Errorf("no evidence %q or no advice %q", v.Evidence, v.Advice)
			}
			var sum float64
			for _, l := range v.Limits {
				sum += l.Elasticity
			}
			if v.Limits != nil && math.Abs(sum-1) > 0.01 {
				t.Errorf("elasticities add up to %.3f", sum)
			}
			if again := Classify(Load{CPUs: tt.cpus, Phases: tt.run}); !reflect.DeepEqual(v, again) {
				t.Errorf("a second look differs: %+v", again)
			}
		})
	}
}

func TestEvidenceShowsNumbers(t *testing.T) {
	gzip := stream(60, dev("read", fileIn, 1, 5, 1), cpu("inflate", 1, 58, 1), cpu("map", 4, 90, 150))
	starving := stream(60, dev("read", fileIn, 1, 57, 1), cpu("map", 4, 40, 1))
	tests := []struct {
		story string
		load  Load
		want  []string
	}{
		{"a serial stage: its thread, the idle cores, who waited, what comes next", Load{CPUs: 4, Phases: []Phase{gzip}},
			[]string{"inflate (1 thread) on a CPU 97 %", "58.00 us per item", "2.48 of 4.00 in use", "map waited for input 62 %", "then cpu (map)", "next limit, at +56 %"}},
		{"a device: time, rate", Load{CPUs: 4, Phases: []Phase{starving}}, []string{"read blocked in device calls for 57.0 s of 60.0 s (95 %)", "16.7 MB/s"}},
		{"a witness against is shown", Load{CPUs: 4, Phases: []Phase{starving}}, []string{"against: map, behind it, waited for input only 2 %"}},
		{"accounts that do not close are shown", Load{CPUs: 4, Phases: []Phase{gzip}, Unclosed: []string{"CPU 7 % short"}}, []string{"CPU 7 % short"}},
		{"doubts are shown", Load{CPUs: 4, Phases: []Phase{gzip}, Doubts: []string{"a neighbour"}}, []string{"against: a neighbour"}},
		{"short: says how short", Load{CPUs: 4, Phases: []Phase{stream(0.25)}}, []string{"0.25 s"}},
		{"lost CPU is named", Load{CPUs: 2, Phases: []Phase{stream(60, Station{Name: "map", Workers: 2, CPUSeconds: 50, BusySeconds: 118, LifetimeSeconds: 120, Batches: 99})}},
			[]string{"map had work for 118.0 s and was on a CPU for 50.0 s"}},
	}
	for _, tt := range tests {
		t.Run(tt.story, func(t *testing.T) {
			got := strings.Join(Classify(tt.load).Evidence, "\n")
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("evidence lacks %q:\n%s", want, got)
				}
			}
		})
	}
}

func TestWitnessesCostConfidence(t *testing.T) {
	p := stream(60, dev("read", fileIn, 1, 5, 1), cpu("inflate", 1, 58, 1), cpu("map", 4, 90, 150))
	sure := Classify(Load{CPUs: 4, Phases: []Phase{p}})
	less := Classify(Load{CPUs: 4, Phases: []Phase{p}, Doubts: []string{"a", "b"}})
	if want := sure.Confidence * doubt * doubt; math.Abs(less.Confidence-want) > 1e-9 {
		t.Errorf("confidence %.3f with two witnesses against, want %.3f", less.Confidence, want)
	}
}

func TestAccountsThatDoNotCloseLeaveItOpen(t *testing.T) {
	p := stream(60, dev("read", fileIn, 1, 5, 1), cpu("inflate", 1, 58, 1), cpu("map", 4, 90, 150))
	if v := Classify(Load{CPUs: 4, Phases: []Phase{p}, Unclosed: []string{"a"}}); v.Class != Undetermined || v.Confidence != 0 {
		t.Errorf("verdict %s, confidence %.2f", v, v.Confidence)
	}
}

func TestAdviceFitsTheStage(t *testing.T) {
	pool := stream(60, cpu("map", 2, 118, 1))
	if v := Classify(Load{CPUs: 8, Phases: []Phase{pool}}); v.Advice != workersIdleCores {
		t.Errorf("a small pool among idle cores is advised: %s", v.Advice)
	}
	if v := Classify(Load{CPUs: 2, Phases: []Phase{pool}}); v.Advice != advice[CPU] {
		t.Errorf("full cores are advised: %s", v.Advice)
	}
	for _, class := range []string{CPU, Serial, InputIO, SpillIO, OutputIO, Starved, Backpressured, Startup, Balanced, Undetermined} {
		if advice[class] == "" {
			t.Errorf("no advice for %s", class)
		}
	}
}

func TestStationOfSplitsBlockedFromCPU(t *testing.T) {
	s := meter.Snapshot{Name: "write", Kind: fileOut, Workers: 0, LifetimeNS: int64(10 * time.Second), CPUNS: int64(3 * time.Second)}
	s.WaitNS[meter.BlkWrite] = int64(8 * time.Second)
	if got := StationOf(s); got.BlockedSeconds != 5 || got.CPUSeconds != 3 || got.Workers != 1 {
		t.Errorf("station %+v", got)
	}
	noClock := meter.Snapshot{Name: "map", Kind: meter.KindCPU, Workers: 2, LifetimeNS: int64(4 * time.Second)}
	if got := Stations(meter.Snapshot{Name: "idle"}, noClock); len(got) != 1 || got[0].Name != "map" || got[0].CPUSeconds != 4 {
		t.Errorf("without a thread clock busy time stands in: %+v", got)
	}
	s.Kind = meter.KindCPU
	if got := Stations(s, noClock); got[1].CPUSeconds != 0 {
		t.Errorf("with a clock a stage that waited all the time did nothing: %+v", got)
	}
}
