// Package report turns what a run measured into REPORT.json and the lines at its end.
//
// Fill a [Run], call [Build], then [WriteJSON] and [Summary]. Build works out the verdict and
// checks that the accounts close. In the JSON the unit of a number is in its name, and a value
// that is missing is null with the reason in a key beside it, the same name with _reason.
package report

import (
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/verdict"
)

// SchemaVersion changes when a key of the JSON is renamed, removed, or means something else.
const SchemaVersion = 1

// Run is what the pipeline and the command know at the end of a run.
type Run struct {
	Version string   // of the program
	Command []string // arguments, the program's name first
	CPUs    float64  // that this process may use
	Threads int      // --threads
	Phases  []PhaseRun
	Queues  []meter.QueueSnapshot
	Reads   Reads
	Sort    Sort
	Memory  Memory
	// Duplicates has the metrics of duplicate marking, as encoding/json is to write them; nil without.
	Duplicates any
}

// PhaseRun is one stretch of the run. A stage belongs to the phase in which it ran; one that runs
// in several has a snapshot in each, of that phase alone (see meter.Snapshot.Sub).
type PhaseRun struct {
	Name    string
	Wall    time.Duration
	Startup bool          // before the first read
	CPU     time.Duration // of the whole process in this phase; 0 when not known
	// RuntimeCPU is the part of CPU that the garbage collector used; 0 when not known.
	RuntimeCPU time.Duration
	Stages     []meter.Snapshot // in pipeline order
}

// Reads counts the run's reads; a pair is two.
type Reads struct {
	Total            int64  `json:"total"`           // given to the mapper
	Mapped           int64  `json:"mapped"`          // of those, with a primary record that has a position
	PrimaryWritten   int64  `json:"primary_written"` // primary records in the output: must equal total
	Skipped          int64  `json:"skipped"`         // bad records left out on request
	Duplicates       *int64 `json:"duplicates"`
	DuplicatesReason string `json:"duplicates_reason,omitempty"`
}

// Sort counts the sorter's work.
type Sort struct {
	Records      int64 `json:"records"`
	SpilledRuns  int64 `json:"spilled_runs"`
	SpilledBytes int64 `json:"spilled_bytes"`
}

// Memory is the process's use of memory. Leave PeakBytes nil to let Build ask the system.
type Memory struct {
	PeakBytes       *int64 `json:"peak_bytes"` // resident, largest so far
	PeakBytesReason string `json:"peak_bytes_reason,omitempty"`
	LimitBytes      int64  `json:"limit_bytes"` // --memory
}

// Report is the content of REPORT.json.
type Report struct {
	SchemaVersion int      `json:"schema_version"`
	Version       string   `json:"version"`
	Command       []string `json:"command"`
	WallSeconds   float64  `json:"wall_seconds"`
	CPUsAvailable float64  `json:"cpus_available"`
	Threads       int      `json:"threads"`
	Verdict       Verdict  `json:"verdict"`
	Reads         Reads    `json:"reads"`
	Duplicates    any      `json:"duplicate_metrics,omitempty"` // those of the metrics file
	Sort          Sort     `json:"sort"`
	Memory        Memory   `json:"memory"`
	Phases        []Phase  `json:"phases"`
	Stages        []Stage  `json:"stages"`
	Queues        []Queue  `json:"queues"`
	Closure       Closure  `json:"closure"`
}

// Verdict is the verdict as the JSON has it.
type Verdict struct {
	Class            string          `json:"class"`
	Stage            *string         `json:"stage"`
	StageReason      string          `json:"stage_reason,omitempty"`
	Confidence       float64         `json:"confidence"` // 0..1
	ConfidenceMethod string          `json:"confidence_method"`
	Evidence         []string        `json:"evidence"`
	Advice           string          `json:"advice"`
	Limits           []verdict.Limit `json:"limits"` // every resource, the largest elasticity first

	headline string
}

// Build works out the report of a run.
func Build(run Run) *Report {
	r := &Report{
		SchemaVersion: SchemaVersion, Version: run.Version, Command: nonNil(run.Command),
		CPUsAvailable: run.CPUs, Threads: run.Threads,
		Reads: run.Reads, Duplicates: run.Duplicates, Sort: run.Sort, Memory: run.Memory,
		Phases: []Phase{}, Stages: []Stage{}, Queues: []Queue{},
	}
	for _, p := range run.Phases {
		r.WallSeconds += p.Wall.Seconds()
		r.Phases = append(r.Phases, phaseOf(p))
		for _, s := range p.Stages {
			r.Stages = append(r.Stages, stageOf(p, s))
		}
	}
	for _, q := range run.Queues {
		r.Queues = append(r.Queues, queueOf(q))
	}
	if r.Reads.Duplicates == nil && r.Reads.DuplicatesReason == "" {
		r.Reads.DuplicatesReason = "duplicates were not looked for"
	}
	r.Memory.fill()
	r.Closure = closureOf(run)
	r.Verdict = verdictOf(verdict.Classify(loadOf(run, r.Closure.complaints())))
	return r
}

func (m *Memory) fill() {
	if m.PeakBytes != nil || m.PeakBytesReason != "" {
		return
	}
	if peak := meter.PeakRSS(); peak > 0 {
		m.PeakBytes = &peak
		return
	}
	m.PeakBytesReason = "this system does not tell the peak"
}

func loadOf(run Run, unclosed []string) verdict.Load {
	load := verdict.Load{CPUs: run.CPUs, Unclosed: unclosed}
	for _, p := range run.Phases {
		load.Phases = append(load.Phases, verdict.Phase{
			Name: p.Name, WallSeconds: p.Wall.Seconds(), Startup: p.Startup,
			ProcessCPUSeconds: p.CPU.Seconds(), Stations: verdict.Stations(p.Stages...),
		})
	}
	return load
}

func verdictOf(v verdict.Verdict) Verdict {
	out := Verdict{
		Class: v.Class, Confidence: v.Confidence,
		ConfidenceMethod: "lead of the first limit over the second, less a fifth for each witness against; not a calibrated probability",
		Evidence:         nonNil(v.Evidence), Advice: v.Advice, Limits: nonNil(v.Limits), headline: v.String(),
	}
	if v.Stage == "" {
		out.StageReason = "this class names no stage"
	} else {
		out.Stage = &v.Stage
	}
	return out
}

// nonNil makes a missing list [] in the JSON, not null.
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
