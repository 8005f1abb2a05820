package report

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// slow takes a while for each call, as a device or a pipe does.
type slow time.Duration

func (d slow) Read(p []byte) (int, error)  { time.Sleep(time.Duration(d)); return len(p), nil }
func (d slow) Write(p []byte) (int, error) { time.Sleep(time.Duration(d)); return len(p), nil }

// TestAMeteredLineGetsItsVerdict runs read -> map -> write for real, on a clock that jumps: the
// queues and wrappers must charge whoever made the others wait.
func TestAMeteredLineGetsItsVerdict(t *testing.T) {
	tests := []struct {
		name        string
		set         meter.SetConfig
		read, write time.Duration // per batch
		want        string
	}{
		{"a slow input device", meter.SetConfig{}, 100 * time.Millisecond, time.Millisecond, "input-io (read)"},
		{"a slow writer into our fifo", meter.SetConfig{InputPipe: true}, 100 * time.Millisecond, time.Millisecond, "starved-upstream (read)"},
		{"a slow output device", meter.SetConfig{}, time.Millisecond, 100 * time.Millisecond, "output-io (write)"},
		{"a slow reader of our output", meter.SetConfig{OutputPipe: true}, time.Millisecond, 100 * time.Millisecond, "backpressured-downstream (write)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				set, start := meter.NewSet(tt.set), time.Now()
				queues := line(t, set, slow(tt.read), slow(tt.write))
				r := Build(Run{CPUs: CPUs{Threads: 2}, Queues: queues, Phases: []PhaseRun{
					{Name: "stream", Span: Span{Wall: time.Since(start), Stages: meter.Snapshots(set.Read, set.Map, set.Write)}}}})
				if r.Verdict.headline != tt.want || r.Verdict.Confidence < 0.9 {
					t.Errorf("verdict %s, confidence %.2f, want %s: %q", r.Verdict.headline, r.Verdict.Confidence, tt.want, r.Verdict.Evidence)
				}
				if c := r.Closure; c.BatchesLost != 0 || c.StatesResidual > maxStatesResidual {
					t.Errorf("the accounts do not close: %+v", c)
				}
			})
		})
	}
}

const lineBatches = 100

// line moves batches through three stages and returns what the queues saw.
func line(t *testing.T, set *meter.Set, in io.Reader, out io.Writer) []meter.QueueSnapshot {
	ctx := t.Context()
	first := meter.NewQueue[[]byte](2, set.Read, set.Map)
	second := meter.NewQueue[[]byte](2, set.Map, set.Write)
	go func() {
		defer first.Close()
		defer set.Read.Enter().Exit()
		r := meter.NewReader(in, set.Read)
		for range lineBatches {
			batch := make([]byte, 1000)
			if _, err := r.Read(batch); err != nil {
				t.Error(err)
			}
			if err := first.Send(ctx, batch); err != nil {
				t.Error(err)
			}
		}
	}()
	go func() {
		defer second.Close()
		defer set.Map.Enter().Exit()
		for batch, ok, _ := first.Recv(ctx); ok; batch, ok, _ = first.Recv(ctx) {
			set.Map.AddItems(10)
			if err := second.Send(ctx, batch); err != nil {
				t.Error(err)
			}
		}
	}()
	worker := set.Write.Enter()
	w := meter.NewWriter(out, set.Write)
	for batch, ok, _ := second.Recv(ctx); ok; batch, ok, _ = second.Recv(ctx) {
		if _, err := w.Write(batch); err != nil {
			t.Error(err)
		}
	}
	worker.Exit()
	return []meter.QueueSnapshot{first.Stats(), second.Stats()}
}
