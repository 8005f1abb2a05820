package host

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// Partner is another process that holds the other end of a pipe.
type Partner struct {
	PID     int    `json:"pid"`
	Command string `json:"command"` // the first 15 bytes of its name

	started int64 // in ticks since the machine started; a number that was used again has another
	root    system
}

// NoPipe is the reason of [PipePartner] for what is no pipe.
const NoPipe = "not a pipe"

// PipePartner finds the process at the other end of an open pipe or fifo: of several the youngest,
// since shells keep the ends that they gave to their children. Processes of other users, and outside
// of a container, cannot be seen. Where there are more than 5,000 processes it does not look. It takes
// some 25 microseconds for each process, and at most a quarter of a second.
func PipePartner(fd uintptr) (*Partner, string) { return pipePartner(fd) }

// CPUSeconds is the CPU time that the process has used so far, in steps of 10 ms. The reason is not
// empty when it has ended.
func (p *Partner) CPUSeconds() (seconds float64, reason string) {
	st, err := p.root.processStat(p.PID)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) || err == nil && st.started != p.started {
		return 0, "the process has ended"
	}
	if err != nil {
		return 0, because(err)
	}
	return tick * float64(st.cpuTicks), ""
}

// processStat is what is wanted of /proc/PID/stat.
type processStat struct {
	command  string
	cpuTicks int64 // of its threads, user and system
	started  int64 // ticks since the machine started
}

func (s system) processStat(pid int) (processStat, error) {
	name := s.path("proc", strconv.Itoa(pid), "stat")
	data, err := os.ReadFile(name)
	if err != nil {
		return processStat{}, err
	}
	st, ok := parseProcessStat(data)
	if !ok {
		return processStat{}, &os.PathError{Op: "parse", Path: name, Err: os.ErrInvalid}
	}
	return st, nil
}

// parseProcessStat reads "PID (command) state ppid ...". The command may hold anything,
// brackets too, so the last one counts. What follows the state begins with field 4.
func parseProcessStat(data []byte) (processStat, bool) {
	open, end := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if open < 0 || end < open || len(data) < end+4 {
		return processStat{}, false
	}
	const first, utime, stime, starttime = 4, 14, 15, 22
	var n [starttime - first + 1]int64
	if numbers(data[end+4:], n[:]) != len(n) {
		return processStat{}, false
	}
	return processStat{string(data[open+1 : end]), n[utime-first] + n[stime-first], n[starttime-first]}, true
}

// parseFlags reads the flags of open(2), which are octal, in /proc/PID/fdinfo/FD.
func parseFlags(data []byte) (int64, bool) {
	_, rest, found := bytes.Cut(data, []byte("flags:"))
	fields := bytes.Fields(rest)
	if !found || len(fields) == 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(fields[0]), 8, 64)
	return n, err == nil
}
