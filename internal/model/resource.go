package model

import "math"

// server is a resource in a running simulation.
type server struct {
	kind     Kind
	capacity float64
	work     float64 // seconds of service done, for the utilisation

	// Device: a request is served from the time the last one is.
	freeAt float64

	// Cores: n running services advance at the rate min(1, capacity/n). Virtual time is what a
	// service has got since the start, so a service that needs d ends at virtual time (now + d),
	// whoever comes or goes, and only the next end has to be known.
	running heap[event] // by virtual time
	virtual float64
	at      float64 // when virtual was brought up to date
}

func (s *server) rate() float64 { return min(1, s.capacity/float64(len(s.running))) }

// advance brings virtual time up to now.
func (s *server) advance(now float64) {
	if len(s.running) > 0 {
		s.virtual += s.rate() * (now - s.at)
	}
	s.at = now
}

// next is when the first running service ends if nobody comes or goes; +Inf when none runs.
func (s *server) next() float64 {
	if len(s.running) == 0 {
		return math.Inf(1)
	}
	return s.at + max(0, s.running[0].at-s.virtual)/s.rate()
}

// begin starts a service on cores.
func (s *server) begin(now, demand float64, e event) {
	s.advance(now)
	e.at = s.virtual + demand
	s.running.push(e)
}

// end takes the first service off the cores, which happens at the time of next.
func (s *server) end(now float64) event {
	s.advance(now)
	e := s.running.pop()
	s.virtual = max(s.virtual, e.at) // without the rounding of a division
	return e
}

// request takes a turn on a device and returns when it ends.
func (s *server) request(now, demand float64) float64 {
	s.freeAt = max(now, s.freeAt) + demand
	return s.freeAt
}
