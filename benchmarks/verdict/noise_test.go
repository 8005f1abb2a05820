package main

import (
	"bytes"
	"io"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	got, err := parseStat("cpu  100 20 30 4000 500 6 7 8 50 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n")
	if want := (cpuTimes{busy: 163 * tick, steal: 8 * tick}); err != nil || got != want {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{"", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 x 4 5 6 7 8 9 10"} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestParseProcessStat(t *testing.T) {
	line := "1234 (a) b (c) R 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 1 0 100"
	if got := parseProcessStat(line); got != 300*tick {
		t.Errorf("%v, want %v", got, 300*tick)
	}
	for _, bad := range []string{"", "1234 (a) R 1", "1 (a) R 1 2 3 4 5 6 7 8 9 10 x y 0"} {
		if got := parseProcessStat(bad); got != 0 {
			t.Errorf("%q gives %v", bad, got)
		}
	}
}

func TestNoise(t *testing.T) {
	second := time.Second
	tests := []struct {
		name    string
		machine cpuTimes
		own     time.Duration
		rejects bool
	}{
		{"all of it is ours", cpuTimes{busy: 4 * second}, 4 * second, false},
		{"a little is not", cpuTimes{busy: 4*second + 150*time.Millisecond}, 4 * second, false},
		{"a tenth is not", cpuTimes{busy: 4 * second}, 3600 * time.Millisecond, true},
		{"others and a run that waits", cpuTimes{busy: 2 * second}, 0, true},
		{"ticks that were late", cpuTimes{busy: 3 * second}, 3100 * time.Millisecond, false},
		{"stolen", cpuTimes{busy: second, steal: 200 * time.Millisecond}, second, true},
		{"a little stolen", cpuTimes{busy: second, steal: 50 * time.Millisecond}, second, false},
	}
	for _, tt := range tests {
		n := noiseOf(tt.machine, tt.own, 2*second, 2)
		if got := n.tooMuch(2*second, 2) != ""; got != tt.rejects {
			t.Errorf("%s: %+v, rejected %v, want %v", tt.name, n, got, tt.rejects)
		}
	}
	// What one tick is says little about a slot of a few.
	if n := noiseOf(cpuTimes{busy: 4 * tick}, 0, 100*time.Millisecond, 2); n.tooMuch(100*time.Millisecond, 2) != "" {
		t.Errorf("%+v in a tenth of a second was rejected", n)
	}
}

func TestMove(t *testing.T) {
	data := bytes.Repeat([]byte("reads"), 40_000) // 200 kB
	var out bytes.Buffer
	start := time.Now()
	if err := move(&out, bytes.NewReader(data), 2e6); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 80*time.Millisecond {
		t.Errorf("200 kB at 2 MB/s took %v", took)
	}
	if !bytes.Equal(out.Bytes(), data) {
		t.Error("the data changed")
	}
	if err := move(io.Discard, bytes.NewReader(data), 0); err != nil {
		t.Fatal(err)
	}
}
