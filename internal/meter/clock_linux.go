package meter

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// threadID returns the kernel's id of the calling thread.
func threadID() int { return unix.Gettid() }

// threadCPU returns the CPU time of a live thread of this process, in nanoseconds, and 0 for
// thread 0. The clock id is the kernel's encoding of "scheduler clock of thread tid", which any
// thread of the same process may read.
func threadCPU(tid int) int64 {
	if tid == 0 {
		return 0
	}
	var ts unix.Timespec
	if unix.ClockGettime(int32(^tid)<<3|6, &ts) != nil {
		return 0
	}
	return ts.Nano()
}

// CPUNow returns the CPU time of the whole process so far, garbage collector included.
func CPUNow() (user, system time.Duration) {
	var ru unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &ru) != nil {
		return 0, 0
	}
	return time.Duration(ru.Utime.Nano()), time.Duration(ru.Stime.Nano())
}

// PeakRSS returns the largest resident size of the process so far, in bytes, and 0 when the kernel
// does not say. It is not getrusage's number: that one survives exec, and so counts the parent.
func PeakRSS() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseInt(string(fields[0]), 10, 64)
	return kib << 10
}
