package report

import (
	"fmt"
	"math"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// The largest residuals that leave the verdict alone.
const (
	maxStatesResidual = 0.005 // of a stage's lifetime
	maxCPUResidual    = 0.05  // of the process's CPU: the scheduler and the wiring belong to no stage
)

// wakeUpsNS is overlap that is no fault of the accounts: a thread that goes to sleep and wakes up
// uses CPU in time that is charged as waiting. In a run of a few milliseconds it is a large share.
const wakeUpsNS = 2_000_000

// Closure tests whether the accounts add up. A residual is a share; 0 is perfect.
type Closure struct {
	// StatesResidual is the worst stage's time in states and on a CPU beyond its lifetime.
	StatesResidual float64 `json:"states_over_lifetime_residual"`
	StatesStage    string  `json:"states_over_lifetime_stage"` // that stage, "" when all close

	// CPUResidual is the process's CPU that no stage and no collector accounts for; it is negative
	// when the stages claim more than the process used.
	CPUResidual       *float64 `json:"stage_cpu_over_process_cpu_residual"`
	CPUResidualReason string   `json:"stage_cpu_over_process_cpu_residual_reason,omitempty"`

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
		}
	}
	for _, q := range run.Queues {
		c.BatchesLost += q.Sent - q.Received
	}
	c.closeCPU(run)
	return c
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
	if over < wakeUpsNS {
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
			stages += seconds(s.CPUNS)
		}
	}
	if process == 0 || stages == 0 {
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
	if c.ItemsLost != 0 {
		lines = append(lines, fmt.Sprintf("reads in and primary records out differ by %d", c.ItemsLost))
	}
	if c.BatchesLost != 0 {
		lines = append(lines, fmt.Sprintf("%d batches were sent and not received", c.BatchesLost))
	}
	return lines
}
