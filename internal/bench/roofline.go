package bench

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/report"
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

// machine has the ceilings as a roofline needs them.
type machine struct {
	cpus      float64
	level     int
	container string
	files     int     // of reads
	input     float64 // bytes of the files per read
	core      ceilings
	folders   []Folder
	verdict   func(*pipeline.Result) (class, stage string)
}

func (b *bench) machine() *machine {
	return &machine{cpus: b.cfg.CPUs, level: b.cfg.Level, container: b.work.Container,
		files: len(b.work.files), input: float64(b.work.InputBytes) / float64(b.work.Reads), core: b.core, folders: b.report.Folders, verdict: b.cfg.Verdict}
}

// measureRoofline runs several times and places the median run.
func measureRoofline(ctx context.Context, r *runner, order pipeline.SortOrder, m *machine, repeats int) (Roofline, error) {
	var results []*pipeline.Result
	columns, err := repeat(ctx, repeats, func() ([]float64, error) {
		result, err := r.run(ctx, how{order: order, cold: true})
		if err != nil {
			return nil, err
		}
		results = append(results, result)
		return []float64{rateOf(result)}, nil
	})
	if err != nil {
		return Roofline{}, err
	}
	return m.place(order, columns[0], results), nil
}

// place puts the run nearest to the median under the ceilings.
func (m *machine) place(order pipeline.SortOrder, rates []float64, results []*pipeline.Result) Roofline {
	out := Roofline{Sort: orders[order], Measured: figureOf(rates)}
	nearest := results[0]
	for _, r := range results {
		if math.Abs(rateOf(r)-out.Measured.Median) < math.Abs(rateOf(nearest)-out.Measured.Median) {
			nearest = r
		}
	}
	for _, p := range joinSync(nearest.Phases) {
		if !p.Startup {
			out.Phases = append(out.Phases, m.phase(p, float64(nearest.Primary)))
		}
	}
	out.conclude()
	out.VerdictReason = "it was not asked for"
	if m.verdict != nil {
		class, stage := m.verdict(nearest)
		text := class
		if stage != "" {
			text += " (" + stage + ")"
		}
		out.Verdict, out.VerdictReason = &text, ""
	}
	return out
}

// phaseSync is the name of the phase in which the output is made durable.
const phaseSync = "sync"

// joinSync makes syncing a part of the phase that wrote: the ceiling of writing holds it, too.
func joinSync(phases []report.PhaseRun) []report.PhaseRun {
	var out []report.PhaseRun
	for _, p := range phases {
		if p.Name != phaseSync || len(out) == 0 {
			out = append(out, p)
			continue
		}
		last := &out[len(out)-1]
		last.Wall += p.Wall
		last.Stages = slices.Clone(last.Stages)
		for _, s := range p.Stages {
			i := slices.IndexFunc(last.Stages, func(o meter.Snapshot) bool { return o.Name == s.Name })
			if i < 0 {
				last.Stages = append(last.Stages, s)
			} else {
				last.Stages[i] = addSnapshots(last.Stages[i], s)
			}
		}
	}
	return out
}

// phase puts the stages of one phase under their ceilings.
func (m *machine) phase(p report.PhaseRun, reads float64) RoofPhase {
	out := RoofPhase{Name: p.Name, WallSeconds: p.Wall.Seconds(), Measured: reads / max(p.Wall.Seconds(), 1e-9)}
	cpu := 0.0
	for _, s := range p.Stages {
		if s.LifetimeNS == 0 || s.Kind == meter.KindSync {
			continue // syncing is part of the ceiling of writing
		}
		st, ok := m.station(s, reads)
		if !ok {
			continue
		}
		if st.Resource == resourceCPU {
			cpu += *st.Demand / 1e6
		}
		out.Stations = append(out.Stations, st)
	}
	if cpu > 0 {
		out.Stations = append(out.Stations, cpuStation(nameCores, fromCeiling, m.cpus, cpu, true))
	}
	out.Stations = append(out.Stations, m.shared(out.Stations)...)
	for i := range out.Stations {
		out.Stations[i].under(out.Measured)
	}
	return out
}

// station is a stage under its ceiling; ok is false for one that did nothing.
func (m *machine) station(s meter.Snapshot, reads float64) (st Station, ok bool) {
	if s.Kind != meter.KindCPU {
		return m.device(s, reads)
	}
	if rate, ok := m.core.find(m.ceilingName(s.Name), 1, readsPerSecond); ok {
		return cpuStation(s.Name, fromCeiling, m.units(s), 1/rate, scales(s)), true
	}
	ns := s.CPUNS
	if ns == 0 {
		ns = max(0, s.BusyNS())
	}
	if ns == 0 {
		return st, false
	}
	return cpuStation(s.Name, fromRun, m.units(s), float64(ns)/1e9/reads, scales(s)), true
}

