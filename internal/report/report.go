// Package report turns what a run measured into REPORT.json and the lines at its end.
//
// Fill a [Run], call [Build], then [WriteJSON] and [Summary]. Build works out the verdict and
// checks that the accounts close. In the JSON the unit of a number is in its name, and a value
// that is missing is null with the reason in a key beside it, the same name with _reason.
package report

import (
	"fmt"
	"time"

	"github.com/alignpipe/alignpipe/internal/host"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/verdict"
)

// SchemaVersion changes when a key of the JSON is renamed, removed, or means something else.
const SchemaVersion = 1

// Run is what the pipeline and the command know at the end of a run.
type Run struct {
	Version  string   // of the program
	Command  []string // arguments, the program's name first
	CPUs     CPUs
	Phases   []PhaseRun
	Queues   []meter.QueueSnapshot
	Flight   meter.FlightSnapshot // of batches, from the parser to the mappers' release
	Inputs   []Input
	Files    []FileRole
	Host     *host.Delta // over the whole run; nil where nobody looked
	IO       *host.IO    // from the first read of the input on; nil where it is not known
	Partners []Partner   // at the other ends of pipes
	// DebtBytes of the output were not on its device when the final sync began; nil where the kernel does not tell.
	DebtBytes *int64
	// Makespan was forecast during the run; nil, with a reason, where it was not.
	Makespan       *Makespan
	MakespanReason string
	Probed         Probed
	Options        Options
	Reads          Reads
	Sort           Sort
	Memory         Memory
	Auto           []AutoChange // what was changed during the run, in order
	AutoOff        string       // why nothing could be; "" where it could
	// Duplicates has the metrics of duplicate marking, as encoding/json is to write them; nil without.
	Duplicates any
}

// PhaseRun is one stretch of the run. A stage belongs to the phase in which it ran; one that runs
// in several has a snapshot in each, of that phase alone (see meter.Snapshot.Sub).
type PhaseRun struct {
	Name     string
	Startup  bool // before the first read
	InFlight int  // batches of reads that there may be at a time; 0 where none are
	Span
	Windows []Span // pieces of it, in order
}

// Span is what happened between two moments.
type Span struct {
	Wall time.Duration
	CPU  time.Duration // of the whole process; 0 when not known
	// RuntimeCPU is the part of CPU that is no stage's: of the collector, the scheduler, and what joins stages.
	RuntimeCPU time.Duration
	Stages     []meter.Snapshot // in pipeline order
	Devices    []DeviceBusy
	Host       *host.Delta // nil where nobody looked
}

// DeviceBusy is the time in which at least one call to a device was under way.
type DeviceBusy struct {
	Name string
	Busy time.Duration
}

// CPUs is what the run may use.
type CPUs struct {
	Threads int     // --threads
	Host    float64 // that the scheduler lets the process run on; 0: not known
	Quota   float64 // of the control groups; 0: none
	Source  string  // what sets the smaller of the two
}

// Limit is how many may work at a time.
func (c CPUs) Limit() float64 {
	limit := float64(c.Threads)
	for _, n := range []float64{c.Host, c.Quota} {
		if n > 0 {
			limit = min(limit, n)
		}
	}
	return limit
}

// Input is one file of reads.
type Input struct {
	Path        string `json:"path"`
	Format      string `json:"format"` // plain, gzip, gzip in pieces, bgzf
	Serial      bool   `json:"inflated_by_one_thread"`
	SizeBytes   *int64 `json:"size_bytes"`            // null for a pipe
	CachedBytes *int64 `json:"cached_bytes_at_start"` // in the page cache; null where the kernel does not tell
}

// FileRole says where the files of a role lie.
type FileRole struct {
	Role   string `json:"role"` // input, spill, output
	Path   string `json:"path"`
	Device string `json:"device"` // what the accounts call it
	host.File
	SizeBytes   *int64 `json:"-"`
	CachedBytes *int64 `json:"-"`
}

