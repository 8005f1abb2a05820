//go:build !linux

package meter

import "time"

// Without a thread clock every worker looks unbound: waits are exact, CPU times are zero.
func threadID() int { return 0 }

func threadCPU(int) int64 { return 0 }

// CPUNow returns zero: the process clock is read on Linux only.
func CPUNow() (user, system time.Duration) { return 0, 0 }

// PeakRSS returns zero: it is read on Linux only.
func PeakRSS() int64 { return 0 }
