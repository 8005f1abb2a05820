package model

import (
	"math"
	"os"
	"testing"
)

// answer runs a file of testdata, as `alignpipe model` does.
func answer(t *testing.T, name string) *Answer {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	spec, err := ParseSpec(f)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	a, err := spec.Answer()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return a
}

// near compares with a worked figure, to a relative error of within.
func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.Abs(got-want) > within*math.Abs(want) || math.IsNaN(got) {
		t.Errorf("%s is %.9g, want %.9g", what, got, want)
	}
}

const exact = 1e-9

func simulate(t *testing.T, l Line) Result {
	t.Helper()
	r, err := Simulate(l)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func times(seconds ...float64) []Stage {
	var stages []Stage
	for i, s := range seconds {
		stages = append(stages, Stage{Name: string(rune('a' + i)), ServiceSeconds: s})
	}
	return stages
}

func TestStagesRunConcurrentlyOnDifferentItems(t *testing.T) {
	a := answer(t, "fill-drain")
	var busy float64
	for _, s := range a.Stages {
		busy += s.BusySeconds
	}
	near(t, "the work", busy, 8*4, exact)
	if a.MakespanSeconds >= busy {
		t.Errorf("%v s of work took %v s: nothing ran side by side", busy, a.MakespanSeconds)
	}
}

func TestTheSlowestStageSetsThePeriod(t *testing.T) {
	a := answer(t, "period")
	near(t, "items/s", a.ThroughputPerSecond, 0.2, exact)
	near(t, "the ceiling", a.CeilingPerSecond, 0.2, exact)
	if a.Limit != "store" || a.LimitKind != LimitStage {
		t.Errorf("the limit is %s %s", a.LimitKind, a.Limit)
	}
}

func TestSpeedingUpAnotherStageChangesNothing(t *testing.T) {
	before, after := answer(t, "period"), answer(t, "no-effect")
	near(t, "items/s", after.ThroughputPerSecond, 0.2, exact)
	near(t, "what was gained", before.MakespanSeconds-after.MakespanSeconds, 1.5, exact) // once, while filling
	if after.Stages[1].Utilisation >= before.Stages[1].Utilisation {
		t.Error("the faster stage does not rest more")
	}
}

func TestLatencyIsTheSum(t *testing.T) {
	a := answer(t, "period")
	near(t, "the first item", a.LatencySeconds, 12, exact)
	sum := 0.0
	for _, s := range a.Stages {
		sum += s.LatencySeconds
	}
	near(t, "the sum over the stages", sum, a.LatencySeconds, exact)
}

func TestMakespanIsLatencyAndPeriods(t *testing.T) {
	near(t, "100 items", answer(t, "period").MakespanSeconds, 12+99*5, exact)
	for n := 1; n < 200; n++ {
		r := simulate(t, Line{Stages: times(4, 3, 5), Items: n})
		near(t, "makespan", r.MakespanSeconds, 12+float64(n-1)*5, exact)
		if n > 1 {
			near(t, "items/s", r.ThroughputPerSecond, 0.2, exact)
		}
	}
}

func TestFillAndDrain(t *testing.T) {
	a := answer(t, "fill-drain")
	near(t, "u with m = 8, K = 4", a.Utilisation, 8.0/11, exact)
	near(t, "bubble with m = 8, K = 4", a.Bubble, 3.0/11, exact)
	for k := 1; k <= 8; k++ {
		for m := 1; m <= 40; m++ {
			r := simulate(t, Line{Stages: times([]float64{2, 2, 2, 2, 2, 2, 2, 2}[:k]...), Items: m})
			near(t, "u", r.Utilisation, float64(m)/float64(k+m-1), exact)
			if want := float64(k-1) / float64(k+m-1); math.Abs(r.Bubble-want) > exact {
				t.Errorf("bubble with m = %d, K = %d is %v, want %v", m, k, r.Bubble, want)
			}
		}
	}
}

func TestSerialPartsLimitEverything(t *testing.T) {
	one, eight := answer(t, "amdahl-1"), answer(t, "amdahl-8")
	near(t, "one worker", one.MakespanSeconds, 3+96+1, exact)
	near(t, "eight workers", eight.MakespanSeconds, 3+12+1, exact)
	serial := 0.04
	near(t, "speed-up", one.MakespanSeconds/eight.MakespanSeconds, 1/(serial+(1-serial)/8), exact)
	many := simulate(t, Line{Stages: []Stage{{Name: "map", ServiceSeconds: 1, Workers: 96}}, Items: 96, SerialBeforeSeconds: 3, SerialAfterSeconds: 1})
	if many.Limit.Kind != LimitSerial || many.MakespanSeconds != 5 {
		t.Errorf("96 workers: limit %v, %v s", many.Limit, many.MakespanSeconds)
	}
}

func TestBarriersMakeConvoysQueuesDecouple(t *testing.T) {
	barrier, queue := answer(t, "barrier"), answer(t, "queue")
	near(t, "with barriers", barrier.MakespanSeconds, 270, exact)
	near(t, "with queues", queue.MakespanSeconds, 150, exact)
	near(t, "the gain", barrier.MakespanSeconds/queue.MakespanSeconds, 1.8, exact)
}

func TestLittlesLawTooManyInFlightIsATrafficJam(t *testing.T) {
	few, many := answer(t, "in-flight-8"), answer(t, "in-flight-50")
	near(t, "L = 8: items/s", few.ThroughputPerSecond, 800, exact)
	near(t, "L = 8: W", few.LatencySeconds, 0.010, exact)
	near(t, "L = 50: items/s", many.ThroughputPerSecond, 800/1.21, exact) // 661
	near(t, "L = 50: W", many.LatencySeconds, 0.0756, 0.001)
	near(t, "L = 50: lambda W", many.ThroughputPerSecond*many.LatencySeconds, 50, 0.001)
	for _, a := range []*Answer{few, many} {
		near(t, "L over the whole run", a.MeanInFlight, 10000/a.MakespanSeconds*a.MeanLatencySeconds, exact)
	}
}

func TestStreamingAgainstBatching(t *testing.T) {
	stream, batch, full := answer(t, "streaming"), answer(t, "batching"), answer(t, "batching-full")
	near(t, "streaming: latency", stream.LatencySeconds, 0.012, exact)
	near(t, "streaming: mean latency", stream.MeanLatencySeconds, 0.012, exact)
	near(t, "streaming: ceiling", stream.CeilingPerSecond, 125, exact)
	near(t, "batch of 8: first item", batch.LatencySeconds, 0.080, exact)
	near(t, "batch of 8: ceiling", batch.CeilingPerSecond, 400, exact)
	near(t, "batch of 8: items/s at the pace of the arrivals", batch.ThroughputPerSecond, 125, exact)
	if batch.LimitKind != LimitArrivals {
		t.Errorf("batch of 8: limited by %s", batch.LimitKind)
	}
	near(t, "batch of 8 without waiting for arrivals: items/s", full.ThroughputPerSecond, 400, exact)
}

func TestAnAcceleratorHasABestBatchUnderAMemoryCap(t *testing.T) {
	for name, want := range map[string]float64{"accelerator-20": 1.524, "accelerator-40": 1.048, "accelerator-100": 1.090} {
		near(t, name, answer(t, name).MakespanSeconds, want, exact)
	}
	a := answer(t, "accelerator-capped")
	stage := a.Stages[1]
	if stage.Batch != 32 || stage.BestBatch == nil || *stage.BestBatch != 32 || stage.MemoryBytes != 32 {
		t.Fatalf("with a cap of 32: %+v", stage)
	}
	near(t, "makespan with the best batch", *stage.BestBatchMakespanSeconds, a.MakespanSeconds, exact)

	line := Line{Items: 1000, Stages: []Stage{{Name: "prepare", ServiceSeconds: 0.001},
		{Name: "accelerator", ServiceSeconds: 0.02, PerItemSeconds: 0.0005}, {Name: "aggregate", ServiceSeconds: 0.0002}}}
	best, makespan, err := BestBatch(line, 1, 1000)
	if err != nil || makespan > 1.048 || best < 33 || best > 99 {
		t.Errorf("without a cap: batch %d, %v s, %v", best, makespan, err)
	}
	if line.Stages[1].Batch != 0 {
		t.Error("the sweep changed its caller's line")
	}
}

func TestDataParallelismFailsOneByOneAPipelineAllTogether(t *testing.T) {
	pipe, parallel := answer(t, "reliability"), answer(t, "parallel")
	near(t, "the pipeline", pipe.Reliability, 0.970299, exact)
	near(t, "its goodput", pipe.GoodputPerSecond, 1*0.970299, exact)
	near(t, "N lambda r", parallel.GoodputPerSecond, 3*(1.0/3)*0.99, exact)
}

func TestACopyCostsMemoryASplitCostsABubble(t *testing.T) {
	copies, split := answer(t, "copies"), answer(t, "split")
	near(t, "memory of copies", copies.MemoryBytes, 32e9, exact)
	near(t, "memory of the split", split.MemoryBytes, 8e9, exact)
	near(t, "ceiling of copies", copies.CeilingPerSecond, split.CeilingPerSecond, exact)
	if copies.Bubble != 0 {
		t.Errorf("copies have a bubble of %v", copies.Bubble)
	}
	near(t, "bubble of the split", split.Bubble, 3.0/19, exact)
}

func TestACheapPredictorAndAnExpensiveCorrector(t *testing.T) {
	both, all := answer(t, "predictor"), answer(t, "corrector-for-all")
	near(t, "the gain", both.ThroughputPerSecond/all.ThroughputPerSecond, 5, exact)
	r := simulate(t, Line{Items: 20000, Seed: 1, Stages: []Stage{
		{Name: "seed", ServiceSeconds: 2e-6},
		{Name: "gapped", Samples: []float64{1e-5, 0, 0, 0, 0, 0, 0, 0, 0, 0}}}})
	near(t, "items/s with one hard read in ten", r.ThroughputPerSecond, 1/2e-6, 0.001)
	near(t, "the work of the corrector", r.Stages[1].WorkSeconds, 20000*1e-6, 0.05)
}

func TestDependenciesMakeBubblesOrderTheWork(t *testing.T) {
	display, decode, two := answer(t, "frames-display-order"), answer(t, "frames-decode-order"), answer(t, "frames-two-streams")
	near(t, "display order", display.MakespanSeconds, 15, exact)
	near(t, "decode order", decode.MakespanSeconds, 13, exact)
	free := simulate(t, Line{Stages: times(1, 1, 1), Items: 7})
	near(t, "without dependencies", free.MakespanSeconds, 9, exact)
	if two.Bubble >= decode.Bubble || two.MakespanSeconds >= 2*decode.MakespanSeconds {
		t.Errorf("frames of another stream do not fill the bubble: %v of %v s, alone %v of %v s",
			two.Bubble, two.MakespanSeconds, decode.Bubble, decode.MakespanSeconds)
	}
	if decode.Limit != LimitDependencies {
		t.Errorf("the limit is %s", decode.Limit)
	}
}

func TestCutTheLineWhereTheWorkBalances(t *testing.T) {
	costs := []float64{4, 1, 1, 2, 6, 3, 1, 2}
	ends, most, err := Partition(costs, 3)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the most expensive part", most, 8, exact) // 4 1 1 2 | 6 | 3 1 2
	var stages []Stage
	from := 0
	for _, end := range ends {
		sum := 0.0
		for _, c := range costs[from:end] {
			sum += c
		}
		stages = append(stages, times(sum)...)
		from = end
	}
	r := simulate(t, Line{Stages: stages, Items: 50})
	near(t, "the period", 1/r.ThroughputPerSecond, most, exact)
}

func TestIndependentInstructionsOverlap(t *testing.T) {
	one, ten := answer(t, "look-ups-1"), answer(t, "look-ups-10")
	near(t, "ten look-ups in flight", ten.ThroughputPerSecond/one.ThroughputPerSecond, 10, 0.01)
	near(t, "latency", ten.LatencySeconds, one.LatencySeconds, exact)
}

func TestOwnersOfAChain(t *testing.T) {
	turn, chain := answer(t, "owners-in-turn"), answer(t, "owners-chain")
	near(t, "one item at a time", turn.ThroughputPerSecond, 1.0/6, exact)
	near(t, "the chain", chain.ThroughputPerSecond, 1.0/3, exact)
	for i, service := range []float64{2, 1, 3} { // each owner sees his own share of the period
		near(t, "an owner's utilisation, in turn", turn.Stages[i].Utilisation, service/6, exact)
		near(t, "an owner's utilisation, in the chain", chain.Stages[i].Utilisation, 60*service/chain.MakespanSeconds, exact)
	}
	averaging := simulate(t, Line{Items: 60, Stages: []Stage{{Name: "all", ServiceSeconds: 6, Workers: 3}}})
	near(t, "averaging", averaging.ThroughputPerSecond, 0.5, exact) // more, but everyone holds everything
}

func TestManyMappersOutrunTheDisk(t *testing.T) {
	plain, small := answer(t, "disk"), answer(t, "disk-compressed")
	if plain.Limit != "disk" || small.Limit != "map" {
		t.Errorf("limits: plain %s, compressed %s", plain.Limit, small.Limit)
	}
	near(t, "reads/s, plain", plain.ThroughputPerSecond, 100e6/250, 1e-6)
	near(t, "reads/s, compressed", small.ThroughputPerSecond, 16/22e-6, 0.001)
}
