package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/alignpipe/alignpipe/internal/host"
	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/mapper"
)

// Config says what to measure. Empty folders are the current one.
type Config struct {
	FS        vfs.FS   // nil: the real file system
	Ref       string   // FASTA or .apx; empty: made up, as are the reads then
	Reads     []string // one or two FASTQ files
	InputDir  string   // where reads lie; empty: the folder of Reads
	TempDir   string
	OutputDir string
	Threads   int     // of the runs; 0: host.Threads
	CPUs      float64 // that this process may use, 1.5 is possible; 0: host.CPULimit, at most Threads
	Memory    int64   // bytes of a run; 0: its own default
	Level     int     // of compression
	Handoff   Handoff
	Quick     bool
	Version   string
	// Say is told what is measured now; nil: nobody.
	Say func(what string)
	// Verdict says what limited a run, in the words of the report; nil: not asked.
	Verdict func(*pipeline.Result) (class, stage string)
}

// SchemaVersion changes when a key of the JSON is renamed, removed, or means something else.
const SchemaVersion = 1

// Report is all that was measured. A missing value is null with the reason in a key beside it.
type Report struct {
	SchemaVersion int     `json:"schema_version"`
	Version       string  `json:"version"`
	Quick         bool    `json:"quick"`
	Threads       int     `json:"threads"`
	CPUs          float64 `json:"cpus_available"`
	Level         int     `json:"level"`
	WallSeconds   float64 `json:"wall_seconds"` // of the whole benchmark
	Noise         Noise   `json:"noise"`

	Folders   []Folder   `json:"folders"`
	Memory    []Ceiling  `json:"memory"`
	Core      []Ceiling  `json:"core"` // one core at each kind of work
	Workload  *Workload  `json:"workload"`
	Rooflines []Roofline `json:"rooflines"`
	Spill     Spill      `json:"spill"`

	Handoff  HandoffReport `json:"handoff"`
	InFlight InFlightSweep `json:"in_flight"`
	Batches  []BatchPoint  `json:"batch_sizes"`
	Fill     FillReport    `json:"fill_and_drain"`

	Advice Advice `json:"advice"`
}

// stopGrace is how long a stopped benchmark waits for a call of a device that does not return,
// before it removes its folders and leaves. The program has two seconds in all.
const stopGrace = 1300 * time.Millisecond

// Run measures. It leaves no file behind, whatever happens. When ctx ends it returns within
// stopGrace, with ctx's error; goroutines may then still exist, and the process should end.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	b, err := newBench(cfg)
	if err != nil {
		return nil, err
	}
	return b.run(ctx)
}

func (b *bench) run(ctx context.Context) (*Report, error) {
	var err error
	done := make(chan error, 1)
	go func() { done <- b.all(ctx) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
		select {
		case <-done:
		case <-time.After(stopGrace):
		}
	}
	if err := errors.Join(err, b.folders.removeAll()); err != nil {
		return nil, err
	}
	return b.report, nil
}

// bench is one benchmark under way.
type bench struct {
	cfg     *Config
	effort  effort
	folders folders // private ones
	report  *Report
	core    ceilings
	spill   Value // bytes per read, when all records are spilled
	work    *Workload
	sample  *sample
	runner  *runner
}

func newBench(cfg Config) (*bench, error) {
	if err := cfg.normalise(); err != nil {
		return nil, err
	}
	b := &bench{cfg: &cfg, effort: fullEffort(), folders: folders{fsys: cfg.FS}}
	if cfg.Quick {
		b.effort = quickEffort()
	}
	b.report = &Report{SchemaVersion: SchemaVersion, Version: cfg.Version, Quick: cfg.Quick,
		Threads: cfg.Threads, CPUs: cfg.CPUs, Level: cfg.Level}
	return b, nil
}

