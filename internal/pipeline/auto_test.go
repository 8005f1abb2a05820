package pipeline

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/report"
)

func TestDecide(t *testing.T) {
	first := split{8, 29}
	// full is a second in which two cores were at work, 85 % of them for mapping.
	full := demands{wall: 1, cores: 2, batches: 170, mapCPU: 1.7, allCPU: 2, credit: 0.9}
	tests := []struct {
		name   string
		now    split
		change func(*demands)
		want   split
	}{
		{"the cores are shared by demand", first, func(*demands) {}, split{3, 13}},
		{"as many cores as threads", first, func(d *demands) { d.cores, d.mapCPU, d.allCPU = 8, 7.5, 8 }, split{8, 24}},
		{"mapping is the smaller part", first, func(d *demands) { d.mapCPU = 0.2 }, split{2, 10}},
		{"half a core by quota", first, func(d *demands) { d.cores, d.mapCPU, d.allCPU, d.batches = 0.5, 0.4, 0.5, 20 }, split{2, 4}},
		{"mapping takes more than before", split{2, 5}, func(*demands) {}, split{3, 13}},
		{"others take most of the cores", first, func(d *demands) { d.mapCPU, d.allCPU = 0.34, 0.4 }, first},
		{"others take cores now", split{3, 13}, func(d *demands) { d.mapCPU, d.allCPU = 0.34, 0.4 }, first},
		{"too few mappers", split{1, 5}, func(d *demands) { d.mapCPU, d.allCPU = 0.9, 1.1 }, first},
		{"the parser waits for a core as well", first, func(d *demands) { d.starved = 2 }, split{3, 13}},
		{"reads come slowly", first, func(d *demands) { d.mapCPU, d.allCPU, d.starved, d.credit = 0.5, 0.7, 7, 0 }, first},
		{"reads come slowly now", split{3, 13}, func(d *demands) { d.mapCPU, d.allCPU, d.starved, d.credit = 0.5, 0.7, 2, 0 }, split{3, 13}},
		{"records go slowly now", split{3, 13}, func(d *demands) { d.mapCPU, d.allCPU, d.heldUp = 0.9, 1.1, 2 }, split{3, 13}},
		{"reads come in bursts", split{2, 6}, func(d *demands) { d.mapCPU, d.allCPU, d.starved, d.credit = 0.8, 1, 0.8, 0.3 }, first},
		{"nothing came", split{2, 6}, func(d *demands) { *d = demands{wall: 1, cores: 2, starved: 16} }, split{2, 6}},
		{"threads have no clock", split{2, 6}, func(d *demands) { d.mapCPU, d.allCPU = 0, 0 }, split{2, 6}},
	}
	for _, tt := range tests {
		d := full
		tt.change(&d)
		got, why := decide(d, tt.now, first)
		if got != tt.want || why == "" && got != tt.now {
			t.Errorf("%s: %+v, want %+v (%s)", tt.name, got, tt.want, why)
		}
	}
}

func TestDecisionsKeepToTheirBounds(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 20000 {
		first := split{1 + rng.IntN(64), 1 + rng.IntN(200)}
		now := split{1 + rng.IntN(first.mappers), 1 + rng.IntN(first.inFlight)}
		d := demands{wall: 2 * rng.Float64(), cores: 64 * rng.Float64(), batches: rng.Int64N(1000), mapCPU: 64 * rng.Float64(),
			allCPU: 64 * rng.Float64(), starved: 64 * rng.Float64(), heldUp: 64 * rng.Float64(), credit: 2 * rng.Float64()}
		got, _ := decide(d, now, first)
		if got.mappers < 1 || got.mappers > first.mappers || got.inFlight < 1 || got.inFlight > first.inFlight {
			t.Fatalf("%+v of %+v for %+v", got, first, d)
		}
	}
}

func TestLessIsSetLateAndMoreAtOnce(t *testing.T) {
	first, few, fewer := split{8, 29}, split{3, 29}, split{2, 29}
	tests := []struct {
		name        string
		wants, gets []split
	}{
		{"twice in a row", []split{few, few, few}, []split{first, few, few}},
		{"not in a row", []split{few, first, few, first}, []split{first, first, first, first}},
		{"the more of the two", []split{fewer, few, fewer, fewer}, []split{first, few, few, fewer}},
		{"more at once, and then less twice as late", []split{few, few, first, few, few, few, few}, []split{first, few, first, first, first, first, few}},
		{"a tenth is nothing", []split{{8, 27}, {8, 27}, {8, 27}}, []split{first, first, first}},
		{"both ways at once", []split{few, few, {5, 6}, few, few}, []split{first, few, {5, 29}, {5, 29}, {5, 29}}},
	}
	for _, tt := range tests {
		a := &auto{now: first, first: first, patience: patienceWindows}
		for i, want := range tt.wants {
			if a.now = a.weigh(want); a.now != tt.gets[i] {
				t.Errorf("%s: window %d: %+v, want %+v", tt.name, i, a.now, tt.gets[i])
			}
		}
	}
}

// steered is a run whose monitor tells of windows, and the limits that were set.
func steered(t *testing.T, change func(*Tuning)) (r *run, inFlight *int) {
	t.Helper()
	r = &run{cfg: &Config{Threads: 8, Reads: []string{"reads.fq"}}}
	change(&r.cfg.Tuning)
	r.cfg.Output = "out.bam"
	if err := r.cfg.normalise(); err != nil {
		t.Fatal(err)
	}
	r.makeStages()
	r.monitor = &monitor{all: r.stages.All(), cpus: report.CPUs{Threads: 8, Host: 2}, first: &mark{}}
	r.auto = r.newAuto()
	inFlight = new(int)
	r.auto.inFlight = func(n int) { *inFlight = n }
	r.auto.ready.Store(true)
	return r, inFlight
}

// lookFor tells of looks at the stages, four a second, while mapping takes this many CPU seconds a second, of two.
func (r *run) lookFor(from, to time.Duration, mapping float64) {
	for at := from; at <= to; at += tick {
		sec := at.Seconds()
		k := &mark{at: r.monitor.first.at.Add(at), cpu: time.Duration(2 * sec * 1e9), stages: make([]meter.Snapshot, len(r.monitor.all))}
		k.stages[r.auto.mapping] = meter.Snapshot{Batches: int64(170 * sec), CPUNS: int64(mapping * sec * 1e9)}
		r.watch(k)
	}
}

func TestTheSplitFollowsTheDemandsAndIsTold(t *testing.T) {
	if !meter.Enabled {
		t.Skip("nothing is measured in this build")
	}
	r, inFlight := steered(t, func(*Tuning) {})
	r.lookFor(0, 10*time.Second, 1.7)
	want := split{3, 13}
	if got := r.auto.changes; len(got) != 1 || got[0].Mappers != want.mappers || got[0].InFlight != want.inFlight || got[0].AtSeconds != 2 || got[0].Why == "" {
		t.Errorf("changes %+v", got)
	}
	if r.auto.gate.limit != want.mappers || *inFlight != want.inFlight || r.auto.now != want {
		t.Errorf("%d mappers, %d in flight are allowed; %+v is believed", r.auto.gate.limit, *inFlight, r.auto.now)
	}
	for _, tt := range []struct {
		from, to float64
		want     int
	}{{0, 10, 13}, {0, 3, 20}, {1.5, 2.4, 20}, {1.5, 2.6, 13}} {
		if got := r.auto.longest(tt.from, tt.to); got != tt.want {
			t.Errorf("from %g to %g s %d batches held for most of the time, want %d", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestAutoCanBeOff(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Tuning)
	}{
		{"by the flag", func(t *Tuning) { t.FixedSplit = true }},
		{"where the limit was given", func(t *Tuning) { t.InFlight = 12 }},
		{"with convoys, which need theirs", func(t *Tuning) { t.Barrier = true }},
	} {
		r, inFlight := steered(t, tt.change)
		r.lookFor(0, 10*time.Second, 1.7)
		if r.auto.off == "" || len(r.auto.changes) != 0 || r.auto.gate.limit != 8 || *inFlight != 0 {
			t.Errorf("%s: off %q, changes %+v", tt.name, r.auto.off, r.auto.changes)
		}
	}
}

// contents are the names and the contents of the files under a folder.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			fmt.Fprintf(&all, "%s %x\n", d.Name(), sha256.Sum256(mustRead(t, path)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// TestLimitsDoNotShowInTheOutput changes both limits after every batch.
func TestLimitsDoNotShowInTheOutput(t *testing.T) {
	reads := []string{write(t, "1.fq", many(gunzip(t, lambda1), 2)), write(t, "2.fq", many(gunzip(t, lambda2), 2))}
	var jolts atomic.Int64
	shake := func(a *auto) {
		jolts.Add(1)
		a.set(split{1 + rand.N(a.first.mappers), 1 + rand.N(a.first.inFlight)})
	}
	ways := []struct {
		name   string
		change func(*Config)
	}{
		{"sorted", func(*Config) {}},
		{"by name", func(c *Config) { c.Sort = SortName }},
		{"in input order", func(c *Config) { c.Sort = SortNone }},
		{"shards", func(c *Config) { c.Shards = 3; c.Output = filepath.Join(filepath.Dir(c.Output), "out") }},
		{"duplicates", func(c *Config) { c.MarkDuplicates = true }},
	}
	for _, way := range ways {
		run := func(threads int, tuning Tuning, memory func(Config) int64) string {
			cfg := lambdaConfig(t)
			cfg.Reads, cfg.Threads, cfg.Tuning = reads, threads, tuning
			way.change(&cfg)
			if memory != nil {
				cfg.Memory = memory(cfg)
			}
			mustRun(t, cfg)
			return contents(t, filepath.Dir(cfg.Output))
		}
		want := run(2, Tuning{FixedSplit: true}, nil)
		for _, threads := range []int{1, 2, 7} {
			if run(threads, Tuning{BatchBases: 4 << 10, jolt: shake}, nil) != want {
				t.Errorf("%s, %d threads: other bytes", way.name, threads)
			}
		}
		if run(7, Tuning{jolt: shake}, func(c Config) int64 { return least(t, c) }) != want {
			t.Errorf("%s, little memory: other bytes", way.name)
		}
	}
	if jolts.Load() < 1000 {
		t.Errorf("the limits were changed %d times", jolts.Load())
	}
}
