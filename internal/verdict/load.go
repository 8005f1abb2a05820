// Package verdict says what limited a run, from what its stages did, and what another machine or
// other options would have made of it.
//
// Fill a [Load] (with [StationOf] from meter's snapshots) and call [Classify] or [Load.Forecast]. They are
// pure functions: no clock, no files, no sampling; the same load gives the same verdict anywhere.
//
// resources.go turns each phase into resources with a utilisation: every serial stage, every device, and
// the cores all stages share. The resource whose bound n/D (capacity over demand per read) is
// lowest limits the phase; how clearly is the elasticity, a share of 1 that the resources divide (softmin.go).
// classify.go weighs the phases by their wall time and names the class; confidence.go asks how sure that is;
// evidence.go shows the numbers behind it and what speaks against it. forecast.go changes demands and
// capacities and asks again.
package verdict

import (
	"github.com/alignpipe/alignpipe/internal/meter"
)

// The classes.
const (
	CPU           = "cpu"                      // the cores, or a pool too small for them; Stage has the largest demand
	Serial        = "serial"                   // one thread that computes all the time while cores idle
	InputIO       = "input-io"                 // reading the input device
	SpillIO       = "spill-io"                 // writing or reading back sorted runs
	OutputIO      = "output-io"                // writing or syncing the output device
	SharedDisk    = "shared-disk"              // a device that several of these three use
	Starved       = "starved-upstream"         // the program at the other end of the input pipe
	Backpressured = "backpressured-downstream" // the program at the other end of the output pipe
	Memory        = "memory"                   // page faults or garbage collection
	Throttled     = "cgroup-throttled"         // the CPU quota of a control group
	Neighbour     = "noisy-neighbour"          // other programs on the same cores
	Lock          = "lock"                     // too few batches in flight, or waiting for an order
	Startup       = "startup"                  // index and reference loading, before any read
	Balanced      = "balanced"                 // no single resource has half of the say
	Undetermined  = "undetermined"             // too short, or nothing was busy
)

// Load is all that Classify and Forecast look at. It is part of the report, so that anybody can
// compute both again.
type Load struct {
	CPUs      float64 `json:"cpus"`       // that this run may use at a time: the smallest of the three below
	Threads   int     `json:"threads"`    // --threads
	HostCPUs  float64 `json:"host_cpus"`  // that the scheduler lets this process run on; 0: not known
	QuotaCPUs float64 `json:"quota_cpus"` // of the control groups; 0: none

	Phases []Phase `json:"phases"`
	// Unclosed has one sentence per account that does not add up: then nothing can be told.
	Unclosed []string `json:"unclosed"`
	// Notes are facts to show with a verdict, by class.
	Notes map[string]string `json:"notes"`
	// Doubts has one sentence per sign that the accounts are worth less than usual; each costs confidence.
	Doubts []string `json:"doubts"`
}

// Phase is a stretch of the run in which the same stages ran side by side. Phases follow each other.
type Phase struct {
	Name              string    `json:"name"`
	WallSeconds       float64   `json:"wall_seconds"`
	Startup           bool      `json:"startup"`             // before the first read; Stations is ignored
	ProcessCPUSeconds float64   `json:"process_cpu_seconds"` // of the whole process, garbage collector included; 0 when not known
	Stations          []Station `json:"stations"`            // in pipeline order
	Devices           []Device  `json:"devices"`             // that the stations' calls went to
	Host              *Host     `json:"host"`                // nil where nothing is known
	HostReason        string    `json:"host_reason,omitempty"`
	// InFlight is how many batches of reads there may be at a time; 0: not known.
	InFlight int `json:"in_flight"`
	// Windows are pieces of the phase, each some hundred milliseconds long, for the confidence. They need not
	// cover all of it, and are not in the report.
	Windows []Phase `json:"-"`
}

// Device is one disk or pipe in one phase.
type Device struct {
	Name        string  `json:"name"`
	BusySeconds float64 `json:"busy_seconds"` // with at least one call under way
}

// Host is what the machine did in one phase beside this process.
type Host struct {
	OthersCPUSeconds float64 `json:"others_cpu_seconds"` // of other programs on the CPUs of this process, and stolen
	ThrottledSeconds float64 `json:"throttled_seconds"`  // in which a control group had used up its quota
	RunQueueSeconds  float64 `json:"run_queue_seconds"`  // of this process's threads, ready to run and not running
	CollectorSeconds float64 `json:"collector_seconds"`  // CPU of the garbage collector
	MajorFaults      int64   `json:"major_faults"`       // pages that had to be read from a disk
}

// Station is what one stage did in one phase. Times are seconds summed over its workers.
type Station struct {
	Name            string     `json:"name"`
	Kind            meter.Kind `json:"kind"`
	Workers         int        `json:"workers"`
	Serial          bool       `json:"serial"`          // no option or machine gives it more workers
	Device          string     `json:"device"`          // that its calls go to; "" where not known
	CPUSeconds      float64    `json:"cpu_seconds"`     // on a CPU; busy wall time where threads have no clock
	BlockedSeconds  float64    `json:"blocked_seconds"` // inside device calls and not on a CPU
	LifetimeSeconds float64    `json:"lifetime_seconds"`
	BusySeconds     float64    `json:"busy_seconds"` // lifetime without waits, on a CPU or not
	WaitInSeconds   float64    `json:"wait_in_seconds"`
	WaitOutSeconds  float64    `json:"wait_out_seconds"`
	Items           int64      `json:"items"`
	Batches         int64      `json:"batches"`
	Bytes           int64      `json:"bytes"` // in or out, the larger
}

// StationOf turns a stage's account into a station.
func StationOf(s meter.Snapshot) Station {
	st := Station{
		Name: s.Name, Kind: s.Kind, Workers: max(1, s.Workers), Serial: s.Serial, Device: s.Device,
		CPUSeconds:      seconds(s.CPUNS),
		LifetimeSeconds: seconds(s.LifetimeNS),
		BusySeconds:     seconds(max(0, s.BusyNS())),
		WaitInSeconds:   seconds(s.WaitNS[meter.WaitIn]),
		WaitOutSeconds:  seconds(s.WaitNS[meter.WaitOut]),
		Items:           s.Items, Batches: s.Batches, Bytes: max(s.BytesIn, s.BytesOut),
	}
	if s.Kind == meter.KindCPU {
		return st
	}
	st.BlockedSeconds = seconds(max(0, s.BlockedNS()-s.CPUNS))
	return st
}

// Stations turns the accounts of one phase into its stations, without those that did nothing.
func Stations(snaps ...meter.Snapshot) []Station {
	var out []Station
	clock := false // a stage with a clock may have done nothing for a while
	for _, s := range snaps {
		if s.LifetimeNS > 0 {
			out = append(out, StationOf(s))
			clock = clock || s.CPUNS > 0
		}
	}
	for i := range out {
		if !clock && out[i].Kind == meter.KindCPU {
			out[i].CPUSeconds = out[i].BusySeconds
		}
	}
	return out
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }
