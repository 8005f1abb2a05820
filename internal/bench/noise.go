package bench

import "github.com/alignpipe/alignpipe/internal/host"

// Noise says what else the machine did while it was measured.
type Noise struct {
	Others       *float64 `json:"other_programs_cpu_share"` // of the CPUs' time
	OthersReason string   `json:"other_programs_cpu_share_reason,omitempty"`
	Steal        *float64 `json:"steal_share"` // taken by the host of a virtual machine
	StealReason  string   `json:"steal_share_reason,omitempty"`
}

// noisy is the share of other programs from which on figures are to be doubted.
const noisy = 0.05

func noiseOf(d host.Delta) Noise {
	m := d.Machine
	if m == nil {
		return Noise{OthersReason: d.MachineReason, StealReason: d.MachineReason}
	}
	all := float64(m.CPUs) * d.Seconds
	if all <= 0 {
		const reason = "no time has passed"
		return Noise{OthersReason: reason, StealReason: reason}
	}
	steal := m.StealSeconds / all
	n := Noise{Steal: &steal, OthersReason: m.OthersSecondsReason}
	if m.OthersSeconds != nil {
		others := *m.OthersSeconds / all
		n.Others = &others
	}
	return n
}
