package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func TestQueuesBlockAfterService(t *testing.T) {
	// The second stage is slow, and one item can wait before it: the first worker holds the third.
	r := simulate(t, Line{Items: 4, Stages: []Stage{
		{Name: "fast", ServiceSeconds: 1},
		{Name: "slow", ServiceSeconds: 10, Queue: 1}}})
	near(t, "makespan", r.MakespanSeconds, 41, exact)
	// done at 1, 2 (waits in the queue), 3 (held until 11), 12 (held until 21)
	near(t, "blocked", r.Stages[0].BlockedSeconds, 8+9, exact)
	near(t, "busy, blocked and idle", r.Stages[0].BusySeconds+r.Stages[0].BlockedSeconds+r.Stages[0].IdleSeconds, 41, exact)
}

func TestBatches(t *testing.T) {
	batch := func(n, queue, inFlight, items int) Line {
		return Line{Items: items, InFlight: inFlight, Stages: []Stage{
			{Name: "one by one", ServiceSeconds: 1},
			{Name: "in batches", ServiceSeconds: 5, PerItemSeconds: 1, Batch: n, Queue: queue}}}
	}
	tests := []struct {
		name     string
		line     Line
		makespan float64
		services int
	}{
		{"the last batch is short", batch(4, 0, 0, 6), 4 + 9 + 7, 2},
		{"a queue holds a batch", batch(4, 1, 0, 4), 4 + 9, 1},
		{"a batch is no larger than the credits", batch(4, 0, 2, 4), 2 + 7 + 2 + 7, 2},
		{"a batch is no larger than the items", batch(100, 0, 0, 3), 3 + 8, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := simulate(t, test.line)
			near(t, "makespan", r.MakespanSeconds, test.makespan, exact)
			if r.Stages[1].Services != test.services {
				t.Errorf("%d services, want %d", r.Stages[1].Services, test.services)
			}
		})
	}
}

func TestABatchThatCannotFillIsStartedWhenNothingMoves(t *testing.T) {
	// Five credits: three items lie before the second stage, two before the first, which wants three.
	r := simulate(t, Line{Items: 30, InFlight: 5, Stages: []Stage{
		{Name: "threes", ServiceSeconds: 1, Batch: 3},
		{Name: "fives", ServiceSeconds: 1, Batch: 5}}})
	if r.MakespanSeconds < 6 || r.PeakInFlight > 5 {
		t.Errorf("makespan %v s, %d in flight", r.MakespanSeconds, r.PeakInFlight)
	}
	// An item that waits for another cannot fill the batch that the other is in.
	r = simulate(t, Line{Items: 4, Needs: [][2]int{{1, 0}, {2, 1}, {3, 2}}, Stages: []Stage{{Name: "a", ServiceSeconds: 1, Batch: 4}}})
	near(t, "a chain of dependencies", r.MakespanSeconds, 4, exact)
}

func TestSharedCores(t *testing.T) {
	line := func(cores float64, workers, items int) Line {
		return Line{Items: items, Resources: []Resource{{Name: "cpu", Kind: Cores, Capacity: cores}},
			Stages: []Stage{{Name: "map", ServiceSeconds: 1, Workers: workers, Resource: "cpu"}}}
	}
	for _, test := range []struct {
		name     string
		line     Line
		makespan float64
	}{
		{"cores enough", line(4, 4, 8), 2},
		{"four workers on two cores", line(2, 4, 8), 4},
		{"a quota of half a core", line(0.5, 4, 8), 16},
		{"one worker uses one core of two", line(2, 1, 8), 8},
	} {
		r := simulate(t, test.line)
		near(t, test.name, r.MakespanSeconds, test.makespan, exact)
		near(t, test.name+": work", r.Resources[0].WorkSeconds, 8, exact)
	}
}

func TestCoresAreDividedAsServicesComeAndGo(t *testing.T) {
	// One core. The first item runs alone from 0 to 1, has 2 of 3 s to go, shares with the second
	// (1 s) from 1 to 3, and ends alone at 4.
	r := simulate(t, Line{Items: 2, ArrivalSeconds: 1, Seed: 0, Resources: []Resource{{Name: "cpu", Capacity: 1}},
		Stages: []Stage{
			{Name: "long", ServiceSeconds: 3, Resource: "cpu"},
			{Name: "other", ServiceSeconds: 1}}})
	near(t, "two in turn", r.MakespanSeconds, 7, exact)
	s := &server{kind: Cores, capacity: 1}
	s.begin(0, 3, event{job: 1})
	s.begin(1, 1, event{job: 2})
	near(t, "the end of the short one", s.next(), 3, exact)
	if e := s.end(3); e.job != 2 {
		t.Errorf("job %d ended first", e.job)
	}
	near(t, "the end of the long one", s.next(), 4, exact)
}

