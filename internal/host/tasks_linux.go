package host

import (
	"encoding/binary"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// tasks sums schedstat over the threads of a process. What a thread had used when it was last seen
// stays in the sum after its end, so that the sum never goes back.
type tasks struct {
	path    string
	dir     *os.File
	err     error
	round   int
	live    map[int]*task
	ended   schedstat
	entries []byte
}

type task struct {
	source
	last  schedstat
	round int // in which it was last listed
}

// schedstat is a thread's time on a CPU and time spent waiting for one.
type schedstat struct{ onCPUNS, delayNS int64 }

func newTasks(path string) *tasks {
	t := &tasks{path: path, live: map[int]*task{}, entries: make([]byte, 4<<10)}
	t.dir, t.err = os.Open(path)
	return t
}

func (t *tasks) close() {
	t.dir.Close()
	for _, one := range t.live {
		one.close()
	}
}

func (t *tasks) read(b *scratch) maybe[RunQueue] {
	if t.err != nil {
		return missing[RunQueue](because(t.err))
	}
	t.round++
	if err := t.list(b); err != nil {
		return missing[RunQueue](because(err))
	}
	sum := t.ended
	for tid, one := range t.live {
		// Folders that do not fit in one call may miss a thread when others end: ask it itself.
		if one.round != t.round && !one.refresh(b) {
			t.retire(tid, one)
		}
		sum.add(one.last)
	}
	if sum.onCPUNS == 0 {
		return missing[RunQueue]("the kernel does not count the time of threads in schedstat")
	}
	return maybe[RunQueue]{value: RunQueue{float64(sum.onCPUNS) / 1e9, float64(sum.delayNS) / 1e9, len(t.live)}}
}

func (s *schedstat) add(o schedstat) {
	s.onCPUNS += o.onCPUNS
	s.delayNS += o.delayNS
}

// list goes through the folder of threads. It is not done by os.ReadDir, which makes garbage.
func (t *tasks) list(b *scratch) error {
	fd := int(t.dir.Fd())
	if _, err := unix.Seek(fd, 0, unix.SEEK_SET); err != nil {
		return os.NewSyscallError("seek", err)
	}
	for {
		n, err := unix.ReadDirent(fd, t.entries)
		if err != nil {
			return os.NewSyscallError("getdents64", err)
		}
		if n <= 0 {
			return nil
		}
		eachEntry(t.entries[:n], func(name []byte) { t.update(name, b) })
	}
}

// eachEntry visits the names in what getdents64 returned. An entry is: inode (8 bytes), offset (8),
// its length (2), type (1), name, zero.
func eachEntry(b []byte, visit func(name []byte)) {
	for len(b) > 19 {
		length := int(binary.NativeEndian.Uint16(b[16:]))
		if length <= 19 || length > len(b) {
			return
		}
		name := b[19:length]
		for i, c := range name {
			if c == 0 {
				name = name[:i]
				break
			}
		}
		visit(name)
		b = b[length:]
	}
}

// update reads one thread. A descriptor belongs to its thread, not to the number: where that was
// given to another, reading fails, and the file is opened again.
func (t *tasks) update(name []byte, b *scratch) {
	n, ok := number(name)
	if !ok {
		return // "." and ".."
	}
	tid := int(n)
	one := t.live[tid]
	if one != nil && one.refresh(b) {
		one.round = t.round
		return
	}
	if one != nil {
		t.retire(tid, one)
	}
	one = &task{source: source{path: filepath.Join(t.path, string(name), "schedstat")}, round: t.round}
	if one.refresh(b) {
		t.live[tid] = one
		return
	}
	one.close()
}

func (one *task) refresh(b *scratch) bool {
	data, err := one.read(b)
	if err != nil {
		return false
	}
	now, ok := parseSchedstat(data)
	if ok {
		one.last = now
	}
	return ok
}

// parseSchedstat reads "on-CPU-ns delay-ns timeslices".
func parseSchedstat(data []byte) (schedstat, bool) {
	var n [2]int64
	if numbers(data, n[:]) != 2 {
		return schedstat{}, false
	}
	return schedstat{n[0], n[1]}, true
}

func (t *tasks) retire(tid int, one *task) {
	t.ended.add(one.last)
	one.close()
	delete(t.live, tid)
}

// each visits the threads that were there last.
func (t *tasks) each(visit func(tid int, onCPUNS int64)) {
	for tid, one := range t.live {
		visit(tid, one.last.onCPUNS)
	}
}
