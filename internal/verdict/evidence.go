package verdict

import (
	"fmt"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// evidence puts the numbers behind the first limit into sentences.
func evidence(load Load, wall float64, v Verdict) []string {
	top := v.Limits[0]
	p := load.Phases[top.phase]
	where := fmt.Sprintf("%s phase, %s of wall", p.Name, percent(p.WallSeconds/wall))
	lines := []string{where + ": " + describe(top, p, load)}
	if top.Class == Startup {
		lines[0] = fmt.Sprintf("%s took %.1f s of %.1f s (%s)", p.Name, p.WallSeconds, wall, percent(p.WallSeconds/wall))
	}
	if !top.cores && top.Class != Startup {
		lines = append(lines, coresLine(p, load))
	}
	if s, ok := outside(p, load, top); ok {
		lines = append(lines, s)
	}
	if s, ok := load.Notes[top.Class]; ok {
		lines = append(lines, s)
	}
	if s, ok := waiter(p, top.Stage); ok {
		lines = append(lines, s)
	}
	if s, ok := offCPU(p); ok && v.Class == Undetermined {
		lines = append(lines, s)
	}
	return append(lines, runnerUp(v))
}

// describe says what one resource did in a phase.
func describe(l Limit, p Phase, load Load) string {
	s, cpus := l.station, load.CPUs
	switch {
	case l.cores:
		return fmt.Sprintf("%.2f of %.2f cores in use (%s); %s used %.1f of %.1f CPU-s%s",
			cpuSeconds(p)/p.WallSeconds, cpus, percent(cpuSeconds(p)/(cpus*p.WallSeconds)), s.Name, s.CPUSeconds, cpuSeconds(p), perItem(s))
	case l.Class == Memory:
		return fmt.Sprintf("%s had work for %.1f s and ran for %.1f s of it; %d page faults waited for a disk", s.Name, s.BusySeconds, s.CPUSeconds, p.Host.MajorFaults)
	case l.Class == Lock:
		return fmt.Sprintf("%d batches in flight are all that may be, and %s of the time all were in somebody's hands", p.InFlight, percent(l.Utilisation))
	case l.Class == Undetermined:
		return "no stage, device or core was busy enough to account for the time"
	case l.Class == Startup:
		return fmt.Sprintf("%s took %.1f s", p.Name, p.WallSeconds)
	case s.Kind == meter.KindCPU:
		return fmt.Sprintf("%s (%s) on a CPU %s of the time%s", s.Name, threads(s.Workers), percent(l.Utilisation), perItem(s))
	case s.Kind == meter.KindPipeRead || s.Kind == meter.KindPipeWrite:
		return fmt.Sprintf("%s blocked on the pipe for %.1f s of %.1f s (%s)%s", s.Name, s.BlockedSeconds, p.WallSeconds, percent(l.Utilisation), rate(s, p))
	default:
		return fmt.Sprintf("%s blocked in device calls for %.1f s of %.1f s (%s) by %s%s",
			s.Name, s.BlockedSeconds, p.WallSeconds, percent(l.Utilisation), threads(s.Workers), rate(s, p))
	}
}

// outside tells what the machine did beside the run where that is the verdict.
func outside(p Phase, load Load, top Limit) (string, bool) {
	if p.Host == nil {
		return "", false
	}
	switch top.Class {
	case Throttled:
		return fmt.Sprintf("the control group allows %.2f CPUs and stopped the run for %.1f s of %.1f s", load.QuotaCPUs, p.Host.ThrottledSeconds, p.WallSeconds), true
	case Neighbour:
		return fmt.Sprintf("other programs used %.2f of the %.2f CPUs that this one may run on", p.Host.OthersCPUSeconds/p.WallSeconds, max(load.HostCPUs, load.CPUs)), true
	}
	return "", false
}

func coresLine(p Phase, load Load) string {
	cpus := load.CPUs
	return fmt.Sprintf("cores: %.2f of %.2f in use (%s)", cpuSeconds(p)/p.WallSeconds, cpus, percent(cpuSeconds(p)/(cpus*p.WallSeconds)))
}

// waiter tells of the stage that waited longest for the limiting one, if any did.
func waiter(p Phase, stage string) (string, bool) {
	at := indexOf(p, stage)
	var best, share float64
	var line string
	for i, s := range p.Stations {
		if at < 0 || i == at || s.LifetimeSeconds <= 0 {
			continue
		}
		wait, what := s.WaitInSeconds, "for input"
		if i < at {
			wait, what = s.WaitOutSeconds, "for room downstream"
		}
		if share = wait / s.LifetimeSeconds; share > best {
			best, line = share, fmt.Sprintf("%s waited %s %s of its time", s.Name, what, percent(share))
		}
	}
	return line, best >= 0.05
}

// offCPU tells of the stage that had work and no CPU for the longest time: other programs, page
// faults and too many threads look like this.
func offCPU(p Phase) (line string, ok bool) {
	var most float64
	for _, s := range p.Stations {
		if lost := s.BusySeconds - s.CPUSeconds; s.Kind == meter.KindCPU && lost > most {
			most = lost
			line = fmt.Sprintf("%s had work for %.1f s and was on a CPU for %.1f s of it: something else had the CPU, or memory was slow",
				s.Name, s.BusySeconds, s.CPUSeconds)
		}
	}
	return line, most > 0.1*p.WallSeconds
}

// runnerUp says what comes next, and what removing the first limit could bring.
func runnerUp(v Verdict) string {
	if len(v.Limits) < 2 || v.Limits[1].Elasticity < 0.01 {
		return fmt.Sprintf("share of the run time: %s %s, nothing else above 1 %%", label(v.Limits[0]), percent(v.Limits[0].Elasticity))
	}
	a, b := v.Limits[0], v.Limits[1]
	line := fmt.Sprintf("share of the run time: %s %s, then %s %s", label(a), percent(a.Elasticity), label(b), percent(b.Elasticity))
	if a.phase == b.phase && b.Utilisation > 0 && a.Utilisation > b.Utilisation {
		line += fmt.Sprintf(" (the next limit, at %+.0f %%)", 100*(a.Utilisation/b.Utilisation-1))
	}
	return line
}

// contradictions lists witnesses against the verdict.
func contradictions(load Load, v Verdict) []string {
	top := v.Limits[0]
	p := load.Phases[top.phase]
	at := indexOf(p, top.Stage)
	if at < 0 || top.cores || v.Class == Balanced {
		return nil
	}
	for _, s := range p.Stations[at+1:] { // a bottleneck starves what is behind it
		if s.Kind == meter.KindCPU && s.LifetimeSeconds > 0 && s.Batches > 0 {
			if share := s.WaitInSeconds / s.LifetimeSeconds; share < 0.05 {
				return []string{fmt.Sprintf("%s, behind it, waited for input only %s of its time", s.Name, percent(share))}
			}
			return nil
		}
	}
	return nil
}

func indexOf(p Phase, stage string) int {
	for i, s := range p.Stations {
		if s.Name == stage {
			return i
		}
	}
	return -1
}

func label(l Limit) string {
	if l.Class == Undetermined {
		return unexplained
	}
	return fmt.Sprintf("%s (%s)", l.Class, l.Stage)
}

func perItem(s Station) string {
	if s.Items == 0 {
		return ""
	}
	return fmt.Sprintf(", %.2f us per item", 1e6*s.CPUSeconds/float64(s.Items))
}

func rate(s Station, p Phase) string {
	if s.Bytes == 0 {
		return ""
	}
	return fmt.Sprintf(", %.1f MB/s", float64(s.Bytes)/1e6/p.WallSeconds)
}

func threads(n int) string {
	if n == 1 {
		return "1 thread"
	}
	return fmt.Sprintf("%d threads", n)
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }
