package meter

import "sync"

// Flight counts what is between two points of the line: how many at a time, and for how long. Little's
// law holds for it: the mean number is the rate times the mean stay. A nil *Flight counts nothing.
type Flight struct {
	mu              sync.Mutex
	inside          int64
	entered, left   int64
	changedNS       int64 // when inside changed last
	firstNS, lastNS int64
	insideNS        int64 // inside, summed over time
	stayNS          int64 // of those that have left
}

// Enter counts one in, and returns the time that Leave wants.
func (f *Flight) Enter() int64 {
	if f == nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.step()
	if f.firstNS == 0 {
		f.firstNS = now
	}
	f.inside++
	f.entered++
	return now
}

// Leave counts out one that entered at that time.
func (f *Flight) Leave(entered int64) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.step()
	f.inside--
	f.left++
	f.stayNS += now - entered
	f.lastNS = now
}

// step brings the sum over time up to now.
func (f *Flight) step() int64 {
	now := nowNS()
	f.insideNS += f.inside * (now - f.changedNS)
	f.changedNS = now
	return now
}

// FlightSnapshot is the account of a Flight.
type FlightSnapshot struct {
	Limit         int // of how many may be inside; 0 where none is known
	Entered, Left int64
	MeanInside    float64 // from the first entry to the last exit
	MeanStayNS    float64 // of those that have left
	SpanNS        int64   // from the first entry to the last exit
	FirstNS       int64   // when the first entered, by the clock of [Now]; 0: none has
}

// Stats reads the account.
func (f *Flight) Stats() FlightSnapshot {
	if f == nil {
		return FlightSnapshot{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := FlightSnapshot{Entered: f.entered, Left: f.left, SpanNS: f.lastNS - f.firstNS, FirstNS: f.firstNS}
	if f.left > 0 {
		s.MeanStayNS = float64(f.stayNS) / float64(f.left)
	}
	if s.SpanNS > 0 {
		s.MeanInside = float64(f.insideNS) / float64(s.SpanNS)
	}
	return s
}

// LittleResidual is by how much the mean number differs from rate times mean stay, as a share of it:
// 0 when all that came has left.
func (s FlightSnapshot) LittleResidual() float64 {
	if s.Left == 0 || s.SpanNS <= 0 || s.MeanInside == 0 {
		return 0
	}
	rate := float64(s.Left) / float64(s.SpanNS)
	return rate*s.MeanStayNS/s.MeanInside - 1
}
