package verdict

import "github.com/alignpipe/alignpipe/internal/meter"

// The knobs: what a user, or who runs the machine, can change. Those of serial stages are "stage NAME", but
// for the inflater of plain gzip.
const (
	KnobCores      = "cores"
	KnobThreads    = "threads"
	KnobQuota      = "quota"
	KnobNeighbour  = "neighbour"
	KnobMemory     = "memory"
	KnobBGZF       = "bgzf"
	KnobInputDisk  = "input-disk"
	KnobSpillDisk  = "spill-disk"
	KnobOutputDisk = "output-disk"
	KnobDisk       = "disk" // one that several roles share
	KnobUpstream   = "upstream"
	KnobDownstream = "downstream"
	KnobInFlight   = "in-flight"
	KnobIndex      = "index" // built or loaded before
)

func serialKnob(stage string) string {
	if stage == meter.NameInflate {
		return KnobBGZF
	}
	return StageKnob(stage)
}

// StageKnob is the knob that makes one stage faster.
func StageKnob(stage string) string { return "stage " + stage }

func ioKnob(class string) string {
	switch class {
	case InputIO:
		return KnobInputDisk
	case SpillIO:
		return KnobSpillDisk
	case OutputIO:
		return KnobOutputDisk
	case Starved:
		return KnobUpstream
	case Backpressured:
		return KnobDownstream
	default:
		return KnobDisk
	}
}
