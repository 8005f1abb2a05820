package host

import "golang.org/x/sys/unix"

func readCPU() maybe[CPU] {
	var ru unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &ru); err != nil {
		return missing[CPU](err.Error())
	}
	return maybe[CPU]{value: CPU{float64(ru.Utime.Nano()) / 1e9, float64(ru.Stime.Nano()) / 1e9,
		ru.Majflt, ru.Nvcsw, ru.Nivcsw}}
}
