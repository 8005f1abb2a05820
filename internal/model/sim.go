package model

import (
	"fmt"
	"math"
)

const none = -1 // no item, no job, no resource

// chainOf is a queue of items or jobs that are linked through a next field, each in one queue at a
// time: no queue allocates.
type chainOf struct {
	head, tail int32
	n          int
}

// job is a service, from its start until all its items are in the next queue.
type job struct {
	stage  int32
	next   int32   // in a list of blocked or of unused jobs
	items  chainOf // linked by sim.next
	begun  float64
	demand float64
	ended  float64 // when it became blocked
}

// station is a stage in a running simulation.
type station struct {
	*Stage
	batch    int
	capacity int // of the queue; MaxInt where it has no bound
	idle     int // workers
	resource int // in sim.servers, or none

	queue   chainOf // items
	blocked chainOf // jobs that could not hand over
	taken   int     // items that have come into the queue
	done    int     // items served
	tally   tally
}

// sim is one run. Time is in seconds from the start of the line, serial parts left out.
type sim struct {
	line     *Line
	stations []station
	servers  []server
	source   *source

	now    float64
	wake   float64     // arrival that is awaited; negative: none
	events heap[event] // services that end at a known time
	seq    uint64

	next   []int32 // per item: the next in its queue or batch
	jobs   []job
	unused int32 // list of jobs

	limit   int // credits
	workers int
	flow    flow
}

// Simulate runs the line. The error is an *InputError.
func Simulate(l Line) (Result, error) {
	if err := l.validate(); err != nil {
		return Result{}, err
	}
	source, err := newSource(&l)
	if err != nil {
		return Result{}, err
	}
	longest, err := source.chain()
	if err != nil {
		return Result{}, err
	}
	s := newSim(&l, source)
	s.pump(0)
	for s.flow.delivered < l.Items {
		s.step()
	}
	return s.result(longest), nil
}

// Sequence runs lines one after the other: each starts when the one before has done all. It
// returns a result for each and the time of all.
func Sequence(lines ...Line) (results []Result, makespanSeconds float64, err error) {
	for i, l := range lines {
		r, err := Simulate(l)
		if err != nil {
			return nil, 0, fmt.Errorf("phase %d: %w", i+1, err)
		}
		results = append(results, r)
		makespanSeconds += r.MakespanSeconds
	}
	return results, makespanSeconds, nil
}

func newSim(l *Line, source *source) *sim {
	s := &sim{line: l, source: source, wake: -1, unused: none, workers: l.workers(),
		stations: make([]station, len(l.Stages)), servers: make([]server, len(l.Resources)),
		next: make([]int32, l.Items), flow: newFlow(l.Items), limit: l.InFlight}
	if s.limit == 0 {
		s.limit = math.MaxInt
	}
	index := map[string]int{"": none}
	for i, r := range l.Resources {
		s.servers[i] = server{kind: r.Kind, capacity: r.Capacity}
		index[r.Name] = i
	}
	for i := range l.Stages {
		stage := &l.Stages[i]
		st := station{Stage: stage, batch: l.batchOf(i), capacity: math.MaxInt,
			idle: stage.workers(), resource: index[stage.Resource]}
		if stage.Queue > 0 && !l.Barrier {
			st.capacity = max(stage.Queue, st.batch)
		}
		s.stations[i] = st
	}
	return s
}

// batchOf is the batch of a stage as it can come together.
func (l *Line) batchOf(stage int) int {
	b := min(l.Stages[stage].batch(), l.Items)
	if l.InFlight > 0 {
		b = min(b, l.InFlight)
	}
	return b
}

// step moves on to the next event.
func (s *sim) step() {
	at, from := math.Inf(1), none
	if s.wake >= 0 {
		at = s.wake
	}
	if len(s.events) > 0 && s.events[0].at < at {
		at, from = s.events[0].at, len(s.servers)
	}
	for i := range s.servers {
		if t := s.servers[i].next(); t < at {
			at, from = t, i
		}
	}
	if math.IsInf(at, 1) {
		s.flush()
		return
	}
	s.now = max(s.now, at)
	switch {
	case from == none:
		s.wake = -1
		s.pump(0)
	case from == len(s.servers):
		s.finish(s.events.pop().job)
	default:
		s.finish(s.servers[from].end(s.now).job)
	}
}

// flush starts a batch that is not full: nothing moves any more, so nothing would ever fill it.
func (s *sim) flush() {
	for i := len(s.stations) - 1; i >= 0; i-- {
		if st := &s.stations[i]; st.queue.n > 0 && st.idle > 0 && s.open(i) {
			s.start(i, min(st.batch, st.queue.n))
			s.settle(i)
			return
		}
	}
	panic("model: a line without circles of dependencies stood still")
}

// finish ends a service: its items go on, and what that makes room for follows.
func (s *sim) finish(id int32) {
	j := &s.jobs[id]
	i := int(j.stage)
	st := &s.stations[i]
	st.tally.end(j, s.now)
	st.done += j.items.n
	j.ended = s.now
	switch {
	case i == len(s.stations)-1:
		s.deliver(j)
		s.release(id)
		s.enter() // with the credits, or after needed items, before anything starts
	case s.handOver(id):
		s.release(id)
	default:
		s.pushJob(&st.blocked, id)
	}
	s.settle(i)
	if i == len(s.stations)-1 {
		s.pump(0)
	}
}

// settle starts what can start after a change at stage i, the later stages first: taking from a
// queue makes room for the stage before.
func (s *sim) settle(i int) {
	for k := min(i+1, len(s.stations)-1); k >= 0; k-- {
		if changed := s.pump(k); !changed && k < i {
			return
		}
	}
}

