package model

// latency sums the time of items in a stage, or in the line.
type latency struct {
	first   float64 // of the item that entered first
	sum     float64
	steady  float64 // sum over items of the steady state
	steadyN int
}

// tally is the account of a stage.
type tally struct {
	latency
	services           int
	firstStart, lastAt float64
	busy               float64 // worker seconds from start to end of services
	work               float64 // seconds of service asked for
	blocked            float64 // worker seconds waiting for room in the next queue
}

func (t *tally) begin(now float64) {
	if t.services == 0 {
		t.firstStart = now
	}
	t.services++
}

func (t *tally) end(j *job, now float64) {
	t.busy += now - j.begun
	t.work += j.demand
	t.lastAt = now
}

// passed books that an item leaves a stage.
func (t *tally) passed(f *flow, item int32, now float64) {
	t.add(f, item, now-f.since[item])
}

func (l *latency) add(f *flow, item int32, took float64) {
	l.sum += took
	if item == f.firstItem {
		l.first = took
	}
	if f.steady(item) {
		l.steady += took
		l.steadyN++
	}
}

// flow is the account of the line.
type flow struct {
	latency
	items     int
	entry     []float64 // per item: when it entered the line
	since     []float64 // per item: when it came into the queue of the stage that it is in
	firstItem int32

	inFlight, peak, entered, delivered int
	area, at                           float64 // integral of inFlight up to the time at

	firstAt  float64 // the first delivery
	firstN   int     // items delivered at that time
	windowAt float64 // the last delivery while items still entered
	windowN  int     // items delivered up to then
	lastAt   float64
}

func newFlow(items int) flow {
	times := make([]float64, 2*items)
	return flow{items: items, entry: times[:items], since: times[items:], firstItem: none}
}

// steady tells whether the line is neither filling, when the item entered, nor draining.
func (f *flow) steady(item int32) bool {
	return f.entered < f.items && f.firstN > 0 && f.entry[item] >= f.firstAt
}

func (f *flow) count(now float64, change int) {
	f.area += float64(f.inFlight) * (now - f.at)
	f.at = now
	f.inFlight += change
	f.peak = max(f.peak, f.inFlight)
}

func (f *flow) enter(item int32, now float64) {
	f.count(now, 1)
	f.entered++
	f.entry[item] = now
	if f.firstItem == none {
		f.firstItem = item
	}
}

func (f *flow) leave(item int32, now float64) {
	f.add(f, item, now-f.entry[item])
	f.count(now, -1)
	f.delivered++
	if f.firstN == 0 {
		f.firstAt = now
	}
	if now == f.firstAt {
		f.firstN++
	}
	if f.entered < f.items || now == f.windowAt { // a batch is delivered whole
		f.windowAt, f.windowN = now, f.delivered
	}
	f.lastAt = now
}

// rate is the deliveries per second once the line is full: after the first delivery, and while items
// still enter if that is half of the run at least.
func (f *flow) rate() float64 {
	at, n := f.lastAt, f.delivered
	if 2*(f.windowN-f.firstN) >= f.items {
		at, n = f.windowAt, f.windowN
	}
	if n == f.firstN {
		return perSecond(n, at)
	}
	return perSecond(n-f.firstN, at-f.firstAt)
}

// perSecond is 0 where there was no time to measure.
func perSecond(n int, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return float64(n) / seconds
}

// mean is the latency of the steady state, or of all n items where it was never reached.
func (l *latency) mean(n int) float64 {
	if l.steadyN > 0 {
		return l.steady / float64(l.steadyN)
	}
	return l.sum / float64(n)
}