func TestStagesShareADevice(t *testing.T) {
	r := simulate(t, Line{Items: 100, Resources: []Resource{{Name: "disk", Kind: Device}}, Stages: []Stage{
		{Name: "read", ServiceSeconds: 1, Workers: 4, Queue: 2, Resource: "disk"},
		{Name: "map", ServiceSeconds: 0.5},
		{Name: "write", ServiceSeconds: 2, Workers: 4, Queue: 2, Resource: "disk"}}})
	near(t, "the work of the disk", r.Resources[0].WorkSeconds, 300, exact)
	if r.Limit.Kind != LimitResource || r.MakespanSeconds < 300 || r.MakespanSeconds > 303 {
		t.Errorf("limit %v, %v s", r.Limit, r.MakespanSeconds)
	}
}

func TestPhasesRunOneAfterTheOther(t *testing.T) {
	results, all, err := Sequence(Line{Stages: times(1, 2), Items: 10}, Line{Stages: times(3), Items: 5, SerialAfterSeconds: 1})
	if err != nil || len(results) != 2 {
		t.Fatal(results, err)
	}
	near(t, "both", all, 1+20+15+1, exact)
	if _, _, err := Sequence(Line{Stages: times(1), Items: 1}, Line{}); err == nil || !strings.Contains(err.Error(), "phase 2") {
		t.Errorf("an empty phase: %v", err)
	}
}

func TestSamplesAreDrawnBySeedItemAndStage(t *testing.T) {
	line := Line{Items: 500, Seed: 7, Stages: []Stage{
		{Name: "a", Samples: []float64{1, 2, 9}, Workers: 3, Queue: 4},
		{Name: "b", Samples: []float64{1, 2, 9}, Workers: 3, Queue: 4}}}
	first := simulate(t, line)
	if again := simulate(t, line); !reflect.DeepEqual(again, first) {
		t.Error("the same line gives another result")
	}
	work := func(l Line) (a, b float64) {
		r := simulate(t, l)
		return r.Stages[0].WorkSeconds, r.Stages[1].WorkSeconds
	}
	wide := line
	wide.Stages = []Stage{line.Stages[0], line.Stages[1]}
	wide.Stages[0].Workers = 1
	a, b := work(line)
	if wa, wb := work(wide); wa != a || wb != b {
		t.Errorf("another number of workers draws other samples: %v %v, %v %v", a, b, wa, wb)
	}
	near(t, "the mean of the draws", a/500, 4, 0.15)
	if a == b {
		t.Error("the stages draw the same without Paired")
	}
	line.Paired = true
	if a, b := work(line); a != b {
		t.Errorf("paired stages draw %v and %v", a, b)
	}
	line.Seed = 8
	if other, _ := work(line); other == a {
		t.Error("another seed draws the same")
	}
}

func TestBadLines(t *testing.T) {
	good := func() Line {
		return Line{Stages: times(1, 2), Items: 4, Resources: []Resource{{Name: "cpu", Capacity: 2}}}
	}
	tests := []struct {
		name  string
		spoil func(*Line)
		want  string
	}{
		{"no stages", func(l *Line) { l.Stages = nil }, "stages: there is none"},
		{"too many stages", func(l *Line) { l.Stages = make([]Stage, 1001) }, "stages: 1001; 1000 is the most"},
		{"no items", func(l *Line) { l.Items = 0 }, "items: 0;"},
		{"too many items", func(l *Line) { l.Items = MaxWork }, "items times stages may be"},
		{"a negative time", func(l *Line) { l.Stages[1].ServiceSeconds = -1 }, "stages[1].service_seconds: -1;"},
		{"a time that is no number", func(l *Line) { l.ArrivalSeconds = math.NaN() }, "arrival_seconds: NaN"},
		{"an endless time", func(l *Line) { l.SerialAfterSeconds = math.Inf(1) }, "serial_after_seconds: +Inf"},
		{"a bad sample", func(l *Line) { l.Stages[0].Samples = []float64{1, math.NaN()} }, "stages[0].samples: NaN"},
		{"negative workers", func(l *Line) { l.Stages[0].Workers = -1 }, "stages[0].workers: -1;"},
		{"a million and one workers", func(l *Line) { l.Stages[0].Workers = 1e6 + 1 }, "stages[0].workers: 1000001; 1000000 is the most"},
		{"an unknown resource", func(l *Line) { l.Stages[0].Resource = "disk" }, `stages[0].resource: there is no "disk"`},
		{"no cores", func(l *Line) { l.Resources[0].Capacity = 0 }, "resources: cpu: 0 cores"},
		{"two resources of one name", func(l *Line) { l.Resources = append(l.Resources, l.Resources[0]) }, `resources: "cpu"`},
		{"credits that barriers cannot do with", func(l *Line) { l.Barrier, l.InFlight = true, 3 }, "in_flight: 3;"},
		{"dependencies across a barrier", func(l *Line) { l.Barrier, l.Needs = true, [][2]int{{1, 0}} }, "dependencies: "},
		{"an item that is not there", func(l *Line) { l.Needs = [][2]int{{4, 0}} }, "dependencies: [4, 0]: items are 0 to 3"},
		{"an item that needs itself", func(l *Line) { l.Needs = [][2]int{{2, 2}} }, "dependencies: item 2 is in, or behind, a circle"},
		{"a circle", func(l *Line) { l.Needs = [][2]int{{1, 2}, {2, 3}, {3, 1}} }, "dependencies: item 1 is in, or behind, a circle"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := good()
			test.spoil(&l)
			_, err := Simulate(l)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) && !strings.Contains(err.Error(), test.want) {
				t.Errorf("Simulate: %v, want %s", err, test.want)
			}
			if _, boundsErr := l.Bounds(); fmt.Sprint(boundsErr) != fmt.Sprint(err) {
				t.Errorf("Bounds: %v, Simulate: %v", boundsErr, err)
			}
		})
	}
}

