package report

import (
	"fmt"
	"math"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// The largest residuals that leave the verdict alone.
const (
	maxStatesResidual = 0.005 // of a stage's lifetime
	maxCPUResidual    = 0.02  // of the process's CPU: the scheduler and the wiring belong to no stage
	maxLittleResidual = 0.02  // of the mean number of batches in flight
	maxBytesResidual  = 0.01  // of the bytes that the kernel counted
	maxUtilisation    = 1.02  // of any stage
)

// Runs that are shorter, or read and write less, have ends that weigh more than that.
const (
	leastCPUSeconds = 2.0
	leastBytes      = 32 << 20
)

// A thread that goes to sleep and wakes up uses CPU in time that is charged as waiting: no fault of the
// accounts, but a large share of a run of a few milliseconds, or of one that hands over thousands of times.
const (
	wakeUpsNS = 2_000_000
	wakeUpNS  = 30_000 // for each wait
)

// Closure tests whether the accounts add up. A residual is a share; 0 is perfect.
type Closure struct {
	// StatesResidual is the worst stage's time in states and on a CPU beyond its lifetime.
	StatesResidual float64 `json:"states_over_lifetime_residual"`
	StatesStage    string  `json:"states_over_lifetime_stage"` // that stage, "" when all close

	// CPUResidual is the process's CPU that no stage and no collector accounts for; it is negative
	// when the stages claim more than the process used.
	CPUResidual       *float64 `json:"stage_cpu_over_process_cpu_residual"`
	CPUResidualReason string   `json:"stage_cpu_over_process_cpu_residual_reason,omitempty"`

	// LittleResidual compares the mean number of batches in flight with their rate times their stay.
	LittleResidual float64 `json:"littles_law_residual"`

	// ReadBytesResidual and WriteBytesResidual are what the kernel counted beyond the accounts, as a
	// share, from the first read on.
	ReadBytesResidual   *float64 `json:"read_bytes_over_kernels_residual"`
	WriteBytesResidual  *float64 `json:"write_bytes_over_kernels_residual"`
	BytesResidualReason string   `json:"read_bytes_over_kernels_residual_reason,omitempty"`
	WriteBytesReason    string   `json:"write_bytes_over_kernels_residual_reason,omitempty"`

	// Utilisation is the largest of any stage in any phase: more than 1 cannot be.
	Utilisation      float64 `json:"largest_utilisation"`
	UtilisationStage string  `json:"largest_utilisation_stage"`

	ItemsLost   int64 `json:"items_lost"`   // reads in less primary records out; must be 0
	BatchesLost int64 `json:"batches_lost"` // sent less received, over all queues; must be 0
}

func closureOf(run Run) Closure {
	c := Closure{ItemsLost: run.Reads.Total - run.Reads.PrimaryWritten}
	for _, p := range run.Phases {
		for _, s := range p.Stages {
			if r := statesResidual(s); r > c.StatesResidual {
				c.StatesResidual, c.StatesStage = r, s.Name
			}
			if u := float64(demandNS(s)) / (float64(max(1, s.Workers)) * float64(max(1, p.Wall))); u > c.Utilisation {
				c.Utilisation, c.UtilisationStage = u, s.Name
			}
		}
	}
	for _, q := range run.Queues {
		c.BatchesLost += q.Sent - q.Received
	}
	c.LittleResidual = run.Flight.LittleResidual()
	c.closeCPU(run)
	c.closeBytes(run)
	return c
}

// closeBytes compares what went through the metered files with what the kernel counted. Nobody meters
// what is read before the input: the reference.
func (c *Closure) closeBytes(run Run) {
	if run.IO == nil {
		c.BytesResidualReason = "the kernel's count was not to be had"
		c.WriteBytesReason = c.BytesResidualReason
		return
	}
	read, written := run.Probed.ReadBytes, run.Probed.WriteBytes
	for _, p := range run.Phases {
		for _, s := range p.Stages {
			switch s.Kind {
			case meter.KindDeviceRead, meter.KindPipeRead:
				read += s.BytesIn
			case meter.KindDeviceWrite, meter.KindPipeWrite:
				written += s.BytesOut
			}
		}
	}
	c.ReadBytesResidual, c.BytesResidualReason = residual(run.IO.RCharBytes, read)
	c.WriteBytesResidual, c.WriteBytesReason = residual(run.IO.WCharBytes, written)
}

// residual is the share of kernel's bytes that ours do not have.
func residual(kernels, ours int64) (*float64, string) {
	if kernels < leastBytes {
		return nil, "too few bytes for a share of them"
	}
	r := float64(kernels-ours) / float64(kernels)
	return &r, ""
}

// statesResidual is by how much a stage was charged more than its lifetime. What is charged less
// is busy time, which must hold a computing stage's CPU time.
func statesResidual(s meter.Snapshot) float64 {
	if s.LifetimeNS <= 0 {
		return 0
	}
	over := -s.BusyNS()
	if s.Kind == meter.KindCPU {
		over = max(over, s.CPUNS-s.BusyNS()-s.BlockedNS())
	}
	if over -= wakeUpNS * s.Waits; over < wakeUpsNS {
		return 0
	}
	return float64(over) / float64(s.LifetimeNS)
}

func (c *Closure) closeCPU(run Run) {
	var process, stages float64
	for _, p := range run.Phases {
		if p.Startup {
			continue // work of no stage
		}
		if p.CPU <= 0 {
			c.CPUResidualReason = "the process clock was not read in every phase"
			return
		}
		process += p.CPU.Seconds()
		stages += p.RuntimeCPU.Seconds()
		for _, s := range p.Stages {
			stages += seconds(s.CPUNS + s.WorkNS)
		}
	}
	if process < leastCPUSeconds {
		c.CPUResidualReason = "too little CPU time for a share of it"
		return
	}
	if stages == 0 {
		c.CPUResidualReason = "no CPU time was measured on the stages' threads"
		return
	}
	r := (process - stages) / process
	c.CPUResidual = &r
}

// complaints has a sentence for each account that does not close.
func (c Closure) complaints() []string {
	var lines []string
	if c.StatesResidual > maxStatesResidual {
		lines = append(lines, fmt.Sprintf("%s was charged %.1f %% more than its lifetime", c.StatesStage, 100*c.StatesResidual))
	}
	if c.CPUResidual != nil && math.Abs(*c.CPUResidual) > maxCPUResidual {
		lines = append(lines, fmt.Sprintf("stages and process differ in CPU time by %.1f %%", 100**c.CPUResidual))
	}
	if math.Abs(c.LittleResidual) > maxLittleResidual {
		lines = append(lines, fmt.Sprintf("batches in flight and their rate times their stay differ by %.1f %%", 100*c.LittleResidual))
	}
	for _, of := range []struct {
		what     string
		residual *float64
	}{{"read", c.ReadBytesResidual}, {"written", c.WriteBytesResidual}} {
		if r := of.residual; r != nil && math.Abs(*r) > maxBytesResidual {
			lines = append(lines, fmt.Sprintf("the kernel counted %.1f %% more bytes %s than the stages", 100**r, of.what))
		}
	}
	if c.Utilisation > maxUtilisation {
		lines = append(lines, fmt.Sprintf("%s was used %.0f %% of what there is of it", c.UtilisationStage, 100*c.Utilisation))
	}
	if c.ItemsLost != 0 {
		lines = append(lines, fmt.Sprintf("reads in and primary records out differ by %d", c.ItemsLost))
	}
	if c.BatchesLost != 0 {
		lines = append(lines, fmt.Sprintf("%d batches were sent and not received", c.BatchesLost))
	}
	return lines
}
