package model

// Answer is what `alignpipe model` prints. Times are in seconds, shares from 0 to 1. The first seven
// keys are there for the line and for each stage.
type Answer struct {
	MakespanSeconds     float64 `json:"makespan_seconds"`
	ThroughputPerSecond float64 `json:"throughput_per_second"` // of a full line
	// LatencySeconds is the time in the line: of the first item, which meets an empty line; with
	// in_flight of the items of the steady state.
	LatencySeconds float64 `json:"latency_seconds"`
	Utilisation    float64 `json:"utilisation"`
	Bubble         float64 `json:"bubble"`
	Limit          string  `json:"limit"`
	Reliability    float64 `json:"reliability"` // the product over the stages

	LimitKind           string  `json:"limit_kind"`
	CeilingPerSecond    float64 `json:"ceiling_per_second"`
	GoodputPerSecond    float64 `json:"goodput_per_second"` // throughput times reliability
	FirstLatencySeconds float64 `json:"first_latency_seconds"`
	MeanLatencySeconds  float64 `json:"mean_latency_seconds"`
	MeanInFlight        float64 `json:"mean_in_flight"`
	MemoryBytes         float64 `json:"memory_bytes"`

	Stages []StageAnswer `json:"stages"`
}

// StageAnswer is a stage of an Answer.
type StageAnswer struct {
	Name                string  `json:"name"`
	Workers             int     `json:"workers"`
	Batch               int     `json:"batch"`                 // as used: cut to the memory cap, in_flight and items
	MakespanSeconds     float64 `json:"makespan_seconds"`      // from its first service to the end of its last
	ThroughputPerSecond float64 `json:"throughput_per_second"` // items over that time
	LatencySeconds      float64 `json:"latency_seconds"`
	Utilisation         float64 `json:"utilisation"`
	Bubble              float64 `json:"bubble"`
	// Limit is where its workers spend most of their time: in "service", waiting for "input", or for
	// room behind, "output".
	Limit       string  `json:"limit"`
	Reliability float64 `json:"reliability"`

	CeilingPerSecond float64 `json:"ceiling_per_second"`
	MemoryBytes      float64 `json:"memory_bytes"`
	BusySeconds      float64 `json:"busy_seconds"`    // of all its workers, as the next two
	BlockedSeconds   float64 `json:"blocked_seconds"` // the next queue had no room
	IdleSeconds      float64 `json:"idle_seconds"`    // nothing to do

	// With memory_cap_bytes, for a stage that needs memory.
	BestBatch                *int     `json:"best_batch,omitempty"`
	BestBatchMakespanSeconds *float64 `json:"best_batch_makespan_seconds,omitempty"`
	BestBatchReason          string   `json:"best_batch_reason,omitempty"` // why there is none
}

// Answer simulates. The error is an *InputError.
func (s *Spec) Answer() (*Answer, error) {
	line, err := s.Line()
	if err != nil {
		return nil, err
	}
	r, err := Simulate(line)
	if err != nil {
		return nil, err
	}
	a := &Answer{
		MakespanSeconds: r.MakespanSeconds, ThroughputPerSecond: r.ThroughputPerSecond, LatencySeconds: s.latency(r.FirstLatencySeconds, r.SteadyLatencySeconds),
		Utilisation: r.Utilisation, Bubble: r.Bubble, Limit: r.Limit.Name, LimitKind: r.Limit.Kind, Reliability: 1,
		CeilingPerSecond: r.CeilingPerSecond, FirstLatencySeconds: r.FirstLatencySeconds, MeanLatencySeconds: r.MeanLatencySeconds,
		MeanInFlight: r.MeanInFlight,
	}
	for i := range r.Stages {
		stage := s.stageAnswer(i, &r.Stages[i])
		a.Reliability *= stage.Reliability
		a.MemoryBytes += stage.MemoryBytes
		a.Stages = append(a.Stages, stage)
	}
	s.addBestBatches(a, line)
	a.GoodputPerSecond = a.ThroughputPerSecond * a.Reliability
	return a, nil
}

// latency chooses the number that is called the latency: see Answer.
func (s *Spec) latency(first, steady float64) float64 {
	if s.InFlight > 0 {
		return steady
	}
	return first
}

func (s *Spec) stageAnswer(i int, r *StageResult) StageAnswer {
	return StageAnswer{
		Name: r.Name, Workers: r.Workers, Batch: r.Batch, MakespanSeconds: r.SpanSeconds,
		ThroughputPerSecond: r.ThroughputPerSecond, LatencySeconds: s.latency(r.FirstLatencySeconds, r.SteadyLatencySeconds),
		Utilisation: r.Utilisation, Bubble: r.Bubble, Limit: r.limit(), Reliability: s.Stages[i].Reliability,
		CeilingPerSecond: r.CeilingPerSecond, MemoryBytes: s.Stages[i].memory(r.Batch),
		BusySeconds: r.BusySeconds, BlockedSeconds: r.BlockedSeconds, IdleSeconds: r.IdleSeconds,
	}
}

// limit is where the workers of a stage spend most of their time.
func (r *StageResult) limit() string {
	switch {
	case r.BusySeconds >= r.IdleSeconds && r.BusySeconds >= r.BlockedSeconds:
		return "service"
	case r.BlockedSeconds > r.IdleSeconds:
		return "output"
	default:
		return "input"
	}
}

// addBestBatches sweeps the batch of each stage that the memory cap is for.
func (s *Spec) addBestBatches(a *Answer, line Line) {
	var capped []int
	for i := range s.Stages {
		if s.MemoryCapBytes > 0 && s.Stages[i].MemoryBytes > 0 {
			capped = append(capped, i)
		}
	}
	for _, i := range capped {
		most := s.Stages[i].largestBatch(s.MemoryCapBytes, s.Items)
		batch, makespan, err := bestBatch(line, i, most, maxSweep/len(capped))
		if err != nil {
			a.Stages[i].BestBatchReason = err.Error()
			continue
		}
		a.Stages[i].BestBatch, a.Stages[i].BestBatchMakespanSeconds = &batch, &makespan
	}
}