// normalise fills defaults, and refuses what cannot be meant and folders that cannot be used.
func (c *Config) normalise() error {
	if c.FS == nil {
		c.FS = vfs.OS
	}
	if c.Threads == 0 {
		c.Threads = host.Threads()
	}
	if c.CPUs == 0 {
		limit, _ := host.CPULimit()
		c.CPUs = min(limit, float64(c.Threads))
	}
	if c.Say == nil {
		c.Say = func(string) {}
	}
	switch {
	case c.Ref == "" && len(c.Reads) > 0:
		return pipeline.Misuse("give --ref as well", "reads need a reference")
	case c.Ref != "" && len(c.Reads) == 0:
		return pipeline.Misuse("give --reads as well", "a reference needs reads")
	case len(c.Reads) > 2:
		return pipeline.Misuse("", "give one or two files of reads, not %d", len(c.Reads))
	case c.Level < 0 || c.Level > 9:
		return pipeline.Misuse("", "level %d is not between 0 and 9", c.Level)
	}
	return c.checkFolders()
}

func (c *Config) checkFolders() error {
	if c.InputDir == "" && len(c.Reads) > 0 {
		c.InputDir = filepath.Dir(c.Reads[0])
	}
	for _, f := range []struct {
		flag string
		dir  *string
	}{{"--input-dir", &c.InputDir}, {"--tmpdir", &c.TempDir}, {"--output", &c.OutputDir}} {
		if *f.dir == "" {
			*f.dir = "."
		}
		if err := checkFolder(c.FS, f.flag, *f.dir); err != nil {
			return err
		}
	}
	return nil
}

// all takes the steps one after the other: nothing else runs while something is measured.
func (b *bench) all(ctx context.Context) (err error) {
	watch := host.NewReader()
	defer watch.Close()
	first := watch.Read()
	steps := []struct {
		say string
		do  func(context.Context) error
	}{
		{"disks", b.measureFolders},
		{"memory", b.measureMemory},
		{"one core at each kind of work", b.measureCore},
		{"runs of the pipeline", b.measureRuns},
		{"queues against barriers", b.measureHandoff},
		{"how many batches in flight", b.measureInFlight},
		{"the size of batches", b.measureBatches},
		{"filling and draining", b.measureFill},
	}
	defer func() { err = errors.Join(err, b.closeSource()) }()
	for _, s := range steps {
		b.cfg.Say(s.say)
		if err := s.do(ctx); err != nil {
			return err
		}
	}
	b.report.Advice = adviceOf(b.report.Rooflines[0], b.cfg.CPUs, b.work.Container)
	d := watch.Read().Since(first)
	b.report.WallSeconds, b.report.Noise = d.Seconds, noiseOf(d)
	return nil
}

func (b *bench) closeSource() error {
	if b.work == nil || b.work.source == nil {
		return nil
	}
	return b.work.source.close()
}

// The roles of folders.
const (
	roleInput  = "input"
	roleTemp   = "temporary"
	roleOutput = "output"
)

// measureFolders measures each device once, whatever it is used for.
func (b *bench) measureFolders(ctx context.Context) error {
	for _, r := range []struct{ role, dir string }{
		{roleInput, b.cfg.InputDir}, {roleTemp, b.cfg.TempDir}, {roleOutput, b.cfg.OutputDir}} {
		f := Folder{Path: filepath.Clean(r.dir), Roles: []string{r.role}, Place: host.FileOf(r.dir)}
		if same := b.sameDevice(f); same != nil {
			same.Roles = append(same.Roles, r.role)
			continue
		}
		if err := measureFolder(ctx, b.cfg.FS, &f, b.effort); err != nil {
			return err
		}
		b.report.Folders = append(b.report.Folders, f)
	}
	return nil
}

func (b *bench) sameDevice(f Folder) *Folder {
	i := slices.IndexFunc(b.report.Folders, func(o Folder) bool {
		return o.Path == f.Path || f.Place.Device != "" && o.Place.Device == f.Place.Device
	})
	if i < 0 {
		return nil
	}
	return &b.report.Folders[i]
}

func (b *bench) measureMemory(ctx context.Context) (err error) {
	b.report.Memory, err = measureMemory(ctx, b.cfg.Threads, b.effort)
	return err
}

