package report

import "github.com/alignpipe/alignpipe/internal/meter"

// Phase is a row of the phase table.
type Phase struct {
	Name                    string   `json:"name"`
	Startup                 bool     `json:"startup"`
	WallSeconds             float64  `json:"wall_seconds"`
	ProcessCPUSeconds       *float64 `json:"process_cpu_seconds"`
	ProcessCPUSecondsReason string   `json:"process_cpu_seconds_reason,omitempty"`
}

// Stage is a row of the stage table. Seconds are summed over the stage's workers, so they may
// exceed the wall time; the shares are of all the workers' capacity.
type Stage struct {
	Name             string             `json:"name"`
	Phase            string             `json:"phase"`
	Kind             string             `json:"kind"`
	Workers          int                `json:"workers"`
	Items            int64              `json:"items"`
	Batches          int64              `json:"batches"`
	DeviceCalls      int64              `json:"device_calls"`
	InputBytes       int64              `json:"input_bytes"`
	OutputBytes      int64              `json:"output_bytes"`
	LifetimeSeconds  float64            `json:"lifetime_seconds"`
	BusySeconds      float64            `json:"busy_seconds"` // lifetime less all states
	CPUSeconds       *float64           `json:"cpu_seconds"`
	CPUSecondsReason string             `json:"cpu_seconds_reason,omitempty"`
	StateSeconds     map[string]float64 `json:"state_seconds"`

	DemandMicroseconds       *float64 `json:"demand_microseconds_per_item"` // of CPU, or blocked time for a device
	DemandMicrosecondsReason string   `json:"demand_microseconds_per_item_reason,omitempty"`
	Utilisation              *float64 `json:"utilisation"` // demand over workers times wall
	UtilisationReason        string   `json:"utilisation_reason,omitempty"`
}

// Queue is a row of the queue table. Seconds are summed over the goroutines that waited.
type Queue struct {
	From         string  `json:"from"`
	To           string  `json:"to"`
	Capacity     int     `json:"capacity"`
	Sent         int64   `json:"sent"`
	Received     int64   `json:"received"`
	MeanLength   float64 `json:"mean_length_at_send"`
	HighWater    int64   `json:"high_water"`
	SendWaitSecs float64 `json:"send_wait_seconds"`
	RecvWaitSecs float64 `json:"receive_wait_seconds"`
}

func phaseOf(p PhaseRun) Phase {
	out := Phase{Name: p.Name, Startup: p.Startup, WallSeconds: p.Wall.Seconds()}
	if p.CPU > 0 {
		s := p.CPU.Seconds()
		out.ProcessCPUSeconds = &s
	} else {
		out.ProcessCPUSecondsReason = "the process clock was not read"
	}
	return out
}

func stageOf(p PhaseRun, s meter.Snapshot) Stage {
	out := Stage{
		Name: s.Name, Phase: p.Name, Kind: s.Kind.String(), Workers: s.Workers,
		Items: s.Items, Batches: s.Batches, DeviceCalls: s.Calls,
		InputBytes: s.BytesIn, OutputBytes: s.BytesOut,
		LifetimeSeconds: seconds(s.LifetimeNS), BusySeconds: seconds(s.BusyNS()),
		StateSeconds: map[string]float64{},
	}
	for st, ns := range s.WaitNS {
		out.StateSeconds[meter.State(st).String()] = seconds(ns)
	}
	if s.LifetimeNS == 0 {
		const idle = "the stage did not run"
		out.CPUSecondsReason, out.DemandMicrosecondsReason, out.UtilisationReason = idle, idle, idle
		return out
	}
	if s.CPUNS > 0 {
		cpu := seconds(s.CPUNS)
		out.CPUSeconds = &cpu
	} else {
		out.CPUSecondsReason = "no CPU time was measured on the stage's threads"
	}
	out.fillDemand(p, s)
	return out
}

// fillDemand sets the numbers that need a divisor.
func (out *Stage) fillDemand(p PhaseRun, s meter.Snapshot) {
	demandNS := float64(demandNS(s))
	if s.Items > 0 {
		us := demandNS / 1e3 / float64(s.Items)
		out.DemandMicroseconds = &us
	} else {
		out.DemandMicrosecondsReason = "the stage counts no items"
	}
	if capacity := float64(max(1, s.Workers)) * float64(p.Wall); capacity > 0 {
		u := demandNS / capacity
		out.Utilisation = &u
	} else {
		out.UtilisationReason = "the phase took no time"
	}
}

// demandNS is what the stage takes of its own resource: CPU, or a device that it is blocked on.
func demandNS(s meter.Snapshot) int64 {
	switch {
	case s.Kind != meter.KindCPU:
		return max(0, s.BlockedNS()-s.CPUNS)
	case s.CPUNS == 0:
		return max(0, s.BusyNS())
	default:
		return s.CPUNS
	}
}

func queueOf(q meter.QueueSnapshot) Queue {
	return Queue{From: q.From, To: q.To, Capacity: q.Capacity, Sent: q.Sent, Received: q.Received,
		MeanLength: q.MeanLength, HighWater: q.HighWater, SendWaitSecs: seconds(q.FullNS), RecvWaitSecs: seconds(q.EmptyNS)}
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }
