package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// harness runs scenarios on this machine.
type harness struct {
	dir    string // the work directory
	self   string // this program
	cpus   int
	rounds int
	hold   string // while this file is there, no slot begins
	guard  bool   // rejects slots; without it a scenario can be tried out, and its figures mean nothing
	keep   bool   // the last run's files
	log    func(format string, args ...any)

	data     *data
	profiles map[string]Profile
	loops    map[string]*loop // by the disk's name
	noLoop   error            // why there are none
	noGroup  error
	slots    int
}

func newHarness(dir string, log func(string, ...any)) (*harness, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	h := &harness{dir: dir, self: self, cpus: machineCPUs(), rounds: 3, guard: true, log: log, loops: map[string]*loop{},
		data: &data{dir: dir, tools: map[string]string{}, log: log}, noLoop: canLoop(), noGroup: errors.Join(canGroup("cpu"), canGroup("memory"))}
	if err := os.MkdirAll(h.path("run"), 0o777); err != nil {
		return nil, err
	}
	if h.profiles, err = loadProfiles(h.path("profiles.json")); err != nil {
		return nil, err
	}
	return h, errors.Join(reapLoops(h.path("loop")), reapGroups())
}

func (h *harness) path(name string) string { return filepath.Join(h.dir, name) }

// close undoes all that lies outside of the work directory.
func (h *harness) close() (err error) {
	for name, l := range h.loops {
		err = errors.Join(err, l.remove())
		delete(h.loops, name)
	}
	return err
}

// unavailable says what a scenario needs that this machine does not have, or "".
func (h *harness) unavailable(s *Scenario) string {
	switch {
	case s.CPUs > h.cpus:
		return fmt.Sprintf("needs %d CPUs", s.CPUs)
	case s.usesLoop() && h.noLoop != nil:
		return h.noLoop.Error()
	case (s.QuotaCPUs > 0 || s.Class == classThrottled || s.Class == classMemory) && h.noGroup != nil:
		return h.noGroup.Error()
	}
	return ""
}

// Measurement is one run that the noise guard let pass, or the last that it did not.
type Measurement struct {
	WallSeconds   float64  `json:"wall_seconds"` // of the process
	Noise         Noise    `json:"noise"`
	Rejected      []string `json:"rejected,omitempty"` // why earlier tries did not count
	WaitedSeconds float64  `json:"waited_seconds"`     // for a quiet machine
	Noisy         bool     `json:"noisy,omitempty"`    // this one should not have counted either

	report *Report
}

// retries is how often a rejected slot is tried again.
const retries = 3

// measure runs a scenario until the machine left it alone.
func (h *harness) measure(ctx context.Context, s *Scenario) (Measurement, error) {
	var rejected []string
	var waited float64
	for try := 0; ; try++ {
		m, err := h.slot(ctx, s)
		if err != nil {
			return m, err
		}
		waited += m.WaitedSeconds
		m.Rejected, m.WaitedSeconds = rejected, waited
		why := m.Noise.tooMuch(time.Duration(m.WallSeconds*float64(time.Second)), h.cpus)
		if why == "" || !h.guard {
			return m, nil
		}
		h.log("  slot of %.2f s rejected: %s", m.WallSeconds, why)
		if try == retries {
			m.Noisy = true
			return m, nil
		}
		rejected = append(rejected, why)
	}
}

// slot runs a scenario once, with all that belongs to it.
func (h *harness) slot(ctx context.Context, s *Scenario) (m Measurement, err error) {
	if err := h.held(ctx); err != nil {
		return m, err
	}
	w, err := h.prepare(ctx, s)
	defer func() { err = errors.Join(err, w.remove()) }()
	if err != nil {
		return m, err
	}
	var waited time.Duration
	if h.guard {
		if waited, _, err = waitQuiet(ctx, h.cpus); err != nil {
			return m, err
		}
	}
	m, err = w.run(ctx)
	m.WaitedSeconds = waited.Seconds()
	return m, err
}

// held waits while the file that forbids measuring is there.
func (h *harness) held(ctx context.Context) error {
	for told := false; h.hold != ""; told = true {
		if _, err := os.Stat(h.hold); err != nil {
			return nil
		}
		if !told {
			h.log("  waiting until %s is gone", h.hold)
		}
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

// loopFor is the loop device of a disk, made when it is first asked for.
func (h *harness) loopFor(ctx context.Context, name string) (*loop, error) {
	if l, ok := h.loops[name]; ok {
		return l, nil
	}
	h.log("  making loop device %s", name)
	l, err := newLoop(ctx, h.path("loop"), name)
	if err != nil {
		return nil, err
	}
	h.loops[name] = l
	return l, nil
}

// onLoop copies files to a loop device, where others of an earlier scenario make room for them.
func (h *harness) onLoop(l *loop, paths []string) ([]string, error) {
	folder := filepath.Join(l.mount, "reads")
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, err
	}
	wanted := map[string]string{}
	var out []string
	for _, p := range paths {
		to := filepath.Join(folder, filepath.Base(p))
		wanted[to] = p
		out = append(out, to)
	}
	there, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return nil, err
	}
	for _, path := range there {
		if _, ok := wanted[path]; ok {
			delete(wanted, path)
		} else if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	for to, from := range wanted {
		if err := copyFile(to, from); err != nil {
			return nil, errors.Join(err, gone(os.Remove(to)))
		}
	}
	return out, nil
}

func copyFile(to, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// warm brings files into the page cache.
func warm(paths ...string) error {
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, struct{ io.Reader }{f})
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// gone passes over what was not there.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
