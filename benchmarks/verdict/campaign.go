package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"github.com/alignpipe/alignpipe/internal/pipeline"
)

// loadProfiles reads those of earlier runs in this work directory.
func loadProfiles(path string) (map[string]Profile, error) {
	profiles := map[string]Profile{}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return profiles, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &profiles)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return profiles, nil
}

// profileKey names what a run without constraints depends on.
func profileKey(s *Scenario) string {
	key, _ := json.Marshal([]any{sized(s.Reference), s.FASTA, s.Input.Format, s.Input.Layout, s.CPUs, s.Threads, s.LeastMemory, s.Level, s.Shards, s.Sort, s.Drag, s.BatchBases, s.Engine})
	return string(key)
}

// The run that a profile is taken from.
const (
	profileTemplates = 64_000
	profileSeconds   = 1.2 // at least
	profileTarget    = 1.8
)

// profile is what the scenario would take without constraints; measured once for scenarios that are alike.
func (h *harness) profile(ctx context.Context, s *Scenario) (Profile, error) {
	key := profileKey(s)
	if p, ok := h.profiles[key]; ok {
		return p, nil
	}
	p, err := h.takeProfile(ctx, s)
	if err != nil {
		return p, fmt.Errorf("without constraints: %w", err)
	}
	h.profiles[key] = p
	data, err := json.Marshal(h.profiles)
	if err != nil {
		return p, err
	}
	return p, os.WriteFile(h.path("profiles.json"), data, 0o666)
}

func (h *harness) takeProfile(ctx context.Context, s *Scenario) (p Profile, err error) {
	least := int64(0)
	s.Input.Templates = profileTemplates
	if s.LeastMemory > 0 {
		if least, err = h.leastMemory(ctx, s); err != nil {
			return p, err
		}
		s.MemoryBytes = int64(s.LeastMemory * float64(least))
	}
	for n := profileTemplates; ; {
		s.Input.Templates = n
		m, err := h.measure(ctx, s)
		if err == nil && m.Noisy {
			err = errNoisy
		}
		if err != nil {
			return p, err
		}
		paths, err := h.data.reads(ctx, s.Reference, s.Input)
		if err != nil {
			return p, err
		}
		bytes, err := sizes(paths)
		if err != nil {
			return p, err
		}
		p = profileOf(m.report, n, bytes)
		p.LeastMemory = least
		seconds := (p.Stream + p.Merge) * float64(n)
		next := min(quantise(profileTarget/(p.Stream+p.Merge)), most(s.Reference))
		if seconds > profileSeconds || next <= n {
			break
		}
		n = next
	}
	index, err := h.data.index(ctx, s.Reference)
	if err != nil {
		return p, err
	}
	p.IndexBytes, err = sizes([]string{index})
	return p, err
}

var leastHint = regexp.MustCompile(`hint: give -m (\S+) or more`)

// leastMemory asks the program what it needs at least.
func (h *harness) leastMemory(ctx context.Context, s *Scenario) (int64, error) {
	w, err := h.prepare(ctx, s)
	defer func() { _ = w.remove() }()
	if err != nil {
		return 0, err
	}
	w.job.Scenario.MemoryBytes = 1 << 20
	binary, err := h.data.build(ctx, "alignpipe", "./cmd/alignpipe")
	if err != nil {
		return 0, err
	}
	said, _ := exec.CommandContext(ctx, binary, w.job.arguments()...).CombinedOutput() // it is to fail
	m := leastHint.FindSubmatch(said)
	if m == nil {
		return 0, fmt.Errorf("alignpipe does not say how much memory it needs: %s", said)
	}
	return pipeline.ParseSize(string(m[1]))
}

// How long a run may take before it is made with another number of reads.
const (
	tooShort = 1.7
	tooLong  = 7.0
	resizes  = 3 // where the first try was a guess, one change is not enough
)

// errNoisy is why there is no profile: one of a busy machine would be wrong for all scenarios that use it.
var errNoisy = errors.New(skippedNoise)

// play runs one scenario.
func (h *harness) play(ctx context.Context, s Scenario) (Result, error) {
	r := Result{Scenario: s, Date: time.Now().UTC().Format(time.RFC3339), CPUs: h.cpus}
	if r.Skipped = h.unavailable(&s); r.Skipped != "" {
		return r, nil
	}
	free := s.free()
	p, err := h.profile(ctx, &free)
	if errors.Is(err, errNoisy) {
		r.Skipped = skippedNoise
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if err := s.tune(p); err != nil {
		return r, err
	}
	s.Input.Templates = min(s.Input.Templates, most(s.Reference))
	base, err := h.measure(ctx, &s)
	if err != nil {
		return r, err
	}
	for try := 0; try < resizes && h.resize(&s, base.WallSeconds); try++ {
		if base, err = h.measure(ctx, &s); err != nil {
			return r, err
		}
	}
	r.Scenario, r.Base, r.Verdict = s, base, base.report.Verdict
	r.Phases, r.Closure, r.report = base.report.phases(), base.report.Closure, base.report
	r.foresee()
	if err := h.keepReport(&r, base.report); err != nil {
		return r, err
	}
	if base.Noisy {
		r.Skipped = skippedNoise
		return r, nil
	}
	if s.Truth {
		r.Truth, err = h.relaxAll(ctx, &s, &r)
	}
	return r, err
}

// resize changes the number of reads of a run that took too short or too long; false if it did not.
func (h *harness) resize(s *Scenario, wall float64) bool {
	if s.Class == classUndetermined || s.Class == classStartup || wall >= tooShort && wall <= tooLong {
		return false
	}
	n := min(quantise(float64(s.Input.Templates)*s.TargetSeconds/wall), most(s.Reference))
	changed := n != s.Input.Templates
	s.Input.Templates = n
	return changed
}

// keepReport leaves the base run's report in the work directory, for whoever wants to know more.
func (h *harness) keepReport(r *Result, report *Report) error {
	path := h.path(fmt.Sprintf("reports/%d-%d.json", r.Scenario.Seed, r.Scenario.Index))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, report.raw, 0o666)
}
