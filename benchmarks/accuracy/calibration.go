package main

import (
	"fmt"
	"io"
	"math"
)

// A bin holds the placed reads of some mapping qualities.
type bin struct {
	low, high uint8
	reads     int
	wrong     int
	shared    int     // reads that every peer places wrong too; these are in no other number
	expected  float64 // errors that the qualities claim: the sum of 10^(-MAPQ/10)
}

// A calibration asks whether a mapping quality means what it says.
type calibration struct{ bins []bin }

func newCalibration() *calibration {
	return &calibration{[]bin{{low: 0, high: 0}, {low: 1, high: 2}, {low: 3, high: 9}, {low: 10, high: 19}, {low: 20, high: 29},
		{low: 30, high: 39}, {low: 40, high: 49}, {low: 50, high: 59}, {low: 60, high: 255}}}
}

// add takes a sample. A read that all peers place wrong is left out: its bases come from another
// copy as far as anyone can tell, because a variant or an error made them so.
func (c *calibration) add(ours outcomes, peers []outcomes) {
	for i, o := range ours {
		if !o.placedAt(0) {
			continue
		}
		b := c.binOf(o.MapQ)
		if sharedError(i, peers) {
			b.shared++
			continue
		}
		b.reads++
		b.expected += math.Pow(10, -float64(o.MapQ)/10)
		if o.Class == wrong {
			b.wrong++
		}
	}
}

func (c *calibration) binOf(mapQ uint8) *bin {
	for i := range c.bins {
		if mapQ <= c.bins[i].high {
			return &c.bins[i]
		}
	}
	panic("the last bin has no end")
}

func sharedError(i int, peers []outcomes) bool {
	for _, p := range peers {
		if p[i].Class != wrong {
			return false
		}
	}
	return true
}

func (b *bin) name() string {
	switch {
	case b.low == b.high:
		return fmt.Sprint(b.low)
	case b.high == 255:
		return fmt.Sprintf("%d", b.low)
	}
	return fmt.Sprintf("%d-%d", b.low, b.high)
}

func (b *bin) claimed() float64  { return b.expected / float64(b.reads) }
func (b *bin) observed() float64 { return float64(b.wrong) / float64(b.reads) }

// faults lists what a caller of variants would be misled by: errors more than three times as
// frequent as a quality of 10 to 49 claims, where 20 or more were to be expected, and a higher
// quality that is the worse one, beyond two standard deviations.
func (c *calibration) faults() []string {
	var found []string
	var before *bin
	for i := range c.bins {
		b := &c.bins[i]
		if b.reads == 0 {
			continue
		}
		if b.low >= 10 && b.low <= 40 && b.expected >= 20 && float64(b.wrong) > 3*b.expected {
			found = append(found, fmt.Sprintf("MAPQ %s: %.1f times the claimed errors", b.name(), float64(b.wrong)/b.expected))
		}
		if before != nil && rise(before, b) > 2 {
			found = append(found, fmt.Sprintf("MAPQ %s is wrong more often than MAPQ %s", b.name(), before.name()))
		}
		before = b
	}
	return found
}

// rise is how many standard deviations the errors of b are more frequent than those of a.
func rise(a, b *bin) float64 {
	p := float64(a.wrong+b.wrong) / float64(a.reads+b.reads)
	deviation := math.Sqrt(p * (1 - p) * (1/float64(a.reads) + 1/float64(b.reads)))
	if deviation == 0 {
		return 0
	}
	return (b.observed() - a.observed()) / deviation
}

func (c *calibration) write(w io.Writer, label string) error {
	_, err := fmt.Fprintf(w, "\n| MAPQ of %s | reads | claimed error | observed error | wrong | left out |\n|---|--:|--:|--:|--:|--:|\n", label)
	for i := range c.bins {
		b := &c.bins[i]
		if b.reads == 0 || err != nil {
			continue
		}
		_, err = fmt.Fprintf(w, "| %s | %d | %.2e | %.2e | %d | %d |\n", b.name(), b.reads, b.claimed(), b.observed(), b.wrong, b.shared)
	}
	return err
}
