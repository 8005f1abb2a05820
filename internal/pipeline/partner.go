package pipeline

import (
	"os"
	"time"

	"github.com/alignpipe/alignpipe/internal/host"
	"github.com/alignpipe/alignpipe/internal/report"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// partners watches the programs at the other ends of the run's pipes. It belongs to the monitor's goroutine.
type partners struct {
	run  *run
	all  []partner
	done bool
}

// partner is one of them; process is nil where it could not be found.
type partner struct {
	role     string
	process  *host.Partner
	why      string // there is none, or no CPU time of it
	from, to time.Time
	cpu0     float64
	cpu      float64
}

// watch finds the programs at the first look, and adds up their CPU time at all.
func (p *partners) watch(k *mark) {
	if !p.done {
		p.done = true
		p.find(k)
		return
	}
	for i := range p.all {
		p.all[i].update(k.at)
	}
}

func (p *partners) find(k *mark) {
	for i, fd := range p.run.reader.Fds() {
		if p.run.cfg.Reads[i] == Stdio {
			fd = fdOf(p.run.cfg.Stdin)
		}
		p.add("input", fd, k.at)
	}
	if p.run.outFd != nil {
		p.add("output", p.run.outFd(), k.at)
	}
}

func (p *partners) add(role string, fd uintptr, at time.Time) {
	one := partner{role: role, from: at, to: at}
	if one.process, one.why = host.PipePartner(fd); one.why == host.NoPipe {
		return
	}
	if one.process != nil {
		one.cpu0, one.why = one.process.CPUSeconds()
		one.cpu = one.cpu0
	}
	p.all = append(p.all, one)
}

func (p *partner) update(at time.Time) {
	if p.process == nil || p.why != "" {
		return
	}
	if cpu, why := p.process.CPUSeconds(); why == "" {
		p.cpu, p.to = cpu, at
	}
}

// tell is what is known in the end.
func (p *partners) tell() []report.Partner {
	var all []report.Partner
	for _, one := range p.all {
		r := report.Partner{Role: one.role, Process: one.process, Reason: one.why}
		if seconds := one.to.Sub(one.from).Seconds(); one.process != nil && seconds > 0 {
			share := (one.cpu - one.cpu0) / seconds
			r.CPUs = &share
		} else if r.Reason == "" {
			r.Reason = "it was gone too soon"
		}
		all = append(all, r)
	}
	return all
}

// fdOf is the descriptor behind a reader or writer, if there is one.
func fdOf(v any) uintptr {
	switch f := v.(type) {
	case *os.File:
		return f.Fd()
	case interface{ Fd() uintptr }:
		return f.Fd()
	}
	return vfs.NoFd
}
