package main

import (
	"math/rand/v2"
	"slices"
)

// Decoys are what looks like a limit and is none.
const (
	decoyReader    = "background-reader"   // a program that waits for another, slow disk: much iowait
	decoyOtherCPU  = "other-cpu-neighbour" // a spinner on CPUs that the run may not use
	decoySlowTemp  = "slow-unused-temp"    // a very slow temporary disk that nothing is spilled to
	decoyCached    = "cached-slow-input"   // input on a slow disk, but in the page cache
	decoyDebt      = "output-debt"         // output that a page cache takes, on a disk that is fast enough
	decoyHugeQueue = "huge-queue"          // many batches in flight, so that all queues are full
	decoyNearInput = "near-input"          // an input disk that is busy most of the time
)

// plan is which scenarios a campaign has.
type plan struct {
	seed    uint64
	classes []string
	count   int
	truths  int // how many of them have their constraints relaxed
}

// scenario draws the scenario of an index. It depends on the plan and nothing else.
func (p plan) scenario(index int) Scenario {
	s := Scenario{Seed: p.seed, Index: index, Class: p.class(index), Truth: p.isTruth(index),
		Reference: "small", Sort: "coordinate", Level: 1, CPUs: 2, Threads: 2, Engine: engineChild,
		Input: Input{Format: formatPlain, Layout: layoutSingle, Via: viaFile}, Output: Output{Via: viaFile}, Tight: map[string]float64{}, Drag: map[string]float64{}}
	d := draw{rand.New(rand.NewPCG(p.seed, uint64(index)+1))}
	d.shape(&s)
	d.constrain(&s)
	if s.Truth {
		d.makeRoom(&s)
	}
	d.decoys(&s)
	s.TargetSeconds = d.between(2.2, 3.6)
	return s
}

// class deals the classes in rounds, each in an order of its own.
func (p plan) class(index int) string {
	n := len(p.classes)
	round := rand.New(rand.NewPCG(p.seed, 1<<40+uint64(index/n))).Perm(n)
	return p.classes[round[index%n]]
}

// isTruth spreads the measured scenarios evenly over those that can be measured: a tiny run has nothing that
// would be seen to help.
func (p plan) isTruth(index int) bool {
	if p.class(index) == classUndetermined {
		return false
	}
	before, all := 0, 0
	for i := range p.count {
		if p.class(i) == classUndetermined {
			continue
		}
		if i < index {
			before++
		}
		all++
	}
	return all > 0 && (before+1)*p.truths/all > before*p.truths/all
}

// draw draws one scenario.
type draw struct{ *rand.Rand }

func (d draw) between(low, high float64) float64 { return low + (high-low)*d.Float64() }

func (d draw) chance(p float64) bool { return d.Float64() < p }

func pick[T any](d draw, from ...T) T { return from[d.IntN(len(from))] }

// shape draws what has nothing to do with the class.
func (d draw) shape(s *Scenario) {
	s.Input.Format = pick(d, formatPlain, formatGzip, formatBGZF)
	s.Input.Layout = pick(d, layoutSingle, layoutPair)
	s.Level = pick(d, 0, 1, 1, 1, 2)
	if d.chance(0.5) {
		s.Sort = "none"
	}
	if s.sorted() && d.chance(0.15) {
		s.Shards = pick(d, 2, 3)
	}
}

// constrain brings the class about.
func (d draw) constrain(s *Scenario) {
	map[string]func(draw, *Scenario){
		classCPU: draw.cpu, classSerial: draw.serial, classInputIO: draw.inputIO, classSpillIO: draw.spillIO, classOutputIO: draw.outputIO,
		classSharedDisk: draw.sharedDisk, classStarved: draw.starved, classBackpressured: draw.backpressured, classMemory: draw.memory,
		classThrottled: draw.throttled, classNoisy: draw.noisy, classLock: draw.lock, classStartup: draw.startup,
		classBalanced: draw.balanced, classUndetermined: draw.undetermined,
	}[s.Class](d, s)
}

// engine chooses between the shipped program, for what needs nothing else, and this one.
func (d draw) engine(s *Scenario) {
	if d.chance(0.5) {
		s.Engine = engineBinary
	}
}

// tight draws a factor by which a constraint is to exceed what it must.
func (d draw) tight(s *Scenario, name string) { s.Tight[name] = d.between(1, 1.6) }

