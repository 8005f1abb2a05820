package model

// Result is what a run did. Times are in seconds; utilisations and the bubble are shares from 0 to 1.
type Result struct {
	Items int
	// MakespanSeconds is the time of everything, serial parts included.
	MakespanSeconds float64
	// ThroughputPerSecond is the rate of deliveries once the line is full, and until it begins to
	// drain where the run is long enough; with barriers that is items over the time of the line.
	ThroughputPerSecond float64
	// CeilingPerSecond is the rate that stages, resources and credits allow: 1/P of the slowest.
	// +Inf where nothing takes time.
	CeilingPerSecond float64
	// FirstLatencySeconds is the time in the line of the item that entered first; MeanLatencySeconds
	// of all; SteadyLatencySeconds of those that entered after the first delivery and left before the
	// last entry (of all, where there are none).
	FirstLatencySeconds, MeanLatencySeconds, SteadyLatencySeconds float64
	// MeanInFlight is over the time of the line, without serial parts: items * MeanLatencySeconds
	// / LineSeconds, by Little's law, but counted, not computed.
	MeanInFlight float64
	PeakInFlight int
	LineSeconds  float64 // the makespan without serial parts
	Utilisation  float64 // service time over the time of all workers
	// Bubble is the part of the makespan in which the slowest stage, or resource, need not have
	// rested: filling, draining, waiting for items, serial parts.
	Bubble    float64
	Limit     Bound // what leaves most time for the run
	Bounds    []Bound
	Stages    []StageResult
	Resources []ResourceResult
}

// StageResult is the account of a stage. BusySeconds, BlockedSeconds and IdleSeconds are summed over
// the workers and add up to workers times Result.LineSeconds.
type StageResult struct {
	Name     string
	Workers  int
	Batch    int // as used: no larger than items and credits allow
	Services int
	// SpanSeconds is from the start of the first service to the end of the last.
	SpanSeconds         float64
	ThroughputPerSecond float64 // items over SpanSeconds
	CeilingPerSecond    float64
	// From coming into the queue of the stage to leaving the stage, as in Result.
	FirstLatencySeconds, MeanLatencySeconds, SteadyLatencySeconds float64

	BusySeconds    float64 // in a service; waiting for its share of a resource counts
	WorkSeconds    float64 // the services alone
	BlockedSeconds float64 // holding items for which the next queue had no room
	IdleSeconds    float64 // waiting for items
	Utilisation    float64 // WorkSeconds over workers times makespan
	Bubble         float64 // the rest
}

// ResourceResult is the account of a resource.
type ResourceResult struct {
	Name             string
	WorkSeconds      float64
	CeilingPerSecond float64
	Utilisation      float64 // WorkSeconds over capacity times makespan
}

func (s *sim) result(longest int) Result {
	l, f := s.line, &s.flow
	bounds := l.bounds(longest)
	r := Result{
		Items:               l.Items,
		LineSeconds:         f.lastAt,
		MakespanSeconds:     l.SerialBeforeSeconds + f.lastAt + l.SerialAfterSeconds,
		CeilingPerSecond:    ceiling(bounds, LimitStage, LimitResource, LimitInFlight),
		FirstLatencySeconds: f.first, MeanLatencySeconds: f.sum / float64(l.Items),
		SteadyLatencySeconds: f.latency.mean(l.Items),
		PeakInFlight:         f.peak,
		Limit:                largest(bounds), Bounds: bounds,
	}
	rate := f.rate()
	if l.Barrier {
		rate = perSecond(l.Items, f.lastAt)
	}
	// in a short window more may be delivered than was made in it
	r.ThroughputPerSecond = min(rate, r.CeilingPerSecond)
	r.MeanInFlight = ratio(f.area, f.lastAt)
	pace := ceiling(bounds, LimitStage, LimitResource)
	r.Bubble = max(0, 1-ratio(float64(l.Items)/pace, r.MakespanSeconds))
	work := 0.0
	for i := range s.stations {
		r.Stages = append(r.Stages, s.stageResult(i, r.MakespanSeconds, bounds[i]))
		work += r.Stages[i].WorkSeconds
	}
	r.Utilisation = share(work, float64(s.workers)*r.MakespanSeconds)
	r.Resources = s.resourceResults(r.MakespanSeconds, bounds)
	return r
}

func (s *sim) stageResult(i int, makespan float64, bound Bound) StageResult {
	st := &s.stations[i]
	t := &st.tally
	n := s.line.Items
	r := StageResult{
		Name: st.Name, Workers: st.workers(), Batch: st.batch, Services: t.services,
		SpanSeconds: t.lastAt - t.firstStart, CeilingPerSecond: bound.PerSecond,
		FirstLatencySeconds: t.first, MeanLatencySeconds: t.sum / float64(n), SteadyLatencySeconds: t.mean(n),
		BusySeconds: t.busy, WorkSeconds: t.work, BlockedSeconds: t.blocked,
	}
	workers := float64(r.Workers)
	r.ThroughputPerSecond = min(perSecond(n, r.SpanSeconds), r.CeilingPerSecond)
	r.IdleSeconds = max(0, workers*s.flow.lastAt-t.busy-t.blocked)
	r.Utilisation = share(t.work, workers*makespan)
	r.Bubble = 1 - r.Utilisation
	return r
}

func (s *sim) resourceResults(makespan float64, bounds []Bound) []ResourceResult {
	var all []ResourceResult
	for i, r := range s.line.Resources {
		capacity := 1.0
		if r.Kind == Cores {
			capacity = r.Capacity
		}
		out := ResourceResult{Name: r.Name, WorkSeconds: s.servers[i].work,
			Utilisation: share(s.servers[i].work, capacity*makespan)}
		for _, b := range bounds {
			if b.Kind == LimitResource && b.Name == r.Name {
				out.CeilingPerSecond = b.PerSecond
			}
		}
		all = append(all, out)
	}
	return all
}

// share is a ratio that rounding cannot lift above 1.
func share(part, whole float64) float64 { return min(1, ratio(part, whole)) }

// ratio is 0 where the whole is.
func ratio(part, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	return part / whole
}
