package pipeline

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alignpipe/alignpipe/internal/host"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/report"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// deviceNamer is a file system that knows better than the kernel which files share a device.
type deviceNamer interface {
	Device(path string) string
}

// placeDevices finds out where the files of the run lie, and tells the stages: what lies on the same
// device waits for the same thing.
func (r *run) placeDevices() []*meter.Device {
	cfg := r.cfg
	var inputs []string
	for _, path := range cfg.Reads {
		inputs = append(inputs, r.place("input", path))
	}
	slices.Sort(inputs)
	out := cfg.Output
	if !cfg.streams() {
		out = filepath.Dir(filepath.Clean(out))
	}
	input, spill, output := strings.Join(slices.Compact(inputs), " and "), "", r.place("output", out)
	if cfg.Sort != SortNone {
		spill = r.place("spill", cfg.tempParent())
	}
	byName := map[string]*meter.Device{}
	var all []*meter.Device
	device := func(name string) *meter.Device {
		if name == "" {
			return nil
		}
		if byName[name] == nil {
			byName[name] = meter.NewDevice(name)
			all = append(all, byName[name])
		}
		return byName[name]
	}
	st := r.stages
	st.Read.SetDevice(device(input))
	for _, s := range []*meter.Stage{st.SpillWrite, st.MergeRead} {
		s.SetDevice(device(spill))
	}
	for _, s := range []*meter.Stage{st.Write, st.Sync} {
		s.SetDevice(device(output))
	}
	return all
}

// place names the device of a path and keeps what is known about it for the report.
func (r *run) place(role, path string) string {
	f := report.FileRole{Role: role, Path: path}
	defer func() { r.files = append(r.files, f) }()
	if path == Stdio || vfs.IsStream(r.cfg.FS, path) && !isFolder(r.cfg.FS, path) {
		f.Device = role + " pipe " + path
		return f.Device
	}
	if role == "input" {
		f.SizeBytes, f.CachedBytes = cached(r.cfg.FS, path)
	}
	if n, ok := r.cfg.FS.(deviceNamer); ok && n.Device(path) != "" {
		f.Device = n.Device(path)
		return f.Device
	}
	f.File = host.FileOf(path)
	name := f.File.Device
	if f.File.Disk != nil {
		name = *f.File.Disk
	}
	f.Device = cmp.Or(name, "device of "+path)
	return f.Device
}

// cached is the size of a file, and how much of it is in memory, where that can be known.
func cached(fsys vfs.FS, path string) (size, inMemory *int64) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil {
		n := info.Size()
		size = &n
	}
	if fd := f.Fd(); fd != vfs.NoFd {
		inMemory = host.Cached(fd).CachedBytes
	}
	return size, inMemory
}

func isFolder(fsys vfs.FS, path string) bool {
	info, err := fsys.Stat(path)
	return err == nil && info.IsDir()
}

// flightStats is the account of the batches.
func (r *run) flightStats() meter.FlightSnapshot {
	s := r.flight.Stats()
	s.Limit = r.auto.held
	return s
}

// inputs says what the files of reads turned out to be.
func (r *run) inputs() []report.Input {
	var all []report.Input
	for i, in := range r.reader.Inputs() {
		of := report.Input{Path: in.Path, Format: in.Format, Serial: in.Serial}
		if f := r.files[i]; f.SizeBytes != nil {
			of.SizeBytes, of.CachedBytes = f.SizeBytes, f.CachedBytes
		}
		all = append(all, of)
	}
	return all
}

// tellInflater tells the stage that inflates whether more threads could help it, as far as is known: what a
// file is shows when its first bytes are there, and whether it is decoded ahead, when it turns out to be long.
func (r *run) tellInflater() {
	inputs := r.reader.Inputs()
	serial := 0
	for _, in := range inputs {
		if in.Serial {
			serial++
		}
	}
	alone := serial == len(inputs)
	workers := r.cfg.Threads
	if alone {
		workers = serial
	}
	r.stages.Inflate.SetWorkers(workers)
	r.stages.Inflate.SetSerial(alone)
}