func (d draw) cpu(s *Scenario) {
	s.Recipe = pick(d, "map", "deflate", "inflate", "one-core")
	switch s.Recipe {
	case "map":
		s.Drag["map"] = d.between(0.5, 2)
	case "deflate":
		s.Level = pick(d, 6, 7)
	case "inflate":
		s.Input.Format = formatBGZF
		s.Drag["inflate"] = d.between(1, 4)
	case "one-core":
		s.CPUs, s.Threads = 1, 1
		d.engine(s)
	}
}

func (d draw) serial(s *Scenario) {
	s.Recipe = pick(d, "inflate", "parse", "merge", "order")
	s.Stage = s.Recipe
	s.Level, s.Shards, s.Input.Layout = pick(d, 0, 1), 0, layoutSingle
	s.Sort = "none"
	switch s.Stage {
	case "inflate":
		s.Input.Format, s.Level = formatGzip, 0
	case "merge":
		s.Sort = "coordinate"
	}
	d.tight(s, s.Stage)
}

// disk draws a disk of either kind. A loop device is what the shipped program can be run on.
func (d draw) disk(s *Scenario, name string, role string) {
	disk := Disk{Name: name, Layer: layerSlow}
	if d.chance(0.4) {
		disk.Layer = layerLoop
		disk.Strict = d.chance(0.5) || role == roleTemp
		s.Engine = pick(d, engineChild, engineBinary)
	} else {
		disk.LatencyMS = pick(d, 0, 0, 0.2, 2)
		disk.JitterMS = disk.LatencyMS / 2
		if role == roleOutput && d.chance(0.5) {
			disk.WriteBack = int64(d.between(1, 64)) << 20
		}
	}
	s.setDisk(role, disk)
	d.tight(s, role)
}

func (d draw) inputIO(s *Scenario) {
	s.Recipe = "slow-input"
	d.disk(s, "a", roleInput)
}

func (d draw) outputIO(s *Scenario) {
	s.Recipe = "slow-output"
	s.Shards = 0
	d.disk(s, "b", roleOutput)
}

func (d draw) spillIO(s *Scenario) {
	s.Recipe = "slow-temp"
	s.Sort, s.Shards = "coordinate", 0
	s.LeastMemory = d.between(1, 1.15)
	d.disk(s, "c", roleTemp)
}

func (d draw) sharedDisk(s *Scenario) {
	s.Shards = 0
	disk := Disk{Name: "shared", Layer: layerSlow, Shared: true}
	s.Recipe = pick(d, "input+output", "temp+output")
	s.setDisk(roleOutput, disk)
	d.tight(s, "disk")
	if s.Recipe == "input+output" {
		s.Sort = "none"
		s.Input.Format = pick(d, formatGzip, formatBGZF)
		s.Level = pick(d, 1, 2)
		s.setDisk(roleInput, disk)
		return
	}
	s.Sort, s.LeastMemory = "coordinate", d.between(1, 1.15)
	s.setDisk(roleTemp, disk)
}

func (d draw) starved(s *Scenario) {
	s.Recipe = "slow-producer"
	s.Input.Via = viaFifo
	if s.Input.Layout == layoutPair {
		s.Input.Layout = layoutInterleaved
	}
	d.engine(s)
	d.tight(s, "producer")
}

func (d draw) backpressured(s *Scenario) {
	s.Recipe = "slow-consumer"
	s.Output.Via, s.Shards = viaFifo, 0
	d.engine(s)
	d.tight(s, "consumer")
}

// memory keeps the index out of memory, which the mappers then fault in again and again.
func (d draw) memory(s *Scenario) {
	s.Recipe = "thrashing-index"
	s.Reference = "large"
	s.Sort, s.Level, s.Shards = "none", pick(d, 0, 1), 0
	s.BatchBases = 4 << 10                    // a read takes hundreds of times as long as else, and a verdict thirty batches
	s.Tight["memory"] = d.between(0.85, 0.95) // of the index that fits
}

func (d draw) throttled(s *Scenario) {
	s.Recipe = "quota"
	d.engine(s)
	s.Tight["quota"] = d.between(0.4, 0.75) // of what it would use
}

func (d draw) noisy(s *Scenario) {
	s.Recipe = "spinners"
	d.engine(s)
	s.Spinners = pick(d, 2, 2, 4)
}