func TestPartitionIsTheBestOfAll(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		costs := make([]float64, 1+rng.IntN(9))
		for i := range costs {
			costs[i] = float64(rng.IntN(6))
		}
		k := 1 + rng.IntN(len(costs))
		ends, most, err := Partition(costs, k)
		if err != nil || len(ends) != k || ends[k-1] != len(costs) {
			t.Fatal(costs, k, ends, err)
		}
		from, worst := 0, 0.0
		for _, end := range ends {
			if end <= from {
				t.Fatalf("%v in %d: an empty part in %v", costs, k, ends)
			}
			worst = max(worst, sum(costs[from:end]))
			from = end
		}
		if want := leastMost(costs, k); worst != want || most != want {
			t.Fatalf("%v in %d: %v costs %v, said %v, best is %v", costs, k, ends, worst, most, want)
		}
	}
	for _, k := range []int{0, 3, -1} {
		if _, _, err := Partition([]float64{1, 2}, k); err == nil {
			t.Errorf("two costs in %d parts", k)
		}
	}
	if _, _, err := Partition([]float64{1, math.NaN()}, 1); err == nil {
		t.Error("a cost that is no number")
	}
}

func sum(values []float64) (s float64) {
	for _, v := range values {
		s += v
	}
	return s
}

// leastMost tries all cuts.
func leastMost(costs []float64, k int) float64 {
	if k == 1 {
		return sum(costs)
	}
	least := math.Inf(1)
	for first := 1; first <= len(costs)-k+1; first++ {
		least = min(least, max(sum(costs[:first]), leastMost(costs[first:], k-1)))
	}
	return least
}

func TestBestBatchRefusesWhatWouldTakeLong(t *testing.T) {
	l := Line{Stages: times(1), Items: 100_000}
	if _, _, err := BestBatch(l, 0, 100_000); err == nil || !strings.Contains(err.Error(), "too many to try") {
		t.Error(err)
	}
	for _, stage := range []int{-1, 1} {
		if _, _, err := BestBatch(l, stage, 1); err == nil {
			t.Errorf("stage %d of one", stage)
		}
	}
	if _, _, err := BestBatch(l, 0, 0); err == nil {
		t.Error("no batch at all")
	}
}

// sharing is processor sharing without virtual time: it holds what each service still needs.
func sharing(arrivals, demands []float64, cores float64) (ends []float64) {
	ends, left := make([]float64, len(demands)), append([]float64(nil), demands...)
	running, next, now := []int{}, 0, 0.0
	for next < len(arrivals) || len(running) > 0 {
		rate := min(1, cores/float64(len(running)))
		step := math.Inf(1)
		for _, i := range running {
			step = min(step, left[i]/rate)
		}
		arrives := next < len(arrivals) && arrivals[next] <= now+step
		if arrives {
			step = arrivals[next] - now
		}
		now += step
		still := running[:0]
		for _, i := range running {
			if left[i] -= rate * step; left[i] > 1e-12 {
				still = append(still, i)
			} else {
				ends[i] = now
			}
		}
		running = still
		if arrives {
			running = append(running, next)
			next++
		}
	}
	return ends
}

func TestVirtualTimeIsProcessorSharing(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 11))
	for range 200 {
		const n = 40
		cores := 0.3 + 4*rng.Float64()
		arrivals, demands := make([]float64, n), make([]float64, n)
		at := 0.0
		for i := range demands {
			at += rng.ExpFloat64()
			arrivals[i], demands[i] = at, 0.01+3*rng.ExpFloat64()
		}
		want := sharing(arrivals, demands, cores)
		s, got := &server{kind: Cores, capacity: cores}, make([]float64, n)
		for i := 0; i < n || len(s.running) > 0; {
			if i < n && arrivals[i] < s.next() {
				s.begin(arrivals[i], demands[i], event{seq: uint64(i), job: int32(i)})
				i++
				continue
			}
			end := s.next()
			got[s.end(end).job] = end
		}
		for i := range want {
			near(t, fmt.Sprintf("the end of service %d on %v cores", i, cores), got[i], want[i], exact)
		}
	}
}
