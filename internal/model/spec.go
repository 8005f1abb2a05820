package model

import (
	"fmt"
	"io"
)

const (
	maxInput  = 16 << 20 // bytes of JSON
	maxMemory = 1 << 60  // bytes of a worker
	leastTime = 1e-15    // seconds of a service: less than any, and the rates stay finite
)

// Spec is the input of `alignpipe model`: a line in the words of a user, with memory and
// reliability, which the simulation does not need.
type Spec struct {
	Stages              []StageSpec
	Items               int
	ArrivalSeconds      float64
	Handoff             string // "queue", "barrier", or empty for queue
	InFlight            int
	ContentionPerItem   float64
	MemoryCapBytes      int64 // of a stage; 0 is no cap
	SerialBeforeSeconds float64
	SerialAfterSeconds  float64
	Dependencies        [][2]int
}

// StageSpec is a stage of a Spec.
type StageSpec struct {
	Name                  string
	ServiceSeconds        float64
	ServicePerItemSeconds float64
	Workers               int
	Queue                 int
	Batch                 int
	MemoryBytes           int64   // that a worker needs for each item of its batch
	Reliability           float64 // probability that the stage survives the run
}

// ParseSpec reads a Spec from JSON: at most 16 MiB, its keys exactly those of docs/model.md, each at
// most once. The error is an *InputError, or that of r.
func ParseSpec(r io.Reader) (*Spec, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxInput {
		return nil, wrong("", "more than %d bytes of JSON", maxInput)
	}
	spec := &Spec{}
	var stages []rawStage
	var pairs [][]int
	err = decodeDocument(data, map[string]any{
		"stages": &stages, "items": &spec.Items, "arrival_seconds": &spec.ArrivalSeconds, "handoff": &spec.Handoff,
		"in_flight": &spec.InFlight, "contention_per_item": &spec.ContentionPerItem, "memory_cap_bytes": &spec.MemoryCapBytes,
		"serial_before_seconds": &spec.SerialBeforeSeconds, "serial_after_seconds": &spec.SerialAfterSeconds,
		"dependencies": &pairs,
	})
	if err != nil {
		return nil, err
	}
	for i, pair := range pairs {
		if len(pair) != 2 {
			return nil, wrong(fmt.Sprintf("dependencies[%d]", i), "%d numbers; it is a pair: item, needed item", len(pair))
		}
		spec.Dependencies = append(spec.Dependencies, [2]int(pair))
	}
	for i, raw := range stages {
		stage, err := raw.decode(fmt.Sprintf("stages[%d]", i))
		if err != nil {
			return nil, err
		}
		if stage.Name == "" {
			stage.Name = fmt.Sprintf("stage %d", i+1)
		}
		spec.Stages = append(spec.Stages, stage)
	}
	return spec, spec.validate()
}

// validate checks what is not checked by Simulate.
func (s *Spec) validate() error {
	if s.Handoff != "" && s.Handoff != "queue" && s.Handoff != "barrier" {
		return wrong("handoff", "%q; it can be queue or barrier", s.Handoff)
	}
	if s.MemoryCapBytes < 0 {
		return wrong("memory_cap_bytes", "%d; it cannot be less than 0", s.MemoryCapBytes)
	}
	names := map[string]bool{}
	for i := range s.Stages {
		st := &s.Stages[i]
		key := fmt.Sprintf("stages[%d]", i)
		if names[st.Name] {
			return wrong(key+".name", "there are two stages %q", st.Name)
		}
		names[st.Name] = true
		if err := st.validate(key, s.MemoryCapBytes); err != nil {
			return err
		}
	}
	line := s.line()
	return line.validate()
}

func (s *StageSpec) validate(key string, memoryCap int64) error {
	switch {
	case s.Workers < 1:
		return wrong(key+".workers", "%d; at least 1 is needed", s.Workers)
	case s.Batch < 1:
		return wrong(key+".batch", "%d; at least 1 is needed", s.Batch)
	case s.ServiceSeconds >= 0 && s.ServicePerItemSeconds >= 0 && s.ServiceSeconds+s.ServicePerItemSeconds < leastTime:
		return wrong(key, "service_seconds or service_per_item_seconds must be above 0")
	case s.Reliability < 0 || s.Reliability > 1:
		return wrong(key+".reliability", "%v; it is a probability, from 0 to 1", s.Reliability)
	case s.MemoryBytes < 0 || s.MemoryBytes > maxMemory:
		return wrong(key+".memory_bytes", "%d is out of range", s.MemoryBytes)
	case memoryCap > 0 && s.memory(1) > float64(memoryCap):
		return wrong(key+".memory_bytes", "%s needs %.0f bytes for its %d workers, memory_cap_bytes is %d", s.Name, s.memory(1), s.Workers, memoryCap)
	}
	return nil
}

// memory is what a stage needs with a batch, in bytes.
func (s *StageSpec) memory(batch int) float64 {
	return float64(s.MemoryBytes) * float64(s.Workers) * float64(batch)
}

// largestBatch is the largest batch that the memory cap allows.
func (s *StageSpec) largestBatch(memoryCap int64, most int) int {
	if memoryCap == 0 || s.memory(most) <= float64(memoryCap) {
		return most
	}
	return int(float64(memoryCap) / s.memory(1))
}

// Line is what is simulated: batches are cut to the memory cap.
func (s *Spec) Line() (Line, error) {
	if err := s.validate(); err != nil {
		return Line{}, err
	}
	return s.line(), nil
}

func (s *Spec) line() Line {
	l := Line{
		Items: s.Items, ArrivalSeconds: s.ArrivalSeconds, Barrier: s.Handoff == "barrier", InFlight: s.InFlight,
		ContentionPerItem: s.ContentionPerItem, SerialBeforeSeconds: s.SerialBeforeSeconds, SerialAfterSeconds: s.SerialAfterSeconds,
		Needs: s.Dependencies,
	}
	for i := range s.Stages {
		st := &s.Stages[i]
		l.Stages = append(l.Stages, Stage{Name: st.Name, ServiceSeconds: st.ServiceSeconds, PerItemSeconds: st.ServicePerItemSeconds,
			Workers: st.Workers, Queue: st.Queue, Batch: st.largestBatch(s.MemoryCapBytes, st.Batch)})
	}
	return l
}
