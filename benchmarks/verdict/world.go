package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// world is what surrounds one run: folders, disks, groups and other programs.
type world struct {
	h         *harness
	s         *Scenario
	job       job
	command   []string
	group     *group
	inFifo    string // that a producer feeds from reads
	reads     string
	outFifo   string
	helpers   []*process
	throttled []*loop
	litter    []string // on loop devices
}

const (
	decoyBytes = 32 << 20 // of the file that the decoy reads over and over
	decoyRate  = 4e6
	// groupPrefix begins the names of control groups; the process's number follows.
	groupPrefix = "alignpipe-verdict-"
	settling    = 100 * time.Millisecond // from the start of the competitors to that of the run
)

// prepare makes all but the processes. The world is to be removed also after an error.
func (h *harness) prepare(ctx context.Context, s *Scenario) (w *world, err error) {
	w = &world{h: h, s: s}
	w.job.Scenario = *s
	dir := h.path("run")
	if err := os.RemoveAll(dir); err != nil {
		return w, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return w, err
	}
	w.job.Report = filepath.Join(dir, "report.json")
	for _, step := range []func(context.Context) error{w.reference, w.input, w.output, w.temp, w.throttle, w.caches, w.groups, w.program} {
		if err := step(ctx); err != nil {
			return w, err
		}
	}
	data, err := json.Marshal(w.job)
	if err != nil {
		return w, err
	}
	return w, os.WriteFile(filepath.Join(dir, "job.json"), data, 0o666)
}

func (w *world) reference(ctx context.Context) (err error) {
	if w.s.FASTA {
		w.job.Reference, err = w.h.data.fasta(ctx, w.s.Reference)
	} else {
		w.job.Reference, err = w.h.data.index(ctx, w.s.Reference)
	}
	return err
}

func (w *world) input(ctx context.Context) error {
	paths, err := w.h.data.reads(ctx, w.s.Reference, w.s.Input)
	if err != nil {
		return err
	}
	if w.s.Input.Via == viaFifo {
		w.reads, w.inFifo = paths[0], w.h.path("run/in.fifo")
		w.job.Reads = []string{w.inFifo}
		return makeFifo(w.inFifo)
	}
	d, ok := w.s.Disks[roleInput]
	switch {
	case ok && d.Layer == layerLoop:
		l, err := w.h.loopFor(ctx, d.Name)
		if err != nil {
			return err
		}
		if paths, err = w.h.onLoop(l, paths); err != nil {
			return err
		}
	case ok:
		for _, p := range paths {
			w.job.Slow = append(w.job.Slow, slowDir{p, roleInput, w.s.Input.Cached})
		}
	}
	w.job.Reads = paths
	return nil
}

func (w *world) output(ctx context.Context) error {
	folder, err := w.folder(ctx, roleOutput)
	if err != nil {
		return err
	}
	switch {
	case w.s.Output.Via == viaFifo:
		w.outFifo = w.h.path("run/out.fifo")
		w.job.Output = w.outFifo
		return makeFifo(w.outFifo)
	case w.s.Shards > 0:
		w.job.Output = filepath.Join(folder, "shards")
	default:
		w.job.Output = filepath.Join(folder, "out.bam")
	}
	return nil
}

func (w *world) temp(ctx context.Context) (err error) {
	w.job.Temp, err = w.folder(ctx, roleTemp)
	return err
}

// folder makes that of a role, on its disk.
func (w *world) folder(ctx context.Context, role string) (string, error) {
	folder := w.h.path("run/" + role)
	d, ok := w.s.Disks[role]
	switch {
	case ok && d.Layer == layerLoop:
		l, err := w.h.loopFor(ctx, d.Name)
		if err != nil {
			return "", err
		}
		folder = filepath.Join(l.mount, role)
		w.litter = append(w.litter, folder)
	case ok:
		w.job.Slow = append(w.job.Slow, slowDir{folder, role, false})
	}
	return folder, os.MkdirAll(folder, 0o777)
}

// throttle tells the loop devices how fast to be, once everything has been copied to them.
func (w *world) throttle(ctx context.Context) error {
	for _, d := range w.s.Disks {
		if d.Layer != layerLoop {
			continue
		}
		if err := w.slowDown(d.Name, d.ReadRate, d.WriteRate, d.Strict); err != nil {
			return err
		}
	}
	if !w.s.has(decoyReader) {
		return nil
	}
	l, err := w.h.loopFor(ctx, decoyReader)
	if err != nil {
		return err
	}
	file := filepath.Join(l.mount, "file")
	if _, err := os.Stat(file); err != nil {
		if err := os.WriteFile(file, make([]byte, decoyBytes), 0o666); err != nil {
			return err
		}
	}
	return errors.Join(dropCache(file), w.slowDown(decoyReader, decoyRate, decoyRate, false))
}

func (w *world) slowDown(name string, read, write float64, strict bool) error {
	l := w.h.loops[name]
	w.throttled = append(w.throttled, l)
	return l.throttle(read, write, strict)
}

