package main

import (
	"math"
	"slices"
	"testing"
)

func TestBinsMeetWithoutGaps(t *testing.T) {
	for _, c := range []struct {
		mapQ uint8
		want string
	}{
		{0, "0"}, {1, "1-2"}, {2, "1-2"}, {3, "3-9"}, {9, "3-9"}, {10, "10-19"}, {19, "10-19"}, {20, "20-29"}, {29, "20-29"},
		{30, "30-39"}, {39, "30-39"}, {40, "40-49"}, {49, "40-49"}, {50, "50-59"}, {59, "50-59"}, {60, "60"}, {255, "60"},
	} {
		if got := newCalibration().binOf(c.mapQ).name(); got != c.want {
			t.Errorf("MAPQ %d is in bin %s, want %s", c.mapQ, got, c.want)
		}
	}
}

func TestErrorsThatAllPeersMakeAreLeftOut(t *testing.T) {
	ours := outcomes{{Class: wrong, MapQ: 10}, {Class: wrong, MapQ: 20}, {Class: right, MapQ: 20}, {Class: right, MapQ: 20}, {Class: unmapped}, {}}
	first := outcomes{{Class: wrong}, {Class: wrong}, {Class: wrong}, {Class: right}, {Class: wrong}, {Class: wrong}}
	second := outcomes{{Class: wrong}, {Class: right}, {Class: wrong}, {Class: right}, {Class: wrong}, {Class: wrong}}
	c := newCalibration()
	c.add(ours, []outcomes{first, second})
	want := newCalibration()
	*want.binOf(10) = bin{low: 10, high: 19, shared: 1}
	*want.binOf(20) = bin{low: 20, high: 29, reads: 2, wrong: 1, shared: 1, expected: 0.02}
	for i, b := range c.bins {
		near := math.Abs(b.expected-want.bins[i].expected) < 1e-9
		b.expected = want.bins[i].expected
		if !near || b != want.bins[i] {
			t.Errorf("bin %s = %+v, want %+v", b.name(), c.bins[i], want.bins[i])
		}
	}
}

func TestAPromiseOfMapQFailsJustBeyondItsBound(t *testing.T) {
	for _, c := range []struct {
		name string
		bins []bin
		want []string
	}{
		{"no reads", []bin{{low: 10, high: 19}}, nil},
		{"three times the claim", []bin{{low: 10, high: 19, reads: 1000, expected: 20, wrong: 60}}, nil},
		{"over three times the claim", []bin{{low: 10, high: 19, reads: 1000, expected: 20, wrong: 61}},
			[]string{"MAPQ 10-19: 3.0 times the claimed errors"}},
		{"the last bin that is held to it", []bin{{low: 40, high: 49, reads: 1_000_000, expected: 25, wrong: 100}},
			[]string{"MAPQ 40-49: 4.0 times the claimed errors"}},
		{"too few expected to tell", []bin{{low: 10, high: 19, reads: 1000, expected: 19.9, wrong: 100}}, nil},
		{"below the range", []bin{{low: 3, high: 9, reads: 1000, expected: 200, wrong: 999}}, nil},
		{"above the range", []bin{{low: 50, high: 59, reads: 100_000_000, expected: 100, wrong: 1000}}, nil},
		{"falling", []bin{{low: 10, high: 19, reads: 1000, wrong: 9}, {low: 20, high: 29, reads: 1000, wrong: 5}}, nil},
		{"rising by chance", []bin{{low: 10, high: 19, reads: 1000, wrong: 5}, {low: 20, high: 29, reads: 1000, wrong: 9}}, nil},
		{"rising", []bin{{low: 10, high: 19, reads: 1000, wrong: 5}, {low: 20, high: 29, reads: 1000, wrong: 20}},
			[]string{"MAPQ 20-29 is wrong more often than MAPQ 10-19"}},
		{"rising over an empty bin", []bin{{low: 10, high: 19, reads: 1000, wrong: 0}, {low: 20, high: 29}, {low: 60, high: 255, reads: 1000, wrong: 20}},
			[]string{"MAPQ 60 is wrong more often than MAPQ 10-19"}},
		{"all right", []bin{{low: 10, high: 19, reads: 1000}, {low: 20, high: 29, reads: 1000}}, nil},
		{"all wrong", []bin{{low: 0, high: 0, reads: 10, wrong: 10}, {low: 1, high: 2, reads: 10, wrong: 10}}, nil},
	} {
		if got := (&calibration{c.bins}).faults(); !slices.Equal(got, c.want) {
			t.Errorf("%s: faults = %q, want %q", c.name, got, c.want)
		}
	}
}
