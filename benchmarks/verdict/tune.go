package main

import (
	"fmt"
	"math"
)

// A constraint is the limit when the run takes over takes*limiting as long by it as by anything else that
// happens at the same time, and overRest as long as what happens before and after.
const (
	limiting = 1.6
	overRest = 1.8
)

// tune sets what depends on the machine, from the profile of the run without constraints.
func (s *Scenario) tune(p Profile) error {
	if s.LeastMemory > 0 {
		s.MemoryBytes = int64(s.LeastMemory * float64(p.LeastMemory))
	}
	s.tuneDecoys(p)
	stream, merge, startup := p.Stream, p.Merge, p.StartupSeconds
	switch s.Class {
	case classInputIO:
		stream = s.firstHalf(p, roleInput)
		s.setRates(roleInput, p.InputBytes/stream)
	case classStarved:
		stream = s.firstHalf(p, "producer")
		s.Input.Rate = p.InputBytes / stream
	case classOutputIO:
		t := s.secondHalf(p, roleOutput)
		s.setRates(roleOutput, p.OutputBytes/t)
		stream, merge = s.place(p, t)
	case classBackpressured:
		t := s.secondHalf(p, "consumer")
		s.Output.Rate = p.OutputBytes / t
		stream, merge = s.place(p, t)
	case classSpillIO:
		if p.SpillBytes == 0 {
			return fmt.Errorf("nothing was spilled with %d bytes of memory", s.MemoryBytes)
		}
		t := limiting * max(p.Stream, p.Merge) * s.Tight[roleTemp]
		s.setRates(roleTemp, p.SpillBytes/t)
		stream, merge = t, t
	case classSharedDisk:
		stream, merge = s.tuneShared(p)
	case classSerial:
		stream, merge = s.tuneSerial(p)
	case classThrottled:
		s.QuotaCPUs = round3(s.Tight["quota"] * p.CPU / (p.Stream + p.Merge))
		stream, merge = p.Stream/s.Tight["quota"], p.Merge/s.Tight["quota"]
	case classNoisy:
		share := 1 + float64(s.Spinners)/float64(s.CPUs)
		stream, merge = stream*share, merge*share
	case classMemory:
		s.GroupMemoryBytes = int64(p.PeakBytes-float64(p.IndexBytes)) + int64(s.Tight["memory"]*float64(p.IndexBytes))
		stream *= 100 // a guess: what a fault costs is not known
	case classLock:
		stream *= 1.8
	case classBalanced:
		stream, merge = s.tuneBalanced(p)
	case classUndetermined:
		s.Input.Templates = quantise(s.Tight["seconds"] / (stream + merge))
		return nil
	case classStartup:
		s.Input.Templates = quantise(s.Tight["reads"] * startup / (stream + merge))
		return nil
	}
	s.Input.Templates = quantise(max(s.TargetSeconds-startup, 1) / (stream + merge))
	return nil
}

// firstHalf is how long the stream phase must be made, for a template, to limit a whole run.
func (s *Scenario) firstHalf(p Profile, name string) float64 {
	return max(limiting*p.Stream, overRest*p.Merge) * s.Tight[name]
}

// secondHalf is the same for what writes the output.
func (s *Scenario) secondHalf(p Profile, name string) float64 {
	if !s.sorted() {
		return limiting * p.Stream * s.Tight[name]
	}
	return max(limiting*p.Merge, overRest*p.Stream) * s.Tight[name]
}

// place says which phase writing the output makes last so long.
func (s *Scenario) place(p Profile, t float64) (stream, merge float64) {
	if !s.sorted() {
		return t, 0
	}
	return p.Stream, t
}

func (s *Scenario) setRates(role string, rate float64) {
	s.updateDisk(role, func(d *Disk) { d.ReadRate, d.WriteRate = math.Round(rate), math.Round(rate) })
}

func (s *Scenario) tuneShared(p Profile) (stream, merge float64) {
	if s.Recipe == "input+output" {
		t := limiting * p.Stream * s.Tight["disk"]
		s.setRates(roleOutput, (p.InputBytes+p.OutputBytes)/t)
		return t, 0
	}
	// The runs are written in the stream phase, and read while the output is written.
	merge = max(limiting*p.Merge, overRest*p.Stream) * s.Tight["disk"]
	rate := (p.SpillBytes + p.OutputBytes) / merge
	s.setRates(roleOutput, rate)
	return max(p.Stream, p.SpillBytes/rate), merge
}

// tuneSerial drags the stage until its one thread takes longer than all others do on the other core.
func (s *Scenario) tuneSerial(p Profile) (stream, merge float64) {
	own := p.StageCPU[s.Stage]
	if s.sorted() {
		merge = max(limiting*p.MergeCPU, overRest*p.Stream) * s.Tight[s.Stage]
		s.Drag[s.Stage] = s.dragTo(merge, own)
		return p.Stream, merge
	}
	stream = limiting * max(p.CPU-own, p.Stream) * s.Tight[s.Stage]
	s.Drag[s.Stage] = s.dragTo(stream, own)
	return stream, 0
}

// dragTo is the drag that makes a stage take so long, where own holds the drag it has now. At least
// so much that it can be taken away.
func (s *Scenario) dragTo(seconds, own float64) float64 {
	if own <= 0 {
		return relaxBy - 1
	}
	return round3(max(seconds/own*(1+s.Drag[s.Stage])-1, relaxBy-1))
}

func (s *Scenario) tuneBalanced(p Profile) (stream, merge float64) {
	off := s.Tight["off"]
	switch s.Recipe {
	case "input=cpu":
		t := p.CPU / float64(s.CPUs) * off // what the cores take when they never rest
		s.setRates(roleInput, p.InputBytes/t)
		return max(t, p.Stream), 0
	case "input=output":
		t := limiting * p.Stream
		s.setRates(roleInput, p.InputBytes/t)
		s.setRates(roleOutput, p.OutputBytes/(t*off))
		return t * max(1, off), 0
	default: // one after the other, each for half of the time
		t := limiting * max(p.Stream, p.Merge)
		s.setRates(roleInput, p.InputBytes/t)
		s.setRates(roleOutput, p.OutputBytes/(t*off))
		return t, t * off
	}
}

func (s *Scenario) tuneDecoys(p Profile) {
	if s.has(decoyNearInput) {
		s.setRates(roleInput, p.InputBytes/(s.Tight[decoyNearInput]*p.Stream))
	}
	if s.has(decoyDebt) {
		during := p.Merge
		if !s.sorted() {
			during = p.Stream
		}
		s.setRates(roleOutput, p.OutputBytes/(s.Tight[decoyDebt]*during))
	}
}

// The sizes of read sets, in templates. Neighbours differ by the square root of two, so that a few files do for all.
const (
	leastTemplates = 1_000
	mostTemplates  = 1_024_000
)

func quantise(templates float64) int {
	steps := math.Round(2 * math.Log2(max(1, templates/leastTemplates)))
	return min(int(math.Round(leastTemplates*math.Pow(2, steps/2))), mostTemplates)
}

func round3(v float64) float64 { return math.Round(v*1000) / 1000 }
