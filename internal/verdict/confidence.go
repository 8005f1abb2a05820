package verdict

import "math/rand/v2"

const (
	doubt     = 0.8 // factor on the confidence for each witness against
	resamples = 200
)

// confidence is how likely the class is right: how far the first limit is ahead of the next class, how often
// it stays first when the run is put together again from windows drawn at random, and who speaks against it.
func confidence(load Load, v Verdict, against int) float64 {
	c := margin(v.Limits) * steadiness(load, v)
	for range against {
		c *= doubt
	}
	return c
}

// margin maps how far the best of the class that was named is ahead of the best of another from 0.5 (a
// toss-up) to 1. What is balanced is so the more, the nearer they are to each other.
func margin(limits []Limit) float64 {
	if limits[0].Gain <= 0 || name(limits).Class == Undetermined {
		return 0.5
	}
	ratio := nextGain(limits) / limits[0].Gain
	if name(limits).Class == Balanced {
		return 0.5 + 0.5*clamp(max((ratio-nearlyAsGood)/(1-nearlyAsGood), 1-limits[0].Gain/leastGain))
	}
	return 0.5 + 0.5*clamp(1-ratio)
}

// steadiness is the share of resampled runs that get the same verdict. Where there are no windows it is 1.
func steadiness(load Load, v Verdict) float64 {
	rng := rand.New(rand.NewPCG(1, 2)) // the same run gets the same confidence
	var same, drawn int
	for range resamples {
		again, ok := resample(load, rng)
		if !ok {
			return 1
		}
		drawn++
		if name(weigh(again, wallOf(again.Phases))).Class == v.Class {
			same++
		}
	}
	return float64(same) / float64(drawn)
}

// leastWindows is how many of them make a phase that can be resampled.
const leastWindows = 4

// resample puts every phase together again from its windows, drawn with replacement. ok is false where no
// phase has enough of them.
func resample(load Load, rng *rand.Rand) (Load, bool) {
	again, ok := load, false
	again.Phases = make([]Phase, len(load.Phases))
	for i, p := range load.Phases {
		again.Phases[i] = p
		if len(p.Windows) < leastWindows {
			continue
		}
		ok = true
		sum := Phase{Name: p.Name, Startup: p.Startup, InFlight: p.InFlight}
		for range p.Windows {
			sum.add(p.Windows[rng.IntN(len(p.Windows))])
		}
		sum.scale(p)
		again.Phases[i] = sum
	}
	return again, ok
}

// scale gives the resampled phase the wall time of the one it came from, so that phases keep their weight.
func (p *Phase) scale(of Phase) {
	if p.WallSeconds <= 0 {
		*p = of
		return
	}
	f := of.WallSeconds / p.WallSeconds
	p.WallSeconds *= f
	p.ProcessCPUSeconds *= f
	for i := range p.Stations {
		p.Stations[i].multiply(f)
	}
	for i := range p.Devices {
		p.Devices[i].BusySeconds *= f
	}
	if p.Host != nil {
		p.Host.multiply(f)
	}
}

func (s *Station) multiply(f float64) {
	s.CPUSeconds *= f
	s.BlockedSeconds *= f
	s.LifetimeSeconds *= f
	s.BusySeconds *= f
	s.WaitInSeconds *= f
	s.WaitOutSeconds *= f
}

func (h *Host) multiply(f float64) {
	h.OthersCPUSeconds *= f
	h.ThrottledSeconds *= f
	h.RunQueueSeconds *= f
	h.CollectorSeconds *= f
}

// add adds the times of a window.
func (p *Phase) add(w Phase) {
	p.WallSeconds += w.WallSeconds
	p.ProcessCPUSeconds += w.ProcessCPUSeconds
	for _, s := range w.Stations {
		i := indexOf(*p, s.Name)
		if i < 0 {
			p.Stations = append(p.Stations, s)
			continue
		}
		p.Stations[i].add(s)
	}
	for _, d := range w.Devices {
		p.addDevice(d)
	}
	if w.Host != nil {
		if p.Host == nil {
			p.Host = new(Host)
		}
		p.Host.add(*w.Host)
	}
}

func (s *Station) add(o Station) {
	s.CPUSeconds += o.CPUSeconds
	s.BlockedSeconds += o.BlockedSeconds
	s.LifetimeSeconds += o.LifetimeSeconds
	s.BusySeconds += o.BusySeconds
	s.WaitInSeconds += o.WaitInSeconds
	s.WaitOutSeconds += o.WaitOutSeconds
	s.Items += o.Items
	s.Batches += o.Batches
	s.Bytes += o.Bytes
}

func (p *Phase) addDevice(d Device) {
	for i := range p.Devices {
		if p.Devices[i].Name == d.Name {
			p.Devices[i].BusySeconds += d.BusySeconds
			return
		}
	}
	p.Devices = append(p.Devices, d)
}

func (h *Host) add(o Host) {
	h.OthersCPUSeconds += o.OthersCPUSeconds
	h.ThrottledSeconds += o.ThrottledSeconds
	h.RunQueueSeconds += o.RunQueueSeconds
	h.CollectorSeconds += o.CollectorSeconds
	h.MajorFaults += o.MajorFaults
}
