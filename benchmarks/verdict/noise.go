package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// What a slot may suffer from others. More, and its time says something about them.
const (
	maxOthers = 0.05 // of all CPUs
	maxSteal  = 0.02

	quietWindow   = 300 * time.Millisecond
	quietPatience = 30 * time.Second
	// tick is the unit of /proc/stat and /proc/PID/stat, on every Linux that Go runs on.
	tick = 10 * time.Millisecond
)

// cpuTimes is /proc/stat's account of all CPUs together. Waiting for I/O is idleness.
type cpuTimes struct{ busy, steal time.Duration }

func (c cpuTimes) sub(earlier cpuTimes) cpuTimes {
	return cpuTimes{c.busy - earlier.busy, c.steal - earlier.steal}
}

// machineTimes reads the account.
func machineTimes() (cpuTimes, error) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return cpuTimes{}, err
	}
	return parseStat(string(data))
}

// parseStat adds up the first line: cpu user nice system idle iowait irq softirq steal guest guest_nice.
// Guests are in user and nice already.
func parseStat(stat string) (t cpuTimes, err error) {
	line, _, _ := strings.Cut(stat, "\n")
	f := strings.Fields(line)
	if len(f) < 9 || f[0] != "cpu" {
		return t, errors.New("/proc/stat: no line of all CPUs")
	}
	for i, busy := range []bool{true, true, true, false, false, true, true, false} {
		ticks, err := strconv.ParseInt(f[i+1], 10, 64)
		if err != nil {
			return t, fmt.Errorf("/proc/stat: %w", err)
		}
		if busy {
			t.busy += time.Duration(ticks) * tick
		}
	}
	steal, err := strconv.ParseInt(f[8], 10, 64)
	t.steal = time.Duration(steal) * tick
	return t, err
}

// processCPU is what a process has used so far, 0 when it is no more.
func processCPU(pid int) time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	return parseProcessStat(string(data))
}

// parseProcessStat adds user and system time, fields 14 and 15. The name, field 2, may hold anything.
func parseProcessStat(stat string) time.Duration {
	f := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(f) < 13 {
		return 0
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	if errors.Join(err1, err2) != nil {
		return 0
	}
	return time.Duration(user+system) * tick
}

// Noise is what the machine did for others during a slot.
type Noise struct {
	Others float64 `json:"others"` // share of all CPUs
	Steal  float64 `json:"steal"`
}

// noiseOf compares what the machine did with what is known to be ours.
func noiseOf(machine cpuTimes, own, wall time.Duration, cpus int) Noise {
	all := float64(wall) * float64(cpus)
	if all <= 0 {
		return Noise{}
	}
	return Noise{Others: max(0, float64(machine.busy-own)/all), Steal: float64(machine.steal) / all}
}

// tooMuch says why a slot does not count, or "". Clocks that tick have an error of some ticks, which in a
// short slot is a large share: it is allowed for.
func (n Noise) tooMuch(wall time.Duration, cpus int) string {
	slack := 4 * float64(tick) / (float64(wall) * float64(cpus))
	switch {
	case n.Others > maxOthers+slack:
		return fmt.Sprintf("others used %.1f %% of the CPUs", 100*n.Others)
	case n.Steal > maxSteal+slack:
		return fmt.Sprintf("%.1f %% were stolen", 100*n.Steal)
	}
	return ""
}

// waitQuiet returns when nobody uses the machine, or when it has had enough patience: how long it
// waited, and whether it is quiet.
func waitQuiet(ctx context.Context, cpus int) (waited time.Duration, quiet bool, err error) {
	for start := time.Now(); ; {
		before, err := machineTimes()
		if err != nil {
			return 0, false, err
		}
		begun := time.Now()
		if err := sleep(ctx, quietWindow); err != nil {
			return 0, false, err
		}
		after, err := machineTimes()
		if err != nil {
			return 0, false, err
		}
		n := noiseOf(after.sub(before), 0, time.Since(begun), cpus)
		waited = time.Since(start)
		if n.tooMuch(time.Since(begun), cpus) == "" {
			return waited, true, nil
		}
		if waited > quietPatience {
			return waited, false, nil
		}
	}
}

// sleep is time.Sleep that ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
