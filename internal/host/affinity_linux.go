package host

import "golang.org/x/sys/unix"

// mostCPUs is what kernels are built for at most.
const mostCPUs = 8192

// affinity lists the CPUs in this process's scheduler mask.
func affinity() []int {
	set := unix.NewCPUSet(mostCPUs)
	if unix.SchedGetaffinityDynamic(0, set) != nil {
		return nil
	}
	var cpus []int
	for cpu := range mostCPUs {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}
