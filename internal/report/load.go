package report

import (
	"fmt"

	"github.com/alignpipe/alignpipe/internal/host"
	"github.com/alignpipe/alignpipe/internal/verdict"
)

// loadOf puts a run in the words of package verdict.
func loadOf(run Run, unclosed []string) verdict.Load {
	load := verdict.Load{CPUs: run.CPUs.Limit(), Threads: run.CPUs.Threads, HostCPUs: run.CPUs.Host, QuotaCPUs: run.CPUs.Quota,
		Phases: []verdict.Phase{}, Unclosed: nonNil(unclosed), Doubts: []string{}}
	load.Notes = notes(run)
	for _, p := range run.Phases {
		phase := spanOf(p.Span)
		phase.Name, phase.Startup, phase.InFlight = p.Name, p.Startup, p.InFlight
		for _, w := range p.Windows {
			phase.Windows = append(phase.Windows, spanOf(w))
		}
		load.Phases = append(load.Phases, phase)
	}
	return load
}

func spanOf(s Span) verdict.Phase {
	p := verdict.Phase{WallSeconds: s.Wall.Seconds(), ProcessCPUSeconds: s.CPU.Seconds(),
		Stations: nonNil(verdict.Stations(s.Stages...)), Devices: []verdict.Device{}}
	for _, d := range s.Devices {
		p.Devices = append(p.Devices, verdict.Device{Name: d.Name, BusySeconds: d.Busy.Seconds()})
	}
	if p.Host = hostOf(s); p.Host == nil {
		p.HostReason = "nobody looked at the machine"
	}
	return p
}

// hostOf takes what the verdict needs of what the machine said; what it did not say counts as nothing.
func hostOf(s Span) *verdict.Host {
	d := s.Host
	if d == nil {
		return nil
	}
	h := new(verdict.Host)
	if r := d.Runtime; r != nil && r.GCSeconds != nil {
		h.CollectorSeconds = *r.GCSeconds
	}
	if m := d.Machine; m != nil {
		h.OthersCPUSeconds = m.StealSeconds
		if m.OthersSeconds != nil {
			h.OthersCPUSeconds += *m.OthersSeconds
		}
	}
	if t := d.Throttling; t != nil {
		h.ThrottledSeconds = throttled(t, s.Wall.Seconds())
	}
	if q := d.RunQueue; q != nil {
		h.RunQueueSeconds = q.DelaySeconds
	}
	if d.CPU != nil {
		h.MajorFaults = d.CPU.MajorFaults
	}
	return h
}

// throttled is the wall time in which the quota was used up. The kernel counts it for each CPU.
func throttled(t *host.Throttling, wall float64) float64 {
	var most float64
	for _, g := range t.Groups {
		if g.Periods > 0 {
			most = max(most, wall*float64(g.ThrottledPeriods)/float64(g.Periods))
		}
	}
	return most
}

// notes are facts about the files that numbers of stages do not tell.
func notes(run Run) map[string]string {
	all := map[string]string{}
	var size, inMemory int64
	for _, in := range run.Inputs {
		if in.SizeBytes != nil && in.CachedBytes != nil {
			size, inMemory = size+*in.SizeBytes, inMemory+*in.CachedBytes
		}
	}
	if size > 0 {
		all[verdict.InputIO] = fmt.Sprintf("%.0f %% of the input was in the page cache at the start", 100*float64(inMemory)/float64(size))
	}
	if run.DebtBytes != nil {
		all[verdict.OutputIO] = fmt.Sprintf("%d MiB of the output were not yet on the device when the final sync began", *run.DebtBytes>>20)
	}
	for _, p := range run.Partners {
		if p.Process == nil || p.CPUs == nil {
			continue
		}
		class, what := verdict.Starved, "writes into"
		if p.Role == "output" {
			class, what = verdict.Backpressured, "reads"
		}
		all[class] = fmt.Sprintf("%s (pid %d) %s the pipe, and used %.2f CPUs", p.Process.Command, p.Process.PID, what, *p.CPUs)
	}
	return all
}
