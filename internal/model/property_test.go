package model

import (
	"math/rand/v2"
	"testing"
)

// randomLine is any line that Simulate accepts.
func randomLine(rng *rand.Rand) Line {
	l := Line{Items: 1 + rng.IntN(120), Seed: rng.Uint64()}
	pick := func(n int) bool { return rng.IntN(n) == 0 }
	for i := range 1 + rng.IntN(5) {
		s := Stage{Name: string(rune('a' + i)), ServiceSeconds: float64(1+rng.IntN(20)) / 8, Workers: 1 + rng.IntN(4)}
		if pick(2) {
			s.Queue = 1 + rng.IntN(4)
		}
		if pick(3) {
			s.Batch, s.PerItemSeconds = 1+rng.IntN(9), rng.Float64()
		}
		l.Stages = append(l.Stages, s)
	}
	if pick(3) {
		l.ArrivalSeconds = rng.Float64()
	}
	if pick(3) {
		l.InFlight = 1 + rng.IntN(20)
	}
	if pick(3) {
		l.SerialBeforeSeconds, l.SerialAfterSeconds = rng.Float64()*5, rng.Float64()*5
	}
	if pick(4) {
		for range rng.IntN(2 * l.Items) {
			if a, b := rng.IntN(l.Items), rng.IntN(l.Items); a > b {
				l.Needs = append(l.Needs, [2]int{a, b})
			}
		}
	}
	if pick(4) && len(l.Needs) == 0 {
		l.Barrier, l.InFlight = true, 0
	}
	return l
}

// addResources makes some stages share cores or a device, and some draw their times.
func addResources(rng *rand.Rand, l *Line) {
	l.Resources = []Resource{{Name: "cpu", Kind: Cores, Capacity: 0.5 + 4*rng.Float64()}, {Name: "disk", Kind: Device}}
	for i := range l.Stages {
		l.Stages[i].Resource = []string{"", "cpu", "disk"}[rng.IntN(3)]
		if rng.IntN(3) == 0 {
			l.Stages[i].Samples = []float64{0.1, 1, rng.ExpFloat64()}
		}
	}
}

func TestRandomLinesKeepTheLaws(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 3))
	for n := range 3000 {
		l := randomLine(rng)
		bounded := true // the bounds of lines with samples hold on average only
		switch n % 3 {
		case 1:
			addResources(rng, &l)
			bounded = false
		case 2:
			l.ContentionPerItem = rng.Float64() / 10
			bounded = false
		}
		r := simulate(t, l)
		checkLaws(t, l, r, bounded)
		if t.Failed() {
			t.Fatalf("line %d: %+v", n, l)
		}
	}
}

func checkLaws(t *testing.T, l Line, r Result, bounded bool) {
	t.Helper()
	near(t, "L = lambda W", r.MeanInFlight, float64(l.Items)/r.LineSeconds*r.MeanLatencySeconds, exact)
	if l.InFlight > 0 && r.PeakInFlight > l.InFlight {
		t.Errorf("%d in flight, %d are allowed", r.PeakInFlight, l.InFlight)
	}
	if bounded {
		if r.MakespanSeconds < r.Limit.Seconds*(1-exact) {
			t.Errorf("%v s are less than the bound %v", r.MakespanSeconds, r.Limit)
		}
		if rate := float64(l.Items) / r.MakespanSeconds; rate > r.CeilingPerSecond*(1+exact) {
			t.Errorf("%v items/s are more than the ceiling %v", rate, r.CeilingPerSecond)
		}
	}
	if r.ThroughputPerSecond > r.CeilingPerSecond || r.Bubble < 0 || r.Bubble > 1 || r.Utilisation < 0 || r.Utilisation > 1 {
		t.Errorf("throughput %v of %v, bubble %v, utilisation %v", r.ThroughputPerSecond, r.CeilingPerSecond, r.Bubble, r.Utilisation)
	}
	latency := 0.0
	for i, s := range r.Stages {
		latency += s.MeanLatencySeconds
		near(t, "busy, blocked and idle", s.BusySeconds+s.BlockedSeconds+s.IdleSeconds, float64(s.Workers)*r.LineSeconds, exact)
		if s.Utilisation < 0 || s.Utilisation > 1 || s.WorkSeconds > s.BusySeconds*(1+exact) {
			t.Errorf("stage %d: utilisation %v, %v s of work in %v s", i, s.Utilisation, s.WorkSeconds, s.BusySeconds)
		}
	}
	near(t, "the latency over the stages", latency, r.MeanLatencySeconds, exact)
	for _, s := range r.Resources {
		if s.Utilisation > 1 {
			t.Errorf("resource %s: utilisation %v", s.Name, s.Utilisation)
		}
	}
}

// With more workers, and times that do not make items overtake each other, no item leaves later.
// (Where they may overtake, more workers can make a line slower: Graham's anomalies.)
func TestMoreWorkersNeverMakeAQueuedLineSlower(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 5))
	for range 2000 {
		l := randomLine(rng)
		l.Barrier, l.Needs = false, nil
		for i := range l.Stages {
			l.Stages[i].PerItemSeconds = 0 // the last batch, which is short, would be faster
		}
		before := simulate(t, l)
		more := l
		more.Stages = append([]Stage(nil), l.Stages...)
		more.Stages[rng.IntN(len(l.Stages))].Workers += 1 + rng.IntN(3)
		after := simulate(t, more)
		if after.MakespanSeconds > before.MakespanSeconds*(1+exact) {
			t.Fatalf("%v s became %v s:\n%+v\n%+v", before.MakespanSeconds, after.MakespanSeconds, l, more)
		}
	}
}

func TestHandoffOfOneStageIsTheSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 7))
	for range 300 {
		l := randomLine(rng)
		l.Needs, l.InFlight, l.Stages, l.Barrier = nil, 0, l.Stages[:1], false
		l.Stages[0].Queue = 0
		queue := simulate(t, l)
		l.Barrier = true
		barrier := simulate(t, l)
		if queue.MakespanSeconds != barrier.MakespanSeconds || queue.MeanLatencySeconds != barrier.MeanLatencySeconds {
			t.Fatalf("%v s and %v s: %+v", queue.MakespanSeconds, barrier.MakespanSeconds, l)
		}
	}
}

// batches is a run such as whatif replays: 2,500 batches of reads through eight stages that share
// two cores and two devices, with measured times.
func batches() Line {
	rng := rand.New(rand.NewPCG(8, 9))
	l := Line{Items: 2500, InFlight: 32, Paired: true, Resources: []Resource{{Name: "cpu", Capacity: 2}, {Name: "in", Kind: Device}, {Name: "out", Kind: Device}}}
	for i, resource := range []string{"in", "cpu", "cpu", "cpu", "cpu", "cpu", "cpu", "out"} {
		s := Stage{Name: string(rune('a' + i)), Workers: 1 + i%3, Queue: 4, Resource: resource}
		for range 256 {
			s.Samples = append(s.Samples, 0.001*(1+rng.ExpFloat64()))
		}
		l.Stages = append(l.Stages, s)
	}
	return l
}

func BenchmarkSimulate(b *testing.B) {
	l := batches()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Simulate(l); err != nil {
			b.Fatal(err)
		}
	}
}

func TestASimulationAllocatesLittle(t *testing.T) {
	l := batches()
	few := testing.AllocsPerRun(5, func() { simulate(t, l) })
	l.Items *= 4
	if many := testing.AllocsPerRun(5, func() { simulate(t, l) }); many > few+8 || few > 200 {
		t.Errorf("%v allocations, %v with four times the items", few, many)
	}
}
