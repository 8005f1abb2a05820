package model

import "math"

// Kinds of what limits a line.
const (
	LimitStage        = "stage"
	LimitResource     = "resource"
	LimitInFlight     = "in_flight"    // too few credits for the length of the line
	LimitArrivals     = "arrivals"     // items do not come faster
	LimitDependencies = "dependencies" // items that wait for items
	LimitSerial       = "serial"       // the parts before and after the line
)

// Bound is the least time that something leaves for a run, however well everything else goes.
type Bound struct {
	Kind string
	Name string // of the stage or resource; the kind for the others
	// Seconds is the least time.
	Seconds float64
	// PerSecond is the rate that it allows in the steady state: +Inf where it only costs time.
	PerSecond float64
}

// Bounds lists what limits the line, in the order stages, resources, the rest. Without contention
// no run is shorter than the largest of them; with contention they are for a line that is as full
// as its credits allow.
func (l Line) Bounds() ([]Bound, error) {
	if err := l.validate(); err != nil {
		return nil, err
	}
	source, err := newSource(&l)
	if err != nil {
		return nil, err
	}
	longest, err := source.chain()
	if err != nil {
		return nil, err
	}
	return l.bounds(longest), nil
}

func (l *Line) bounds(longest int) []Bound {
	all := l.stageBounds()
	all = append(all, l.resourceBounds()...)
	way := l.leastLatency()
	if l.InFlight > 0 && way > 0 {
		all = append(all, l.rateBound(LimitInFlight, LimitInFlight, float64(l.InFlight)/way))
	}
	if l.ArrivalSeconds > 0 {
		all = append(all, Bound{LimitArrivals, LimitArrivals, float64(l.Items-1)*l.ArrivalSeconds + way, 1 / l.ArrivalSeconds})
	}
	if longest > 1 {
		all = append(all, Bound{LimitDependencies, LimitDependencies, float64(longest) * way, math.Inf(1)})
	}
	if serial := l.SerialBeforeSeconds + l.SerialAfterSeconds; serial > 0 {
		all = append(all, Bound{LimitSerial, LimitSerial, serial, math.Inf(1)})
	}
	return all
}

// rateBound is the bound of something that lets so many items through per second.
func (l *Line) rateBound(kind, name string, perSecond float64) Bound {
	return Bound{kind, name, float64(l.Items) / perSecond, perSecond}
}

// fullest is the factor of contention when all credits are out. A line without credits is taken
// as one that never has more items than workers.
func (l *Line) fullest() float64 {
	return l.contention(min(l.InFlight, l.Items))
}

func (l *Line) stageBounds() []Bound {
	way := l.leastLatency()
	all := make([]Bound, 0, len(l.Stages)+4)
	for i := range l.Stages {
		s := &l.Stages[i]
		b := l.rateBound(LimitStage, s.Name, float64(s.workers())/l.demandOf(i))
		b.Seconds += way - s.service(1) // the first item has to come there, the last has to go on
		all = append(all, b)
	}
	return all
}

// demandOf is the time that an item takes of a worker, in full batches.
func (l *Line) demandOf(stage int) float64 {
	n := l.batchOf(stage)
	return l.Stages[stage].service(n) / float64(n) * l.fullest()
}

func (l *Line) resourceBounds() []Bound {
	var all []Bound
	for _, r := range l.Resources {
		demand, capacity := 0.0, 1.0
		if r.Kind == Cores {
			capacity = r.Capacity
		}
		for i := range l.Stages {
			if l.Stages[i].Resource == r.Name {
				demand += l.demandOf(i)
			}
		}
		if demand > 0 {
			all = append(all, l.rateBound(LimitResource, r.Name, capacity/demand))
		}
	}
	return all
}

// leastLatency is the time of an item that never waits, on average over the samples.
func (l *Line) leastLatency() float64 {
	sum := 0.0
	for i := range l.Stages {
		sum += l.Stages[i].service(1)
	}
	return sum
}

// largest is the bound that leaves most time for the run; the first of equals.
func largest(all []Bound) Bound {
	top := all[0]
	for _, b := range all[1:] {
		if b.Seconds > top.Seconds*(1+1e-12) {
			top = b
		}
	}
	return top
}

// ceiling is the lowest rate of those bounds whose kind is listed.
func ceiling(all []Bound, kinds ...string) float64 {
	lowest := math.Inf(1)
	for _, b := range all {
		for _, kind := range kinds {
			if b.Kind == kind {
				lowest = min(lowest, b.PerSecond)
			}
		}
	}
	return lowest
}