// Options are those of the run that forecasts need to know.
type Options struct {
	Level      int    `json:"level"`
	Shards     int    `json:"shards"`
	Sort       string `json:"sort"`        // coordinate, name, none
	Format     string `json:"format"`      // bam, sam
	OutputFile string `json:"output_file"` // absolute; a shard where there are several; "" for a stream
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

// AutoChange is one change of the workers' split, or of the limit in flight, during the run.
type AutoChange struct {
	AtSeconds float64 `json:"at_seconds"` // since the start
	Mappers   int     `json:"mappers"`    // that may work at a time, from then on
	InFlight  int     `json:"in_flight"`  // batches that there may be, from then on
	Why       string  `json:"why"`        // with the numbers it was decided by
}

// Sort counts the sorter's work.
type Sort struct {
	Records      int64 `json:"records"`
	SpilledRuns  int64 `json:"spilled_runs"`
	SpilledBytes int64 `json:"spilled_bytes"`
	// NeededBytes is the least --memory with which nothing had been spilled.
	NeededBytes       *int64 `json:"needed_memory_bytes"`
	NeededBytesReason string `json:"needed_memory_bytes_reason,omitempty"`
}

// Memory is the process's use of memory. Leave PeakBytes nil to let Build ask the system.
type Memory struct {
	PeakBytes       *int64 `json:"peak_bytes"` // resident, largest so far
	PeakBytesReason string `json:"peak_bytes_reason,omitempty"`
	LimitBytes      int64  `json:"limit_bytes"` // --memory
}

// Report is the content of REPORT.json.
type Report struct {
	SchemaVersion  int          `json:"schema_version"`
	Version        string       `json:"version"`
	Command        []string     `json:"command"`
	WallSeconds    float64      `json:"wall_seconds"`
	CPUsAvailable  float64      `json:"cpus_available"`
	Threads        int          `json:"threads"`
	Verdict        Verdict      `json:"verdict"`
	Reads          Reads        `json:"reads"`
	Duplicates     any          `json:"duplicate_metrics,omitempty"` // those of the metrics file
	Sort           Sort         `json:"sort"`
	Memory         Memory       `json:"memory"`
	Phases         []Phase      `json:"phases"`
	Stages         []Stage      `json:"stages"`
	Queues         []Queue      `json:"queues"`
	Closure        Closure      `json:"closure"`
	Inputs         []Input      `json:"inputs"`
	Files          []FileRole   `json:"files"`
	Host           *host.Delta  `json:"host"`
	HostReason     string       `json:"host_reason,omitempty"`
	Partners       []Partner    `json:"pipe_partners"`
	DebtBytes      *int64       `json:"output_debt_bytes_before_sync"`
	DebtReason     string       `json:"output_debt_bytes_before_sync_reason,omitempty"`
	Makespan       *Makespan    `json:"makespan_forecast"`
	MakespanReason string       `json:"makespan_forecast_reason,omitempty"`
	Options        Options      `json:"options"`
	Flight         Flight       `json:"in_flight"`
	Auto           []AutoChange `json:"auto"` // null where nothing could be changed
	AutoReason     string       `json:"auto_reason,omitempty"`
	Model          verdict.Load `json:"model"` // what the verdict is computed from, and forecasts are
}

// Verdict is the verdict as the JSON has it.
type Verdict struct {
	Class            string                 `json:"class"`
	Stage            *string                `json:"stage"`
	StageReason      string                 `json:"stage_reason,omitempty"`
	Confidence       float64                `json:"confidence"` // 0..1
	ConfidenceMethod string                 `json:"confidence_method"`
	Evidence         []string               `json:"evidence"`
	Advice           string                 `json:"advice"`
	Limits           []verdict.Limit        `json:"limits"` // every resource, the largest elasticity first
	Phases           []verdict.PhaseVerdict `json:"phases"`

	headline string
}

// Flight is the account of the batches between the parser and the mappers' release.
type Flight struct {
	Limit             int      `json:"limit_batches"`
	Batches           int64    `json:"batches"`
	MeanBatches       *float64 `json:"mean_batches"`
	MeanStaySeconds   *float64 `json:"mean_stay_seconds"`
	MeanBatchesReason string   `json:"mean_batches_reason,omitempty"`
	MeanStayReason    string   `json:"mean_stay_seconds_reason,omitempty"`
}

func flightOf(s meter.FlightSnapshot) Flight {
	f := Flight{Limit: s.Limit, Batches: s.Left}
	if s.Left == 0 {
		f.MeanBatchesReason, f.MeanStayReason = "no batch came through", "no batch came through"
		return f
	}
	stay := s.MeanStayNS / 1e9
	f.MeanBatches, f.MeanStaySeconds = &s.MeanInside, &stay
	return f
}

// Probed are bytes that were moved to learn how fast devices are, by no stage.
type Probed struct{ ReadBytes, WriteBytes int64 }

// Partner is a program at the other end of one of the run's pipes.
type Partner struct {
	Role    string        `json:"role"` // input, output
	Process *host.Partner `json:"process"`
	CPUs    *float64      `json:"cpus"` // that it used while it was watched
	Reason  string        `json:"cpus_reason,omitempty"`
}

// Makespan is a forecast that was made when a tenth of the input was mapped. Times are from the start
// of the run.
type Makespan struct {
	AtSeconds     float64 `json:"at_seconds"`
	InputShare    float64 `json:"input_share"` // that was mapped then
	WallSeconds   float64 `json:"wall_seconds"`
	StreamSeconds float64 `json:"stream_end_seconds"`
	MergeSeconds  float64 `json:"merge_seconds"`  // of the cores
	OutputSeconds float64 `json:"output_seconds"` // of the output's device
}

// Name is the class with its stage, as in "cpu (map)".
func (v Verdict) Name() string {
	if v.Stage == nil {
		return v.Class
	}
	return fmt.Sprintf("%s (%s)", v.Class, *v.Stage)
}

// Build works out the report of a run.
func Build(run Run) *Report {
	r := &Report{
		SchemaVersion: SchemaVersion, Version: run.Version, Command: nonNil(run.Command),
		CPUsAvailable: run.CPUs.Limit(), Threads: run.CPUs.Threads,
		Reads: run.Reads, Duplicates: run.Duplicates, Sort: run.Sort, Memory: run.Memory,
		Phases: []Phase{}, Stages: []Stage{}, Queues: []Queue{},
		Inputs: nonNil(run.Inputs), Files: nonNil(run.Files), Host: run.Host,
		Partners: nonNil(run.Partners), DebtBytes: run.DebtBytes,
		Makespan: run.Makespan, MakespanReason: run.MakespanReason,
		Options: run.Options, Flight: flightOf(run.Flight),
	}
	if r.DebtBytes == nil {
		r.DebtReason = "the kernel does not tell, or the output is a stream"
	}
	if r.Makespan == nil && r.MakespanReason == "" {
		r.MakespanReason = "nobody tried"
	}
	if r.AutoReason = run.AutoOff; r.AutoReason == "" {
		r.Auto = nonNil(run.Auto)
	}
	if r.Host == nil {
		r.HostReason = "nobody looked at the machine"
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
	if r.Sort.NeededBytes == nil && r.Sort.NeededBytesReason == "" {
		r.Sort.NeededBytesReason = "nothing was sorted"
	}
	r.Closure = closureOf(run)
	r.Model = loadOf(run, r.Closure.complaints())
	r.Verdict = verdictOf(verdict.Classify(r.Model))
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

func verdictOf(v verdict.Verdict) Verdict {
	out := Verdict{
		Class: v.Class, Confidence: v.Confidence,
		ConfidenceMethod: "lead of the first limit's gain over that of the next class, times the share of resampled runs with the same class, less a fifth for each witness against; not a calibrated probability",
		Evidence:         nonNil(v.Evidence), Advice: v.Advice, Limits: nonNil(v.Limits), Phases: nonNil(v.Phases), headline: v.String(),
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
