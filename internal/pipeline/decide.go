package pipeline

import (
	"fmt"
	"math"
)

// split is what the controller sets.
type split struct {
	mappers  int // that may work at a time
	inFlight int // batches between the parser and the mappers' release
}

// demands is what was measured during a window, while mapping went on. Times are seconds, summed over threads.
type demands struct {
	wall    float64
	cores   float64 // that the run may use at a time
	batches int64   // of reads, that were given to mappers
	mapCPU  float64 // of the mappers
	allCPU  float64 // of the process
	starved float64 // mappers waited for reads
	heldUp  float64 // mappers waited for those who take their records
	credit  float64 // the parser waited for a batch to come back
}

const (
	// waitShare is the part of the mappers' time, or of the parser's, from which on waiting is no accident.
	waitShare = 0.10
	// coresShare is the part of the cores from which on they are the limit, whoever waits for whom.
	coresShare = 0.90
	// wakeSeconds is how long who is woken may wait for a core: the time slice of the Go scheduler. A batch is often
	// mapped in less. Between the mapper that gives a batch back and the next that takes it, the parser and
	// an inflater may have to be woken.
	wakeSeconds = 0.010
	wakes       = 2
	// headroom is what the limit in flight is a multiple of, in place of what Little's law says, which holds for
	// means: with just that every delay would leave somebody without a batch.
	headroom = 2
)

// decide says which split serves what was measured, and why. first is the one that the run began with: there
// are no more mappers and batches than that. It is left only while this run keeps the cores busy, and comes back
// as soon as something else could be had with it. Without a reason to change decide returns now.
//
// Mappers that a slow device or pipe leaves without work are not sent away. They cost nothing while they
// wait, taking turns costs wake-ups (a tenth more context switches with a slow fifo, as many CPU seconds), and in a
// burst they are missed.
func decide(d demands, now, first split) (want split, why string) {
	if d.batches == 0 || d.wall <= 0 || d.mapCPU <= 0 {
		return now, ""
	}
	stay := d.wall * float64(now.mappers)
	starving, heldUp := d.starved > waitShare*stay, d.heldUp > waitShare*stay
	switch {
	case d.allCPU >= coresShare*d.cores*d.wall:
		return busy(d, first)
	case starving && d.credit > waitShare*d.wall:
		return first, fmt.Sprintf("mappers waited %s of their time for reads while the parser waited %s for batches to come back: "+
			"what the run began with", percent(d.starved/stay), percent(d.credit/d.wall))
	case !starving && !heldUp:
		return first, fmt.Sprintf("mappers waited for nobody, and %.2f of %.1f cores were in use: what the run began with", d.allCPU/d.wall, d.cores)
	}
	return now, ""
}

// busy is for cores that always have work: they are shared by demand, and mappers beyond their share only
// fight for them. Batches that queue beyond those in work are a traffic jam.
func busy(d demands, first split) (split, string) {
	share := d.cores * d.mapCPU / max(d.allCPU, d.mapCPU)
	want := split{mappers: between(1, share+1, first.mappers)}
	rate := float64(d.batches) / d.wall
	queued := rate * wakes * wakeSeconds
	want.inFlight = between(want.mappers+2, headroom*(1+share+queued), first.inFlight)
	return want, fmt.Sprintf("mapping took %.2f of %.2f CPU s: its share of %.1f cores is %.2f, plus 1 mapper; in flight, as rate x stay, 1 that "+
		"is parsed + %.2f that are mapped + %.2f that wait (%.0f a second, %d x %.0f ms), times %d",
		d.mapCPU, d.allCPU, d.cores, share, share, queued, rate, wakes, 1000*wakeSeconds, headroom)
}

// between rounds up, and then keeps to the bounds; most is the stronger one.
func between(least int, want float64, most int) int {
	return min(max(least, int(math.Ceil(want-1e-9))), most)
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }
