// Package verdict says what limited a run, from what its stages did.
//
// Fill a [Load] (with [StationOf] from meter's snapshots) and call [Classify]. It is a pure
// function: no clock, no files, no sampling; the same load gives the same verdict anywhere.
//
// bounds.go turns each phase into resources with a utilisation: every stage, every device, and
// the cores all stages share. The resource whose bound n/D (capacity over demand per read) is
// lowest limits the phase; how clearly is the elasticity, a share of 1 that the resources divide.
// classify.go weighs the phases by their wall time and names the class; evidence.go shows the
// numbers behind it and what speaks against it.
package verdict

import (
	"github.com/alignpipe/alignpipe/internal/meter"
)

// The classes that can be told from stage accounts alone. The contract has more; those need
// the host's counters.
const (
	CPU           = "cpu"                      // the cores, or a pool too small for them; Stage has the largest demand
	Serial        = "serial"                   // one thread that computes all the time while cores idle
	InputIO       = "input-io"                 // reading the input device
	SpillIO       = "spill-io"                 // writing or reading back sorted runs
	OutputIO      = "output-io"                // writing or syncing the output device
	Starved       = "starved-upstream"         // the program at the other end of the input pipe
	Backpressured = "backpressured-downstream" // the program at the other end of the output pipe
	Startup       = "startup"                  // index and reference loading, before any read
	Balanced      = "balanced"                 // no single resource has half of the say
	Undetermined  = "undetermined"             // too short, or nothing was busy
)

// Load is all that Classify looks at.
type Load struct {
	CPUs   float64 // that this process may use: affinity and cgroup quota, so 1.5 is possible
	Phases []Phase
	// Unclosed has one sentence per account that does not add up; each is shown and costs confidence.
	Unclosed []string
}

// Phase is a stretch of the run in which the same stages ran side by side. Phases follow each other.
type Phase struct {
	Name              string
	WallSeconds       float64
	Startup           bool      // before the first read; Stations is ignored
	ProcessCPUSeconds float64   // of the whole process, garbage collector included; 0 when not known
	Stations          []Station // in pipeline order
}

// Station is what one stage did in one phase. Times are seconds summed over its workers.
type Station struct {
	Name            string
	Kind            meter.Kind
	Workers         int
	CPUSeconds      float64 // on a CPU; busy wall time where threads have no clock
	BlockedSeconds  float64 // inside device calls and not on a CPU
	LifetimeSeconds float64
	BusySeconds     float64 // lifetime without waits, on a CPU or not
	WaitInSeconds   float64
	WaitOutSeconds  float64
	Items, Batches  int64
	Bytes           int64 // in or out, the larger
}

// StationOf turns a stage's account into a station.
func StationOf(s meter.Snapshot) Station {
	st := Station{
		Name: s.Name, Kind: s.Kind, Workers: max(1, s.Workers),
		CPUSeconds:      seconds(s.CPUNS),
		LifetimeSeconds: seconds(s.LifetimeNS),
		BusySeconds:     seconds(max(0, s.BusyNS())),
		WaitInSeconds:   seconds(s.WaitNS[meter.WaitIn]),
		WaitOutSeconds:  seconds(s.WaitNS[meter.WaitOut]),
		Items:           s.Items, Batches: s.Batches, Bytes: max(s.BytesIn, s.BytesOut),
	}
	if s.Kind == meter.KindCPU {
		if s.CPUNS == 0 {
			st.CPUSeconds = seconds(max(0, s.BusyNS()))
		}
		return st
	}
	st.BlockedSeconds = seconds(max(0, s.BlockedNS()-s.CPUNS))
	return st
}

// Stations turns the accounts of one phase into its stations, without those that did nothing.
func Stations(snaps ...meter.Snapshot) []Station {
	var out []Station
	for _, s := range snaps {
		if s.LifetimeNS > 0 {
			out = append(out, StationOf(s))
		}
	}
	return out
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }
