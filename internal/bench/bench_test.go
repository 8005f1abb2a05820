package bench

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/alignpipe/alignpipe/internal/pipeline"
)

func TestConfigsThatCannotBeMeant(t *testing.T) {
	dir := t.TempDir()
	for name, cfg := range map[string]Config{
		"reads without a reference": {Reads: []string{"x.fq"}},
		"a reference without reads": {Ref: "x.fa"},
		"three files":               {Ref: "x.fa", Reads: []string{"1", "2", "3"}},
		"a level":                   {Level: 10},
		"no such folder":            {TempDir: dir + "/missing"},
	} {
		if _, err := Run(t.Context(), cfg); !errors.Is(err, pipeline.ErrMisuse) {
			t.Errorf("%s: error %v, want misuse", name, err)
		}
	}
}

// TestStoppedAnywhereNothingIsLeft stops soon after a step is announced.
func TestStoppedAnywhereNothingIsLeft(t *testing.T) {
	for _, step := range []int{0, 2, 4, 6} {
		dir := t.TempDir()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		said := 0
		var stopped time.Time
		cfg := Config{InputDir: dir, TempDir: dir, OutputDir: dir, Threads: 2, Quick: true, Level: 1}
		cfg.Say = func(string) {
			if said == step {
				stopped = time.Now()
				time.AfterFunc(10*time.Millisecond, stop)
			}
			said++
		}
		b, err := newBench(cfg)
		if err != nil {
			t.Fatal(err)
		}
		b.effort.genomeBases, b.effort.sampleReads, b.effort.runReads, b.effort.repeats = 50_000, 1000, 2000, 1
		_, err = b.run(ctx)
		if took := time.Since(stopped); !errors.Is(err, context.Canceled) || took > 5*time.Second {
			t.Errorf("step %d: error %v, %s after it began", step, err, took)
		}
		empty(t, dir)
	}
}
