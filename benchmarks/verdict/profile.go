package main

// Profile is what a run takes when nothing is in its way. Times are seconds, and like bytes
// they are for one template (a read, or a pair), but for StartupSeconds.
type Profile struct {
	StartupSeconds float64            `json:"startup_seconds"`
	Stream         float64            `json:"stream_seconds"` // wall
	Merge          float64            `json:"merge_seconds"`  // wall, of all that comes after the stream phase
	CPU            float64            `json:"cpu_seconds"`    // of the process, start-up left out
	MergeCPU       float64            `json:"merge_cpu_seconds"`
	StageCPU       map[string]float64 `json:"stage_cpu_seconds"`
	InputBytes     float64            `json:"input_bytes"` // as stored
	OutputBytes    float64            `json:"output_bytes"`
	SpillBytes     float64            `json:"spill_bytes"`
	PeakBytes      float64            `json:"peak_bytes"` // of the whole run
	LeastMemory    int64              `json:"least_memory_bytes"`
	IndexBytes     int64              `json:"index_bytes"`
}

// profileOf takes a profile from the report of a run on so many templates.
func profileOf(r *Report, templates int, inputBytes int64) Profile {
	n := float64(templates)
	p := Profile{StageCPU: map[string]float64{}, InputBytes: float64(inputBytes) / n, SpillBytes: float64(r.Sort.SpilledBytes) / n}
	for _, ph := range r.Phases {
		cpu := value(ph.ProcessCPUSeconds)
		switch {
		case ph.Startup:
			p.StartupSeconds += ph.WallSeconds
			continue
		case ph.Name != "stream":
			p.Merge += ph.WallSeconds / n
			p.MergeCPU += cpu / n
		default:
			p.Stream += ph.WallSeconds / n
		}
		p.CPU += cpu / n
	}
	for _, st := range r.Stages {
		p.StageCPU[st.Name] += value(st.CPUSeconds) / n
		if st.Name == "write" {
			p.OutputBytes += float64(st.OutputBytes) / n
		}
	}
	p.PeakBytes = value(r.Memory.PeakBytes)
	return p
}

func value(f *float64) float64 {
	if f == nil {
		return 0
	}
	return *f
}