func (m *machine) ceilingName(stage string) string {
	switch stage {
	case meter.NameInflate:
		return nameInflate(m.container)
	case meter.NameDeflate:
		return nameDeflate(m.level)
	}
	return stage
}

// scales tells whether more cores bring a stage more workers. Plain gzip is inflated on one thread for each
// file, but on many from four threads on.
func scales(s meter.Snapshot) bool { return !s.Serial || s.Name == meter.NameInflate }

// units is how many cores a stage can use.
func (m *machine) units(s meter.Snapshot) float64 { return min(float64(max(1, s.Workers)), m.cpus) }

// device is a stage that moves bytes, under the bandwidth of its folder.
func (m *machine) device(s meter.Snapshot, reads float64) (st Station, ok bool) {
	role, ceiling, streams := roleOutput, nameWrite, 1
	switch s.Name {
	case meter.NameRead:
		role, ceiling, streams = roleInput, nameRead, m.files
	case meter.NameMergeRead:
		role, ceiling = roleTemp, nameRead
	case meter.NameSpillWrite:
		role = roleTemp
	}
	size := float64(max(s.BytesIn, s.BytesOut)) / reads
	if s.Name == meter.NameRead {
		size = m.input // reading ahead begins before the phase
	}
	if size == 0 {
		return st, false
	}
	rate, reason := m.bandwidth(role, ceiling, streams)
	if reason != "" {
		return unknownStation(s.Name, resourceDevice, reason), true
	}
	return station(s.Name, resourceDevice, fromCeiling, 1, size/rate), true
}

// folder is the one with a role.
func (m *machine) folder(role string) *Folder {
	for i := range m.folders {
		if slices.Contains(m.folders[i].Roles, role) {
			return &m.folders[i]
		}
	}
	return nil
}

// bandwidth is bytes per second, or the reason why it is not known.
func (m *machine) bandwidth(role, name string, streams int) (rate float64, reason string) {
	f := m.folder(role)
	if f == nil {
		return 0, "the folder was not measured"
	}
	for _, c := range f.Ceilings {
		if c.Name == name && c.Streams == streams {
			if rate, ok := c.Get(bytesPerSecond); ok {
				return rate, ""
			}
			return 0, c.Values[0].Reason
		}
	}
	return 0, "the folder was not measured"
}

// shared adds, for each device that several stages of the phase use, what it allows them together.
func (m *machine) shared(stations []Station) []Station {
	demand, users := map[*Folder]float64{}, map[*Folder]int{}
	for _, s := range stations {
		if s.Resource != resourceDevice || s.Demand == nil {
			continue
		}
		f := m.folder(roleOf(s.Name))
		demand[f] += *s.Demand / 1e6
		users[f]++
	}
	var out []Station
	for i := range m.folders {
		if f := &m.folders[i]; users[f] > 1 {
			out = append(out, station("disk of "+f.Path, resourceDevice, fromCeiling, 1, demand[f]))
		}
	}
	return out
}

func roleOf(stage string) string {
	switch stage {
	case meter.NameRead:
		return roleInput
	case meter.NameMergeRead, meter.NameSpillWrite:
		return roleTemp
	}
	return roleOutput
}

// Spill is what the temporary folder would allow if no record fitted in memory: each is written once, and
// read once. It is no part of the roofs.
type Spill struct {
	PerRead       *float64 `json:"bytes_per_read"`
	PerReadReason string   `json:"bytes_per_read_reason,omitempty"`
	Allowed       *float64 `json:"allowed_reads_per_second"`
	AllowedReason string   `json:"allowed_reads_per_second_reason,omitempty"`
}

func (m *machine) spilling(perRead Value) Spill {
	if perRead.Figure == nil {
		return Spill{PerReadReason: perRead.Reason, AllowedReason: perRead.Reason}
	}
	size := perRead.Figure.Median
	out := Spill{PerRead: &size}
	write, reason := m.bandwidth(roleTemp, nameWrite, 1)
	read, other := m.bandwidth(roleTemp, nameRead, 1)
	if out.AllowedReason = reason + other; out.AllowedReason == "" {
		allowed := 1 / (size/write + size/read)
		out.Allowed = &allowed
	}
	return out
}