// pump fills the queue of a stage and starts services for as long as either is possible.
func (s *sim) pump(i int) (changed bool) {
	for {
		filled, started := s.fill(i), s.startAll(i)
		if !filled && !started {
			return changed
		}
		changed = true
	}
}

func (s *sim) startAll(i int) (started bool) {
	st := &s.stations[i]
	for st.idle > 0 && s.open(i) && st.queue.n > 0 {
		n := min(st.batch, st.queue.n)
		if n < st.batch && st.taken < s.line.Items {
			break
		}
		s.start(i, n)
		started = true
	}
	return started
}

// open tells whether a stage may work: with barriers, when the one before has done all.
func (s *sim) open(i int) bool {
	return i == 0 || !s.line.Barrier || s.stations[i-1].done == s.line.Items
}

// fill moves items into the queue of a stage: from the source, or from blocked workers.
func (s *sim) fill(i int) (filled bool) {
	if i == 0 {
		return s.enter()
	}
	before := &s.stations[i-1]
	for before.blocked.n > 0 && s.room(i) > 0 {
		id := before.blocked.head
		filled = true
		if !s.handOver(id) {
			break
		}
		before.blocked.head = s.jobs[id].next
		before.blocked.n--
		s.release(id)
	}
	return filled
}

func (s *sim) room(i int) int { return s.stations[i].capacity - s.stations[i].queue.n }

// enter lets items into the line while there are credits, room, and items.
func (s *sim) enter() (entered bool) {
	for s.flow.inFlight < s.limit && s.room(0) > 0 {
		item, wake, ok := s.source.take(s.now)
		if !ok {
			s.wake = wake
			break
		}
		s.flow.enter(item, s.now)
		s.push(0, item)
		entered = true
	}
	return entered
}

// push puts an item into the queue of a stage.
func (s *sim) push(i int, item int32) {
	st := &s.stations[i]
	s.flow.since[item] = s.now
	s.next[item] = none
	if st.queue.n == 0 {
		st.queue.head = item
	} else {
		s.next[st.queue.tail] = item
	}
	st.queue.tail = item
	st.queue.n++
	st.taken++
}

// start takes n items and begins a service.
func (s *sim) start(i, n int) {
	st := &s.stations[i]
	id := s.newJob()
	j := &s.jobs[id]
	*j = job{stage: int32(i), next: none, begun: s.now, items: s.takeItems(st, n)}
	st.idle--
	j.demand = s.demand(i, j)
	st.tally.begin(s.now)
	s.serve(st, event{job: id, seq: s.seq}, j.demand)
	s.seq++
}

func (s *sim) takeItems(st *station, n int) chainOf {
	items := chainOf{head: st.queue.head, tail: st.queue.head, n: n}
	for range n - 1 {
		items.tail = s.next[items.tail]
	}
	st.queue.head = s.next[items.tail]
	st.queue.n -= n
	return items
}

// serve books the end of a service.
func (s *sim) serve(st *station, e event, demand float64) {
	if st.resource == none {
		e.at = s.now + demand
		s.events.push(e)
		return
	}
	server := &s.servers[st.resource]
	server.work += demand
	if server.kind == Cores {
		server.begin(s.now, demand, e)
		return
	}
	e.at = server.request(s.now, demand)
	s.events.push(e)
}

// demand is what a service asks for, contention included.
func (s *sim) demand(i int, j *job) float64 {
	st := &s.stations[i]
	d := st.ServiceSeconds + float64(j.items.n)*st.PerItemSeconds
	if len(st.Samples) > 0 {
		for item, n := j.items.head, j.items.n; n > 0; n-- {
			d += s.sample(i, item)
			item = s.next[item]
		}
	}
	if s.line.ContentionPerItem > 0 {
		d *= 1 + s.line.ContentionPerItem*float64(max(0, s.flow.inFlight-s.workers))
	}
	return d
}

// sample draws the cost of an item in a stage.
func (s *sim) sample(i int, item int32) float64 {
	samples := s.stations[i].Samples
	key := uint64(item)
	if !s.line.Paired {
		key |= uint64(i+1) << 32
	}
	return samples[mix(mix(s.line.Seed)^key)%uint64(len(samples))]
}

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood 2014): every bit depends on every bit.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// handOver moves the items of a job into the next queue and reports whether all fitted.
func (s *sim) handOver(id int32) bool {
	j := &s.jobs[id]
	i := int(j.stage)
	for j.items.n > 0 && s.room(i+1) > 0 {
		item := j.items.head
		j.items.head = s.next[item]
		j.items.n--
		s.stations[i].tally.passed(&s.flow, item, s.now)
		s.push(i+1, item)
	}
	return j.items.n == 0
}

// deliver takes the items of a job out of the line.
func (s *sim) deliver(j *job) {
	for ; j.items.n > 0; j.items.n-- {
		item := j.items.head
		j.items.head = s.next[item]
		s.stations[j.stage].tally.passed(&s.flow, item, s.now)
		s.flow.leave(item, s.now)
		s.source.left(item)
	}
}

// release frees the worker of a job that has no items left and is in no list.
func (s *sim) release(id int32) {
	j := &s.jobs[id]
	st := &s.stations[j.stage]
	st.tally.blocked += s.now - j.ended
	st.idle++
	j.next = s.unused
	s.unused = id
}

func (s *sim) newJob() int32 {
	if s.unused == none {
		s.jobs = append(s.jobs, job{})
		return int32(len(s.jobs) - 1)
	}
	id := s.unused
	s.unused = s.jobs[id].next
	return id
}

func (s *sim) pushJob(list *chainOf, id int32) {
	s.jobs[id].next = none
	if list.n == 0 {
		list.head = id
	} else {
		s.jobs[list.tail].next = id
	}
	list.tail = id
	list.n++
}
