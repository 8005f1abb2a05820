package host

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// group is a control group of this process: its own, or an ancestor whose limits count as well.
type group struct {
	name string // as /proc/self/cgroup has it
	dir  string // below the system's root
}

// groups lists the process's group for a v1 controller, or for v2 where controller is empty, and all
// its ancestors that can be seen; the own group comes first. Not every folder need exist: in a
// container the group's own path is often not there, and the mount's root is the group.
func (s system) groups(controller string) []group {
	own, ok := ownGroup(s.read("proc/self/cgroup"), controller)
	if !ok {
		return nil
	}
	m := s.cgroupMount(controller)
	var list []group
	for rel := path.Clean("/" + below(own, m.root)); ; rel = path.Dir(rel) {
		list = append(list, group{path.Join("/", m.root, rel), path.Join(m.point, rel)})
		if rel == "/" {
			return list
		}
	}
}

// ownGroup finds the group for a controller in the text of /proc/self/cgroup.
func ownGroup(text, controller string) (string, bool) {
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimRight(line, "\n"), ":", 3)
		if len(parts) != 3 {
			continue
		}
		v2 := parts[0] == "0" && parts[1] == ""
		if v2 && controller == "" || controller != "" && slices.Contains(strings.Split(parts[1], ","), controller) {
			return parts[2], true
		}
	}
	return "", false
}

// below takes the part of a group's name off that lies above the root of the mount: without a
// cgroup namespace a container sees its mount's root, and its name from the machine's root.
func below(name, root string) string {
	if rest, ok := strings.CutPrefix(name, root); ok && (rest == "" || rest[0] == '/') {
		return rest
	}
	return name
}

// mount is a line of /proc/self/mountinfo.
type mount struct {
	device  string // major:minor
	root    string // what of the file system is mounted
	point   string
	kind    string // file system type
	options string // of the file system; in cgroup v1 they name the controllers
}

// cgroupMount finds where a controller's hierarchy is mounted; the usual place where
// mountinfo does not say.
func (s system) cgroupMount(controller string) mount {
	for _, m := range parseMounts(s.read("proc/self/mountinfo")) {
		v2 := m.kind == "cgroup2" && controller == ""
		v1 := m.kind == "cgroup" && controller != "" && slices.Contains(strings.Split(m.options, ","), controller)
		if v1 || v2 {
			return m
		}
	}
	return mount{root: "/", point: path.Join("/sys/fs/cgroup", controller)}
}

func parseMounts(text string) []mount {
	var list []mount
	for line := range strings.Lines(text) {
		head, tail, ok := strings.Cut(line, " - ")
		h, t := strings.Fields(head), strings.Fields(tail)
		if !ok || len(h) < 5 || len(t) < 1 {
			continue
		}
		m := mount{device: h[2], root: unescape(h[3]), point: unescape(h[4]), kind: t[0]}
		if len(t) > 2 {
			m.options = t[2]
		}
		list = append(list, m)
	}
	return list
}

// unescape undoes the kernel's \040 for blanks and the like in names.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c, ok := octal(s[i:]); ok {
			b.WriteByte(c)
			i += 3
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func octal(s string) (byte, bool) {
	if len(s) < 4 || s[0] != '\\' {
		return 0, false
	}
	n := 0
	for _, c := range []byte(s[1:4]) {
		if c < '0' || c > '7' {
			return 0, false
		}
		n = n<<3 | int(c-'0')
	}
	return byte(n), n < 256
}

// quota is a group's bound on CPU bandwidth: usedUS of CPU in each periodUS. 0 is none.
type quota struct{ usedUS, periodUS int64 }

func (q quota) set() bool     { return q.usedUS > 0 && q.periodUS > 0 }
func (q quota) cpus() float64 { return float64(q.usedUS) / float64(q.periodUS) }

// parseMax reads v2's cpu.max, "150000 100000" or "max 100000".
func parseMax(data []byte) quota {
	var n [2]int64
	if numbers(data, n[:]) != 2 {
		return quota{}
	}
	return quota{n[0], n[1]}
}

// hierarchicalLimit reads the limit that counts in cgroup v1: a job step's own
// memory.limit_in_bytes says unlimited although its job is bounded.
func hierarchicalLimit(stat string) int64 {
	if n, ok := value([]byte(stat), "hierarchical_memory_limit"); ok && n > 0 {
		return n
	}
	return noLimit
}

// firstNumber is the number that a file begins with.
func firstNumber(data []byte) (int64, bool) { return number(bytes.TrimSpace(data)) }