func (d draw) lock(s *Scenario) {
	s.Recipe = "one-batch"
	s.Input.Layout, s.Shards = layoutSingle, 0 // pairs need some batches to measure the insert size on
	s.Sort = "none"
	s.InFlight = 1
}

func (d draw) startup(s *Scenario) {
	s.Recipe = "index-build"
	s.Reference, s.FASTA = "large", true
	d.engine(s)
	s.Tight["reads"] = d.between(0.15, 0.5) // of the time that the index takes
}

func (d draw) balanced(s *Scenario) {
	s.Recipe = pick(d, "input=output", "input=cpu", "input=merge-output")
	s.Sort, s.Shards = "none", 0
	s.Tight["off"] = d.between(0.95, 1.05)
	s.setDisk(roleInput, Disk{Name: "a", Layer: layerSlow})
	if s.Recipe != "input=cpu" {
		s.setDisk(roleOutput, Disk{Name: "b", Layer: layerSlow})
	}
	if s.Recipe == "input=merge-output" {
		s.Sort = "coordinate"
	}
}

func (d draw) undetermined(s *Scenario) {
	s.Recipe = "tiny"
	d.engine(s)
	s.Tight["seconds"] = d.between(0.2, 0.7)
}

// makeRoom sees to it that computing power can be had more of: a second core for the shipped program, and for this
// one drags that can be taken away. Where cores are what is taken away, only the latter will do.
func (d draw) makeRoom(s *Scenario) {
	if s.Class == classNoisy || s.Class == classThrottled {
		s.Engine = engineChild
	}
	if s.Engine == engineBinary {
		s.CPUs, s.Threads = 1, 1
		return
	}
	for stage, drag := range uniformDrag() {
		s.Drag[stage] = (1+s.Drag[stage])*(1+drag) - 1
	}
}

// decoys adds some that do not change the class.
func (d draw) decoys(s *Scenario) {
	for _, decoy := range []string{decoyReader, decoyOtherCPU, decoySlowTemp, decoyCached, decoyDebt, decoyHugeQueue, decoyNearInput} {
		if d.chance(0.25) && s.allows(decoy) {
			s.Decoys = append(s.Decoys, decoy)
		}
	}
	if s.has(decoySlowTemp) {
		s.setDisk(roleTemp, Disk{Name: "c", Layer: layerSlow, ReadRate: 3e6, WriteRate: 3e6, LatencyMS: 20})
	}
	if s.has(decoyCached) {
		s.Input.Cached = true
		s.setDisk(roleInput, Disk{Name: "a", Layer: layerSlow, ReadRate: 5e6, WriteRate: 5e6})
	}
	if s.has(decoyNearInput) {
		s.setDisk(roleInput, Disk{Name: "a", Layer: layerSlow})
		s.Tight[decoyNearInput] = d.between(0.5, 0.7)
	}
	if s.has(decoyDebt) {
		s.setDisk(roleOutput, Disk{Name: "b", Layer: layerSlow, WriteBack: 256 << 20})
		s.Tight[decoyDebt] = d.between(0.4, 0.6)
	}
	if s.has(decoyHugeQueue) {
		s.InFlight = 64
	}
}

// allows tells whether a decoy can be added without getting in the way of the class.
func (s *Scenario) allows(decoy string) bool {
	free := func(role string) bool { _, taken := s.Disks[role]; return !taken && s.Engine == engineChild }
	if slices.Contains([]string{classUndetermined, classMemory, classBalanced}, s.Class) {
		return false
	}
	switch decoy {
	case decoyReader:
		return true
	case decoyOtherCPU:
		return s.CPUs == 1 && s.Spinners == 0 && !s.Truth // the run may get that CPU
	case decoySlowTemp:
		return free(roleTemp) && s.LeastMemory == 0
	case decoyCached:
		return free(roleInput) && s.Input.Via == viaFile
	case decoyNearInput:
		return free(roleInput) && s.Input.Via == viaFile && !s.has(decoyCached)
	case decoyDebt:
		return free(roleOutput) && s.Output.Via == viaFile && s.Shards == 0
	case decoyHugeQueue:
		return s.InFlight == 0 && s.Engine == engineChild && s.LeastMemory == 0
	}
	return false
}