// measureCore makes or opens the workload, since it is on its first reads that a core works.
func (b *bench) measureCore(ctx context.Context) error {
	private, err := b.folders.make(b.cfg.TempDir)
	if err != nil {
		return diskFailed(err)
	}
	if b.work, err = openWorkload(ctx, b.cfg, private, b.effort); err != nil {
		return err
	}
	ix, err := mapper.Load(ctx, b.work.ref, b.cfg.Threads)
	if err != nil {
		return err
	}
	for _, n := range ix.Lens() {
		b.work.ReferenceBases += n
	}
	s, err := takeSample(ctx, b.work.source, b.effort.sampleReads)
	if err != nil {
		return errors.Join(err, ix.Close())
	}
	b.sample = s
	core := &coreBench{ctx: ctx, fsys: b.cfg.FS, repeats: b.effort.repeats, sample: s, level: b.cfg.Level, dir: private}
	if err := errors.Join(core.all(ix), ix.Close()); err != nil {
		return err
	}
	b.core, b.report.Core, b.spill = core.out, core.out, core.spill
	return b.writeInput(ctx, s)
}

// writeInput writes as many reads as a run can map in the time it is to take.
func (b *bench) writeInput(ctx context.Context, s *sample) error {
	dir, err := b.folders.make(b.cfg.InputDir)
	if err != nil {
		return diskFailed(err)
	}
	reads := min(max(int(b.cfg.CPUs*b.effort.run.Seconds()/b.readSeconds(append(b.besideMapping(), nameMap)...)), s.reads), b.effort.runReads)
	if err := b.work.writeReads(ctx, b.cfg.FS, dir, s, reads); err != nil {
		return err
	}
	b.report.Workload = b.work
	out, err := b.folders.make(b.cfg.OutputDir)
	if err != nil {
		return diskFailed(err)
	}
	b.runner = &runner{cfg: b.cfg, work: b.work, dir: out, stepTime: b.effort.step}
	b.cfg.Say(fmt.Sprintf("%d reads in %s", b.work.Reads, b.work.Container))
	return nil
}

// readSeconds is what a core needs for a read in some kinds of work together.
func (b *bench) readSeconds(names ...string) float64 {
	sum := 0.0
	for _, name := range names {
		if rate, ok := b.core.find(name, 1, readsPerSecond); ok {
			sum += 1 / rate
		}
	}
	return sum
}

// besideMapping are the kinds of work of a line that does not sort, but for mapping.
func (b *bench) besideMapping() []string {
	return []string{nameInflate(b.work.Container), nameParse, nameDeflate(b.cfg.Level)}
}

// measureRuns runs the pipeline in both orders, from cold files.
func (b *bench) measureRuns(ctx context.Context) error {
	m := b.machine()
	for _, order := range []pipeline.SortOrder{pipeline.SortCoordinate, pipeline.SortNone} {
		r, err := measureRoofline(ctx, b.runner, order, m, b.effort.repeats)
		if err != nil {
			return err
		}
		b.report.Rooflines = append(b.report.Rooflines, r)
	}
	b.report.Spill = m.spilling(b.spill)
	return nil
}

func (b *bench) measureHandoff(ctx context.Context) (err error) {
	b.report.Handoff, err = measureHandoff(ctx, b.runner, b.cfg.Handoff, b.slowLine(), b.effort.pairs)
	return err
}

func (b *bench) measureInFlight(ctx context.Context) (err error) {
	b.report.InFlight, err = measureInFlight(ctx, b.runner, b.effort.inFlight, b.effort.sweep)
	return err
}

func (b *bench) measureBatches(ctx context.Context) (err error) {
	b.report.Batches, err = measureBatches(ctx, b.runner, b.effort.batches, b.effort.batchSweep)
	return err
}

// slowLine is the line to see the stages' own times on.
func (b *bench) slowLine() slowLine {
	return slowDown(b.cfg.CPUs, b.readSeconds(nameMap), b.readSeconds(b.besideMapping()...))
}

func (b *bench) measureFill(ctx context.Context) (err error) {
	b.report.Fill, err = measureFill(ctx, b.runner, b.sample, b.slowLine(), b.effort.fills, b.effort.fillRuns)
	return err
}
