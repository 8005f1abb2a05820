package bench

import (
	"context"
	"math"
	"slices"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/report"
)

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
