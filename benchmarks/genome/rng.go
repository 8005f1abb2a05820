package main

import "math"

// rng is splitmix64: small, quick, and the same everywhere.
type rng struct{ state uint64 }

func (r *rng) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	x := r.state
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below returns a number in [0, n).
func (r *rng) below(n int) int { return int((r.next() >> 32) * uint64(n) >> 32) }

// float returns a number in [0, 1).
func (r *rng) float() float64 { return float64(r.next()>>11) / (1 << 53) }

// spread returns a whole number in [low, high], uniform on the logarithmic scale.
func (r *rng) spread(low, high int) int {
	return int(float64(low) * math.Exp(r.float()*math.Log(float64(high)/float64(low))))
}

// exp returns a whole number of the given mean, exponentially distributed.
func (r *rng) exp(mean float64) int { return int(-mean * math.Log(1-r.float())) }
