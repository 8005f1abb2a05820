package verdict

import (
	"math"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// Limit is one resource and its say in the run time.
type Limit struct {
	Class string `json:"class"`
	Stage string `json:"stage"`
	// Elasticity is the share of the run time that follows this resource: were it 1 % faster, the
	// run would be Elasticity percent faster. All limits of a run add up to 1.
	Elasticity float64 `json:"elasticity"`
	// Utilisation is the resource's demand over its capacity, in the phase where it weighs most.
	Utilisation float64 `json:"utilisation"`

	phase   int // index of that phase
	weight  float64
	station Station // the stage behind it; the largest consumer for the cores
	cores   bool    // the cores together, rather than one station
}

// unexplained is the part of a phase in which no resource was busy.
const unexplained = "unexplained"

// resources lists what could limit a phase, with utilisations from 0 to 1.
func resources(p Phase, cpus float64) []Limit {
	if p.Startup {
		return []Limit{{Class: Startup, Stage: p.Name, Utilisation: 1}}
	}
	all := []Limit{coresOf(p, cpus)}
	for _, s := range p.Stations {
		n := float64(s.Workers)
		switch {
		case s.Kind != meter.KindCPU:
			all = append(all, Limit{Class: ioClass(s), Stage: s.Name, station: s,
				Utilisation: clamp(s.BlockedSeconds / (n * p.WallSeconds))})
		case n < cpus: // a larger pool meets the cores before it meets its own size
			class := CPU
			if s.Workers == 1 {
				class = Serial
			}
			all = append(all, Limit{Class: class, Stage: s.Name, station: s,
				Utilisation: clamp(s.CPUSeconds / (n * p.WallSeconds))})
		}
	}
	return all
}

// coresOf is the resource all stages share. Its stage is the one with the largest demand.
func coresOf(p Phase, cpus float64) Limit {
	var top Station
	for _, s := range p.Stations {
		if s.CPUSeconds > top.CPUSeconds {
			top = s
		}
	}
	used := cpuSeconds(p)
	return Limit{Class: CPU, Stage: top.Name, station: top, cores: true, Utilisation: clamp(used / (cpus * p.WallSeconds))}
}

// cpuSeconds is the phase's use of the cores: the stages', or the whole process's where known.
func cpuSeconds(p Phase) float64 {
	var sum float64
	for _, s := range p.Stations {
		sum += s.CPUSeconds
	}
	return max(sum, p.ProcessCPUSeconds)
}

func ioClass(s Station) string {
	switch {
	case s.Kind == meter.KindPipeRead:
		return Starved
	case s.Kind == meter.KindPipeWrite:
		return Backpressured
	case s.Name == meter.NameSpillWrite || s.Name == meter.NameMergeRead:
		return SpillIO
	case s.Kind == meter.KindDeviceRead:
		return InputIO
	default:
		return OutputIO
	}
}

// elasticities divides the phase among its resources. The throughput of a line of stations with
// bounds B_r lies under min(B_r), and the more so the more variable they are and the smaller the
// queues: X = (sum B_r^-p)^(-1/p). With utilisation U_r = X/B_r that reads sum U_r^p = 1, which
// fixes p from the measurement; the elasticity of X by B_r is then U_r^p. When even p = 1 gives
// less than 1, the rest is the share of no resource.
func elasticities(limits []Limit) []Limit {
	p := 1.0
	if powerSum(limits, 1) > 1 {
		lo, hi := 1.0, 256.0 // at 256, 97 % busy counts for nothing beside 100 %
		for range 50 {
			p = (lo + hi) / 2
			if powerSum(limits, p) > 1 {
				lo = p
			} else {
				hi = p
			}
		}
	}
	sum := powerSum(limits, p)
	for i := range limits {
		limits[i].Elasticity = math.Pow(limits[i].Utilisation, p) / max(1, sum)
	}
	if sum < 1 {
		limits = append(limits, Limit{Class: Undetermined, Stage: unexplained, Elasticity: 1 - sum})
	}
	return limits
}

func powerSum(limits []Limit, p float64) float64 {
	var sum float64
	for _, l := range limits {
		sum += math.Pow(l.Utilisation, p)
	}
	return sum
}

func clamp(u float64) float64 { return min(1, max(0, u)) }
