// Package meter counts what each stage of the pipeline does and what it waits for.
//
// Make a [Stage] per station with [NewStage], or all of them with [NewSet]. Goroutines call
// [Stage.Enter] when they begin to work for a stage and [Worker.Exit] when they stop. Join stages
// with a [Queue], which charges waiting to the stage that waited, and wrap files where they are
// opened with [NewReader] and [NewWriter]. [Stage.Snapshot] reads the counters at any time.
//
// Nothing here decides anything: the counters only go up, and package verdict reads them.
// A nil *Stage is valid everywhere and records nothing.
//
// # How time is divided
//
// A worker's lifetime runs from Enter to Exit. The part of it spent in a state ([WaitIn],
// [BlkRead], ...) is charged when the wait ends; the rest is busy time. A worker that is still
// inside a wait therefore looks busy until the wait is over. Busy time is wall time: the share
// that was really on a CPU is Snapshot.CPUNS, from the thread's own clock.
//
// Work for one stage may be done inside another, as when a map worker sorts and spills its slab:
// the inner Enter, or the device call, stops the outer stage's clocks until it returns. The outer
// stage must be of [KindCPU] for that, since only then is the goroutine bound to its thread.
package meter
