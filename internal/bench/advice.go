package bench

import (
	"fmt"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// What to buy.
const (
	buyCores   = "cores"
	buyDisks   = "disks"
	buyBoth    = "both"
	buyNeither = "neither" // one thread limits: neither would help
	buyUnknown = "unknown"
)

// even is by how much two bounds must differ to be told apart: less than their spread usually is.
const even = 1.1

// Advice says what would make runs like these faster.
type Advice struct {
	Buy   string   `json:"buy"` // cores, disks, both, neither or unknown
	Words []string `json:"words"`
}

// adviceOf compares the lowest bound of the cores with the lowest of the disks.
func adviceOf(r Roofline, cpus float64, container string) Advice {
	a := Advice{Buy: buyUnknown}
	say := func(format string, args ...any) { a.Words = append(a.Words, fmt.Sprintf(format, args...)) }
	if r.DeviceRoof == nil {
		say("Cores allow %s reads/s. What the disks allow is not known: %s.", count(r.CPURoof), r.DeviceRoofReason)
		return a
	}
	cpu, disk := r.CPURoof, *r.DeviceRoof
	cpuStation, diskStation := r.worst(resourceCPU), r.worst(resourceDevice)
	say("The cores allow %s reads/s (lowest: %s), the disks %s (lowest: %s); measured are %s.",
		count(cpu), cpuStation.Name, count(disk), diskStation.Name, count(r.Measured.Median))
	serial := cpuStation.Name != nameCores && cpuStation.Units < cpus
	switch {
	case disk*even < cpu:
		a.Buy = buyDisks
		say("Buy disks: %s waits for the device. One %.1f times as fast would be enough for these cores; more cores would do nothing.", diskStation.Name, cpu/disk)
	case disk < cpu*even:
		a.Buy = buyBoth
		say("Cores and disks limit alike: one without the other would do little.")
	case serial:
		a.Buy = buyNeither
		say("Buy neither: %s is one thread's work while other cores are idle. %s", cpuStation.Name, serialHint(cpuStation.Name, container))
	default:
		a.Buy = buyCores
		say("Buy cores: the disks would be enough for %.1f times as many, %.0f in all; a faster disk would do nothing before that.", disk/cpu, cpus*disk/cpu)
	}
	if r.Next != "" {
		say("The next limit behind %s is %s.", r.Limit, r.Next)
	}
	return a
}

func serialHint(stage, container string) string {
	switch {
	case stage == meter.NameInflate && container == containerGzip:
		return "Reads in BGZF (bgzip) are inflated on all cores; so is gzip from four threads on."
	case stage == meter.NameMerge:
		return "With --shards several merge side by side."
	}
	return "Faster cores would help, more would not."
}

// worst is the lowest station of a resource in the phase where it takes longest.
func (r *Roofline) worst(resource string) Station {
	var out Station
	for i := range r.Phases {
		known := r.Phases[i].lowest(resource)
		if len(known) > 0 && (out.Allowed == nil || *known[0].Allowed < *out.Allowed) {
			out = known[0]
		}
	}
	return out
}

// count writes a number of reads so that it can be read.
func count(n float64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.2f million", n/1e6)
	case n >= 1e4:
		return fmt.Sprintf("%.0f thousand", n/1e3)
	}
	return fmt.Sprintf("%.0f", n)
}