// caches makes the input cold where its device is to be read, and all else warm.
func (w *world) caches(context.Context) error {
	if w.s.Class == classMemory {
		if err := dropCache(w.job.Reference); err != nil { // what is cached is charged to whoever read it
			return err
		}
	} else if err := warm(w.job.Reference); err != nil {
		return err
	}
	if w.inFifo != "" {
		return warm(w.reads)
	}
	if w.s.Disks[roleInput].Layer != layerLoop || w.s.Input.Cached {
		return warm(w.job.Reads...)
	}
	for _, path := range w.job.Reads {
		if err := dropCache(path); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) groups(context.Context) (err error) {
	if w.s.QuotaCPUs <= 0 && w.s.GroupMemoryBytes <= 0 {
		return nil
	}
	w.h.slots++
	w.group, err = newGroup(fmt.Sprintf("%s%d-%d", groupPrefix, os.Getpid(), w.h.slots), w.s.QuotaCPUs, w.s.GroupMemoryBytes)
	return err
}

// own are the CPUs that the run may use: the last of the machine, since the first has most of the interrupts. nil is all.
func (w *world) own() (cpus, others []int) {
	if w.s.CPUs >= w.h.cpus {
		return nil, nil
	}
	for c := range w.h.cpus {
		if c >= w.h.cpus-w.s.CPUs {
			cpus = append(cpus, c)
		} else {
			others = append(others, c)
		}
	}
	return cpus, others
}

// surround starts the other programs.
func (w *world) surround(ctx context.Context) error {
	cpus, others := w.own()
	start := func(cpus []int, args ...string) error {
		p, err := w.h.start(ctx, nil, cpus, append([]string{w.h.self}, args...)...)
		if err != nil {
			return err
		}
		w.helpers = append(w.helpers, p)
		return nil
	}
	var err error
	for range w.s.Spinners {
		err = errors.Join(err, start(cpus, "spin"))
	}
	if w.s.has(decoyOtherCPU) {
		err = errors.Join(err, start(others, "spin"))
	}
	if w.s.has(decoyReader) {
		err = errors.Join(err, start(nil, "read-over", filepath.Join(w.h.loops[decoyReader].mount, "file")))
	}
	if w.inFifo != "" {
		err = errors.Join(err, start(nil, "feed", w.reads, w.inFifo, fmt.Sprint(w.s.Input.Rate)))
	}
	if w.outFifo != "" {
		err = errors.Join(err, start(nil, "drain", w.outFifo, fmt.Sprint(w.s.Output.Rate)))
	}
	return errors.Join(err, sleep(ctx, settling))
}

// program makes the command of the run itself.
func (w *world) program(ctx context.Context) error {
	if w.s.Engine == engineChild {
		w.command = []string{w.h.self, "child", w.h.path("run/job.json")}
		return nil
	}
	binary, err := w.h.data.build(ctx, "alignpipe", "./cmd/alignpipe")
	w.command = append([]string{binary}, w.job.arguments()...)
	return err
}

// run runs it.
func (w *world) run(ctx context.Context) (m Measurement, err error) {
	if err := w.surround(ctx); err != nil {
		return m, err
	}
	var groups []string
	if w.group != nil {
		groups = w.group.dirs
	}
	cpus, _ := w.own()
	before, own, err := w.accounts()
	if err != nil {
		return m, err
	}
	begun := time.Now()
	p, err := w.h.start(ctx, groups, cpus, w.command...)
	if err != nil {
		return m, err
	}
	err = p.cmd.Wait()
	wall := time.Since(begun)
	if err != nil {
		return m, errors.Join(ctx.Err(), fmt.Errorf("%s: %w: %s", w.command[0], err, p.talk.String()))
	}
	after, ownAfter, err := w.accounts()
	if err != nil {
		return m, err
	}
	ours := ownAfter - own + p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	m = Measurement{WallSeconds: wall.Seconds(), Noise: noiseOf(after.sub(before), ours, wall, w.h.cpus)}
	m.report, err = readReport(w.job.Report)
	return m, err
}

// accounts reads what the machine, and what this program and its helpers have used.
func (w *world) accounts() (machine cpuTimes, own time.Duration, err error) {
	own = processCPU(os.Getpid())
	for _, p := range w.helpers {
		own += processCPU(p.cmd.Process.Pid)
	}
	machine, err = machineTimes()
	return machine, own, err
}

// remove ends the other programs and takes everything away.
func (w *world) remove() (err error) {
	for _, p := range w.helpers {
		p.stop()
	}
	for _, l := range w.throttled {
		err = errors.Join(err, l.throttle(0, 0, false))
	}
	for _, path := range w.litter {
		err = errors.Join(err, os.RemoveAll(path))
	}
	if !w.h.keep {
		err = errors.Join(err, os.RemoveAll(w.h.path("run")))
	}
	return errors.Join(err, w.group.remove())
}
