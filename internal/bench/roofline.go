package bench

import (
	"cmp"
	"math"
	"slices"
)

// The resources of stations.
const (
	resourceCPU    = "cpu"
	resourceDevice = "device"
)

// Where a station's demand comes from.
const (
	fromCeiling = "ceiling" // measured alone, on this machine
	fromRun     = "run"     // the CPU time it took in this run
)

// nameCores stands for all cores together, which the stages of a phase share.
const nameCores = "all cores"

// Station is one stage under its ceiling: what it would let through if nothing else were there.
type Station struct {
	Name     string  `json:"name"`
	Resource string  `json:"resource"`          // cpu or device
	Units    float64 `json:"units"`             // cores it can use, or devices
	Scales   bool    `json:"scales_with_cores"` // more cores let more through
	Source   string  `json:"demand_source"`
	// Demand is what one read takes of a unit.
	Demand        *float64 `json:"demand_microseconds_per_read"`
	Allowed       *float64 `json:"allowed_reads_per_second"`
	AllowedReason string   `json:"allowed_reads_per_second_reason,omitempty"`
	// Utilisation is the measured throughput over the allowed one. Above 1 the stage did better in the run than
	// alone, as when caches or the host's memory helped.
	Utilisation       *float64 `json:"utilisation"`
	UtilisationReason string   `json:"utilisation_reason,omitempty"`
}

// station makes one of a demand in seconds per read.
func station(name, resource, source string, units, demand float64) Station {
	us, allowed := demand*1e6, units/demand
	return Station{Name: name, Resource: resource, Source: source, Units: units, Demand: &us, Allowed: &allowed}
}

func unknownStation(name, resource, reason string) Station {
	return Station{Name: name, Resource: resource, Source: fromCeiling, AllowedReason: reason, UtilisationReason: reason}
}

// cpuStation is a station of cores.
func cpuStation(name, source string, units, demand float64, scales bool) Station {
	s := station(name, resourceCPU, source, units, demand)
	s.Scales = scales
	return s
}

// under places a measured throughput under the ceiling.
func (s *Station) under(measured float64) {
	if s.Allowed != nil {
		u := measured / *s.Allowed
		s.Utilisation = &u
	}
}

// RoofPhase is a stretch of the run whose stages work side by side.
type RoofPhase struct {
	Name        string    `json:"name"`
	WallSeconds float64   `json:"wall_seconds"`
	Measured    float64   `json:"measured_reads_per_second"`
	Stations    []Station `json:"stations"`
	Limit       string    `json:"limit"` // the station that allows least
	Next        string    `json:"next_limit"`
}

// Roofline is a run under its ceilings. Phases follow each other, so their times per read add up.
type Roofline struct {
	Sort     string      `json:"sort"`
	Measured Figure      `json:"measured_reads_per_second"`
	Phases   []RoofPhase `json:"phases"` // of the median run
	// Roof is what the lowest station of each phase allows the whole run; the others are the same with
	// stations of one resource only.
	Roof             float64  `json:"roof_reads_per_second"`
	CPURoof          float64  `json:"cpu_roof_reads_per_second"`
	DeviceRoof       *float64 `json:"device_roof_reads_per_second"`
	DeviceRoofReason string   `json:"device_roof_reads_per_second_reason,omitempty"`
	Share            float64  `json:"measured_over_roof"`
	LimitPhase       string   `json:"limit_phase"` // the phase that takes longest
	Limit            string   `json:"limit"`
	Next             string   `json:"next_limit"` // with the cores and disks there are
	Verdict          *string  `json:"verdict"`    // of the run itself, from its report
	VerdictReason    string   `json:"verdict_reason,omitempty"`
}

// Which stations a bound is made of.
func anyStation(Station) bool       { return true }
func isCPU(s Station) bool          { return s.Resource == resourceCPU }
func isDevice(s Station) bool       { return s.Resource == resourceDevice }
func staysWithCores(s Station) bool { return !s.Scales } // what more cores do not lift

// lowest returns the stations of a kind whose ceiling is known, the one that allows least first.
func (p *RoofPhase) lowest(kind func(Station) bool) []Station {
	var known []Station
	for _, s := range p.Stations {
		if s.Allowed != nil && kind(s) {
			known = append(known, s)
		}
	}
	slices.SortStableFunc(known, func(a, b Station) int { return cmp.Compare(*a.Allowed, *b.Allowed) })
	return known
}

// conclude finds the limits of the phases and of the whole.
func (r *Roofline) conclude() {
	longest := 0.0
	for i := range r.Phases {
		p := &r.Phases[i]
		known := p.lowest(anyStation)
		if len(known) == 0 {
			continue
		}
		p.Limit = known[0].Name
		if len(known) > 1 {
			p.Next = known[1].Name
		}
		if t := 1 / *known[0].Allowed; t > longest {
			longest, r.LimitPhase, r.Limit, r.Next = t, p.Name, p.Limit, p.Next
		}
	}
	r.Roof, r.CPURoof = r.roof(anyStation), r.roof(isCPU)
	r.Share = r.Measured.Median / r.Roof
	if d := r.roof(isDevice); !math.IsInf(d, 1) {
		r.DeviceRoof = &d
	} else {
		r.DeviceRoofReason = "no bandwidth of a disk in use is known"
	}
}

// roof adds the times per read of the phases' lowest stations. It is infinite where there are none.
func (r *Roofline) roof(kind func(Station) bool) float64 {
	sum := 0.0
	for i := range r.Phases {
		if known := r.Phases[i].lowest(kind); len(known) > 0 {
			sum += 1 / *known[0].Allowed
		}
	}
	return 1 / sum
}
