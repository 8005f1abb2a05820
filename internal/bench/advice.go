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
	cpuLimit := r.worst(isCPU)
	if r.DeviceRoof == nil {
		a.say("The cores allow %s reads/s (lowest: %s). What the disks allow is not known: %s.", count(r.CPURoof), cpuLimit.Name, r.DeviceRoofReason)
		return a
	}
	cpu, disk, diskLimit := r.CPURoof, *r.DeviceRoof, r.worst(isDevice)
	a.say("The cores allow %s reads/s (lowest: %s), the disks %s (lowest: %s); measured are %s.",
		count(cpu), cpuLimit.Name, count(disk), diskLimit.Name, count(r.Measured.Median))
	switch {
	case disk*even < cpu:
		a.Buy = buyDisks
		a.say("Buy disks: %s waits for its device, and more cores would do nothing. The next limit is %s: a device %.1f times as fast is enough for these cores.",
			diskLimit.Name, cpuLimit.Name, cpu/disk)
	case disk < cpu*even:
		a.Buy = buyBoth
		a.say("Cores and disks limit alike: one without the other would do little.")
	case !cpuLimit.Scales:
		a.Buy = buyNeither
		a.say("Buy neither: %s is one thread's work while other cores are idle. %s", cpuLimit.Name, serialHint(cpuLimit.Name))
	case cpuLimit.Units < cpus: // plain gzip on few threads
		a.Buy = buyNeither
		a.say("Buy neither: %s is one thread's work for each file. %s", cpuLimit.Name, inflateHint(container))
	default:
		a.Buy = buyCores
		next, bound := r.worst(staysWithCores), r.roof(staysWithCores)
		a.say("Buy cores: %.1f times as many would be used, and a faster disk would do nothing before. The next limit then is %s, at %s reads/s.",
			bound/cpu, next.Name, count(bound))
	}
	return a
}

func (a *Advice) say(format string, args ...any) {
	a.Words = append(a.Words, fmt.Sprintf(format, args...))
}

func inflateHint(container string) string {
	if container == containerGzip {
		return "Reads in BGZF (bgzip) are inflated on all cores; so is gzip from four threads on."
	}
	return "Give it more threads."
}

func serialHint(stage string) string {
	if stage == meter.NameMerge {
		return "With --shards several merge side by side."
	}
	return "Faster cores would help, more would not."
}

// worst is the lowest station of a kind in the phase where it takes longest.
func (r *Roofline) worst(kind func(Station) bool) Station {
	var out Station
	for i := range r.Phases {
		known := r.Phases[i].lowest(kind)
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
