package main

import (
	"maps"
	"slices"
)

// The classes a scenario can be built for, in the contract's words.
const (
	classCPU           = "cpu"
	classSerial        = "serial"
	classInputIO       = "input-io"
	classSpillIO       = "spill-io"
	classOutputIO      = "output-io"
	classSharedDisk    = "shared-disk"
	classStarved       = "starved-upstream"
	classBackpressured = "backpressured-downstream"
	classMemory        = "memory"
	classThrottled     = "cgroup-throttled"
	classNoisy         = "noisy-neighbour"
	classLock          = "lock"
	classStartup       = "startup"
	classBalanced      = "balanced"
	classUndetermined  = "undetermined"
)

// classes are all of them, in the order of tables.
var classes = []string{classCPU, classSerial, classInputIO, classSpillIO, classOutputIO, classSharedDisk, classStarved,
	classBackpressured, classMemory, classThrottled, classNoisy, classLock, classStartup, classBalanced, classUndetermined}

// How a run's input is stored, what carries it, and what a disk is made of.
const (
	formatPlain = "plain"
	formatGzip  = "gzip"
	formatBGZF  = "bgzf"

	layoutSingle      = "single"
	layoutPair        = "pair"        // two files
	layoutInterleaved = "interleaved" // one file, for pipes

	viaFile = "file"
	viaFifo = "fifo"

	layerSlow = "slowfs" // in the process, see package slowfs
	layerLoop = "loop"   // a loop device, ext4, and the kernel's throttling

	// engineChild is this program as the pipeline, which can be dragged and have slow disks;
	// engineBinary is alignpipe as it is shipped.
	engineChild  = "child"
	engineBinary = "binary"
)

// The roles of folders, each of which may be on a disk of its own.
const (
	roleInput  = "input"
	roleOutput = "output"
	roleTemp   = "temp"
)

// Scenario is one run in one world. What generate draws is there from the start; numbers that
// depend on the machine (rates, counts, drags) are set by tune from a run without constraints.
type Scenario struct {
	Seed   uint64 `json:"seed"`
	Index  int    `json:"index"`
	Class  string `json:"class"`           // by construction
	Stage  string `json:"stage,omitempty"` // likewise, where the class has one
	Recipe string `json:"recipe"`          // the way the class was brought about
	Truth  bool   `json:"truth"`           // constraints are to be relaxed one by one
	Engine string `json:"engine"`

	Reference string `json:"reference"` // small or large
	FASTA     bool   `json:"fasta"`     // the index is built in the run
	Input     Input  `json:"input"`
	Output    Output `json:"output"`

	CPUs             int     `json:"cpus"`       // that the run may use
	Threads          int     `json:"threads"`    // -t
	QuotaCPUs        float64 `json:"quota_cpus"` // of its control group; 0: none
	Spinners         int     `json:"spinners"`   // processes that compete for the same CPUs
	MemoryBytes      int64   `json:"memory_bytes"`
	LeastMemory      float64 `json:"least_memory"`       // MemoryBytes as a multiple of the least that would do; 0: ample
	GroupMemoryBytes int64   `json:"group_memory_bytes"` // limit of its control group; 0: none

	Level      int                `json:"level"`
	Shards     int                `json:"shards"`
	Sort       string             `json:"sort"`
	Drag       map[string]float64 `json:"drag"` // by stage: this share more CPU time
	InFlight   int                `json:"in_flight"`
	BatchBases int                `json:"batch_bases"`

	Disks  map[string]Disk `json:"disks"` // by role; what is not there is the machine's own
	Decoys []string        `json:"decoys"`

	// Tight is how the class's constraints were drawn, by name: factors on what the run takes without them.
	Tight         map[string]float64 `json:"tight"`
	TargetSeconds float64            `json:"target_seconds"` // how long it should take
}

// Input is where the reads are and how they come.
type Input struct {
	Format    string  `json:"format"`
	Layout    string  `json:"layout"`
	Via       string  `json:"via"`
	Rate      float64 `json:"rate"` // of the producer, bytes a second, when via a fifo
	Templates int     `json:"templates"`
	Cached    bool    `json:"cached"` // in the page cache, whatever disk it is on
}

// Output is where the records go.
type Output struct {
	Via  string  `json:"via"`
	Rate float64 `json:"rate"` // of the consumer, bytes a second, when via a fifo
}

// Disk is what a role's folder is on. Roles with the same Name share it.
type Disk struct {
	Name      string  `json:"name"`
	Layer     string  `json:"layer"`
	ReadRate  float64 `json:"read_rate"` // bytes a second; 0: no limit
	WriteRate float64 `json:"write_rate"`
	Shared    bool    `json:"shared"` // reads and writes wait for each other
	LatencyMS float64 `json:"latency_ms"`
	JitterMS  float64 `json:"jitter_ms"`
	WriteBack int64   `json:"write_back_bytes"`
	Strict    bool    `json:"strict"` // loop: few dirty pages are allowed
}

// clone is a deep copy.
func (s Scenario) clone() Scenario {
	s.Drag = maps.Clone(s.Drag)
	s.Disks = maps.Clone(s.Disks)
	s.Tight = maps.Clone(s.Tight)
	s.Decoys = slices.Clone(s.Decoys)
	return s
}

func (s *Scenario) sorted() bool { return s.Sort != "none" }

func (s *Scenario) has(decoy string) bool { return slices.Contains(s.Decoys, decoy) }

// setDisk puts a role on a disk.
func (s *Scenario) setDisk(role string, d Disk) {
	if s.Disks == nil {
		s.Disks = map[string]Disk{}
	}
	s.Disks[role] = d
}

// updateDisk changes the disk of a role, for all roles that share it.
func (s *Scenario) updateDisk(role string, change func(*Disk)) {
	d := s.Disks[role]
	change(&d)
	for r, other := range s.Disks {
		if other.Name == d.Name {
			s.Disks[r] = d
		}
	}
}

// usesLoop tells whether the kernel's throttling is needed, and usesGroup whether a control group is.
func (s *Scenario) usesLoop() bool {
	for _, d := range s.Disks {
		if d.Layer == layerLoop {
			return true
		}
	}
	return s.has(decoyReader)
}

// free is the same run with nothing in its way, which tells what it takes by itself.
func (s Scenario) free() Scenario {
	f := s.clone()
	f.Input.Via, f.Input.Rate, f.Input.Cached = viaFile, 0, true
	f.Output = Output{Via: viaFile}
	f.QuotaCPUs, f.Spinners, f.GroupMemoryBytes = 0, 0, 0
	f.InFlight = 0
	f.Disks, f.Decoys = nil, nil
	if f.Class == classSerial {
		delete(f.Drag, f.Stage)
	}
	return f
}
