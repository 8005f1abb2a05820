package bench

import "time"

// effort says how much is measured, and how long.
type effort struct {
	repeats     int           // of every ceiling
	transfer    time.Duration // of one transfer to or from a disk
	maxTransfer int64         // bytes of one
	chaseBytes  int           // memory that the pointer chase goes through
	copyBytes   int           // of one copy in memory
	genomeBases int
	sampleReads int           // for the ceilings of a core
	runReads    int           // most reads of a pipeline run
	run         time.Duration // that one is to take
	step        time.Duration // of one experiment with many runs
	pairs       int           // of runs with queues and with barriers
	inFlight    []int         // limits of batches in flight
	sweep       int           // runs with each
	batches     []int         // sizes, as powers of two times the default
	batchSweep  int           // runs with each
	fills       []int         // sizes to measure filling and draining with; the sample has a batch of the largest
	fillRuns    int           // runs with each
}

const mebi = 1 << 20

// fullEffort takes less than two minutes on two cores.
func fullEffort() effort {
	return effort{repeats: 3, transfer: 200 * time.Millisecond, maxTransfer: 256 * mebi, chaseBytes: 256 * mebi, copyBytes: 64 * mebi,
		genomeBases: 6_000_000, sampleReads: 60_000, runReads: 1_000_000, run: 650 * time.Millisecond, step: 14 * time.Second,
		pairs: 5, inFlight: []int{1, 2, 3, 4, 6, 8, 12, 16, 24}, sweep: 3, batches: []int{-4, -3, -2, -1, 0, 1, 2, 3}, batchSweep: 3,
		fills: []int{0, 2, 3, 4}, fillRuns: 5}
}

// quickEffort takes a few seconds; its figures are rough.
func quickEffort() effort {
	return effort{repeats: 3, transfer: 15 * time.Millisecond, maxTransfer: 16 * mebi, chaseBytes: 32 * mebi, copyBytes: 8 * mebi,
		genomeBases: 300_000, sampleReads: 4_000, runReads: 20_000, run: 100 * time.Millisecond, step: 2 * time.Second,
		pairs: 3, inFlight: []int{1, 2, 4, 8}, sweep: 1, batches: []int{-2, 0, 1}, batchSweep: 1,
		fills: []int{-1, 0}, fillRuns: 1}
}
