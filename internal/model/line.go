package model

import (
	"fmt"
	"math"
	"slices"
)

const (
	// MaxWork bounds Items times stages, so that no input keeps the program busy for long: five
	// million take three seconds and some hundred megabytes.
	MaxWork = 5_000_000

	maxStages  = 1000
	maxSeconds = 1e9     // per service, arrival or serial part; more is a slip of units
	maxWorkers = 1e6     // of a stage; each that is busy takes memory
	maxCount   = 1 << 40 // queue, credits, batch
	maxFactor  = 1e6     // contention per item
)

// Kind tells how a resource serves those who share it.
type Kind int

const (
	// Cores are divided evenly among the running services; each gets one core at most.
	Cores Kind = iota
	// Device serves one request at a time, in the order of asking.
	Device
)

// Resource is something that stages share.
type Resource struct {
	Name string
	Kind Kind
	// Capacity is the number of cores, above 0; it may be broken, as a CPU quota is. A Device has
	// none: its speed is in the service times.
	Capacity float64
}

// Stage is a group of workers that do the same to every item.
type Stage struct {
	Name string
	// A service takes ServiceSeconds, and for each item of the batch PerItemSeconds and, where
	// there are Samples, one of those, drawn anew for each item. Samples are read, never written.
	ServiceSeconds float64
	PerItemSeconds float64
	Samples        []float64

	Workers int // 0 means 1
	Queue   int // items that can wait before the stage; 0 is no bound; never less than a batch
	Batch   int // items per service; 0 means 1
	// Resource names the resource that a service needs; empty where each worker brings its own.
	Resource string
}

// Line is a line of stages and the work it has to do.
type Line struct {
	Stages    []Stage // in the order in which an item meets them
	Resources []Resource
	Items     int
	// ArrivalSeconds lies between the arrivals of two items; 0 means that all are there at the start.
	ArrivalSeconds float64
	// Barrier makes each stage wait until the one before has done all items. Bounds of queues do
	// not apply then: everything has to lie between two stages.
	Barrier bool
	// InFlight is the number of credits: an item takes one on entering the line and gives it
	// back on leaving it. 0 is no limit.
	InFlight int
	// ContentionPerItem makes services longer when more items are in flight than there are workers in
	// the line: by the factor 1 + ContentionPerItem * (in flight - workers), at the start of a service.
	ContentionPerItem float64
	// Serial parts run alone, before and after everything else.
	SerialBeforeSeconds float64
	SerialAfterSeconds  float64
	// Needs are pairs (item, needed): the item enters the line after the needed one has left it;
	// others may overtake it meanwhile. Items count from 0.
	Needs [][2]int
	// Seed decides which samples are drawn.
	Seed uint64
	// Paired draws one sample number per item and uses it in all stages whose Samples are of the
	// same length: item costs that belong together stay together.
	Paired bool
}

// InputError says which key of a line is wrong.
type InputError struct {
	Key  string // as in the JSON, such as stages[1].workers
	What string
}

func (e *InputError) Error() string {
	if e.Key == "" {
		return e.What
	}
	return e.Key + ": " + e.What
}

func wrong(key, format string, args ...any) error {
	return &InputError{key, fmt.Sprintf(format, args...)}
}

// validate returns an *InputError for the first thing that is wrong.
func (l *Line) validate() error {
	if len(l.Stages) == 0 {
		return wrong("stages", "there is none")
	}
	if len(l.Stages) > maxStages {
		return wrong("stages", "%d; %d is the most", len(l.Stages), maxStages)
	}
	if l.Items < 1 {
		return wrong("items", "%d; at least 1 is needed", l.Items)
	}
	if l.Items > MaxWork/len(l.Stages) {
		return wrong("items", "%d in %d stages; items times stages may be %d at most", l.Items, len(l.Stages), MaxWork)
	}
	for _, v := range []struct {
		key   string
		value float64
		most  float64
	}{
		{"arrival_seconds", l.ArrivalSeconds, maxSeconds},
		{"serial_before_seconds", l.SerialBeforeSeconds, maxSeconds},
		{"serial_after_seconds", l.SerialAfterSeconds, maxSeconds},
		{"contention_per_item", l.ContentionPerItem, maxFactor},
		{"in_flight", float64(l.InFlight), maxCount},
	} {
		if err := inRange(v.key, v.value, v.most); err != nil {
			return err
		}
	}
	if err := l.validateStages(); err != nil {
		return err
	}
	return l.validateBarrier()
}

func (l *Line) validateBarrier() error {
	switch {
	case !l.Barrier:
		return nil
	case l.InFlight > 0 && l.InFlight < l.Items:
		return wrong("in_flight", "%d; with barriers all %d items are in flight at once", l.InFlight, l.Items)
	case len(l.Needs) > 0:
		return wrong("dependencies", "they cannot be met with barriers: no item leaves before all have entered")
	}
	return nil
}

func (l *Line) validateStages() error {
	known := map[string]bool{"": true}
	for _, r := range l.Resources {
		if known[r.Name] {
			return wrong("resources", "%q has no name of its own", r.Name)
		}
		if r.Kind == Cores && (math.IsNaN(r.Capacity) || r.Capacity <= 0 || r.Capacity > maxCount) {
			return wrong("resources", "%s: %v cores", r.Name, r.Capacity)
		}
		known[r.Name] = true
	}
	for i := range l.Stages {
		s := &l.Stages[i]
		if err := s.validate(fmt.Sprintf("stages[%d]", i)); err != nil {
			return err
		}
		if !known[s.Resource] {
			return wrong(fmt.Sprintf("stages[%d].resource", i), "there is no %q", s.Resource)
		}
	}
	return nil
}

func (s *Stage) validate(key string) error {
	for _, v := range []struct {
		key   string
		value float64
		most  float64
	}{
		{".service_seconds", s.ServiceSeconds, maxSeconds},
		{".service_per_item_seconds", s.PerItemSeconds, maxSeconds},
		{".workers", float64(s.Workers), maxWorkers},
		{".queue", float64(s.Queue), maxCount},
		{".batch", float64(s.Batch), maxCount},
	} {
		if err := inRange(key+v.key, v.value, v.most); err != nil {
			return err
		}
	}
	if len(s.Samples) == 0 {
		return nil
	}
	least, most := slices.Min(s.Samples), slices.Max(s.Samples) // NaN where there is one
	if err := inRange(key+".samples", least, maxSeconds); err != nil {
		return err
	}
	return inRange(key+".samples", most, maxSeconds)
}

func inRange(key string, value, most float64) error {
	switch {
	case math.IsNaN(value) || value < 0:
		return wrong(key, "%v; it cannot be less than 0", value)
	case value > most:
		return wrong(key, "%.10g; %.10g is the most", value, most)
	}
	return nil
}

func (s *Stage) workers() int { return max(1, s.Workers) }
func (s *Stage) batch() int   { return max(1, s.Batch) }

// service is the mean time of a service with n items, nobody in the way.
func (s *Stage) service(n int) float64 {
	return s.ServiceSeconds + float64(n)*(s.PerItemSeconds+mean(s.Samples))
}

func (l *Line) workers() int {
	n := 0
	for i := range l.Stages {
		n += l.Stages[i].workers()
	}
	return n
}

// contention is the factor on service times with n items in flight.
func (l *Line) contention(n int) float64 {
	return 1 + l.ContentionPerItem*float64(max(0, n-l.workers()))
}

func mean(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
