package host

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	mostProcesses = 5000
	mostSearch    = 250 * time.Millisecond
)

const tookTooLong = "looking through the processes took too long"

func pipePartner(fd uintptr) (*Partner, string) {
	if !statFD(fd).pipe {
		return nil, NoPipe
	}
	flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err).Error()
	}
	s := thisSystem()
	// An anonymous pipe's link is "pipe:[inode]", a fifo's its path: the same text for both ends.
	// Nothing is stat'ed, since another process's file may lie on a server that does not answer.
	link, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(int(fd)))
	if err != nil {
		return nil, because(err)
	}
	return s.findHolder(link, int64(flags)&unix.O_ACCMODE, mostProcesses)
}

// findHolder goes through the processes for one that has the same pipe open the other way.
func (s system) findHolder(link string, ours int64, most int) (*Partner, string) {
	dir, err := os.Open(s.path("proc"))
	if err != nil {
		return nil, because(err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, because(err)
	}
	pids := onlyNumbers(names)
	if len(pids) > most {
		return nil, "there are more than " + strconv.Itoa(most) + " processes to look through"
	}
	var found *Partner
	hidden := 0
	for end := time.Now().Add(mostSearch); len(pids) > 0; pids = pids[1:] {
		if time.Now().After(end) {
			return found, orReason(found, tookTooLong)
		}
		holds, err := s.holds(pids[0], link, ours)
		if os.IsPermission(err) {
			hidden++
		}
		if holds {
			found = s.younger(found, pids[0])
		}
	}
	return found, orReason(found, notFound(hidden))
}

func orReason(found *Partner, reason string) string {
	if found != nil {
		return ""
	}
	return reason
}

func notFound(hidden int) string {
	if hidden == 0 {
		return "no other process that can be seen holds the other end"
	}
	return "no process holds the other end that this user may look into; " + strconv.Itoa(hidden) + " are hidden"
}

// onlyNumbers returns the process ids in a listing of /proc, without this process's. Those near
// to it come first: the programs of a pipeline are started together.
func onlyNumbers(names []string) (pids []int) {
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	slices.SortFunc(pids, func(a, b int) int { return cmp.Compare(distance(a), distance(b)) })
	return pids
}

func distance(pid int) int { return max(pid-os.Getpid(), os.Getpid()-pid) }

func (s system) holds(pid int, link string, ours int64) (bool, error) {
	process := s.path("proc", strconv.Itoa(pid))
	dir, err := os.Open(filepath.Join(process, "fd"))
	if err != nil {
		return false, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	for _, name := range names {
		if text, err := os.Readlink(filepath.Join(process, "fd", name)); err != nil || text != link {
			continue
		}
		info, err := os.ReadFile(filepath.Join(process, "fdinfo", name))
		if err != nil {
			continue
		}
		if flags, ok := parseFlags(info); ok && otherEnd(ours, flags&unix.O_ACCMODE) {
			return true, nil
		}
	}
	return false, err
}

// otherEnd tells whether one access mode writes what the other reads.
func otherEnd(a, b int64) bool {
	reads := func(m int64) bool { return m != unix.O_WRONLY }
	writes := func(m int64) bool { return m != unix.O_RDONLY }
	return reads(a) && writes(b) || writes(a) && reads(b)
}

func (s system) younger(found *Partner, pid int) *Partner {
	st, err := s.processStat(pid)
	if err != nil || found != nil && (found.started > st.started || found.started == st.started && found.PID > pid) {
		return found
	}
	return &Partner{PID: pid, Command: st.command, started: st.started, root: s}
}
