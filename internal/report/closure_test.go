package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alignpipe/alignpipe/internal/host"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/verdict"
)

func TestStatesResidual(t *testing.T) {
	const ms = 1_000_000
	stage := func(kind meter.Kind, lifetime, cpu, wait int64) meter.Snapshot {
		s := meter.Snapshot{Kind: kind, LifetimeNS: lifetime * ms, CPUNS: cpu * ms}
		s.WaitNS[meter.WaitIn] = wait * ms
		return s
	}
	tests := []struct {
		name  string
		stage meter.Snapshot
		want  float64
	}{
		{"never entered", stage(meter.KindCPU, 0, 0, 0), 0},
		{"busy and waiting", stage(meter.KindCPU, 1000, 400, 600), 0},
		{"wake-ups in a short run", stage(meter.KindCPU, 50, 11, 40), 0},
		{"CPU time beside waits", stage(meter.KindCPU, 1000, 410, 600), 0.01},
		{"waits beyond the lifetime", stage(meter.KindDeviceRead, 1000, 0, 1020), 0.02},
	}
	for _, tt := range tests {
		if got := statesResidual(tt.stage); got != tt.want {
			t.Errorf("%s: %g, want %g", tt.name, got, tt.want)
		}
	}
}

// closing is a run of ten seconds whose accounts close.
func closing() Run {
	second := int64(time.Second)
	read := meter.Snapshot{Name: "read", Kind: meter.KindDeviceRead, Workers: 1, LifetimeNS: 10 * second, CPUNS: second / 2, BytesIn: 64 << 20}
	read.WaitNS[meter.BlkRead] = 9 * second
	mapping := meter.Snapshot{Name: "map", Kind: meter.KindCPU, Workers: 2, LifetimeNS: 20 * second, CPUNS: 18 * second, Batches: 100}
	write := meter.Snapshot{Name: "write", Kind: meter.KindDeviceWrite, Workers: 1, LifetimeNS: 10 * second, BytesOut: 128 << 20}
	return Run{
		CPUs:  CPUs{Threads: 2, Host: 2},
		Reads: Reads{Total: 1000, PrimaryWritten: 1000},
		Phases: []PhaseRun{{Name: "stream", Span: Span{Wall: 10 * time.Second, CPU: 19 * time.Second, RuntimeCPU: time.Second / 2,
			Stages: []meter.Snapshot{read, mapping, write}}}},
		IO:     &host.IO{RCharBytes: 64 << 20, WCharBytes: 128 << 20},
		Queues: []meter.QueueSnapshot{{Sent: 100, Received: 100}},
		Flight: meter.FlightSnapshot{Entered: 100, Left: 100, MeanInside: 4, MeanStayNS: 0.4e9, SpanNS: 10e9},
	}
}

func TestAccountsThatDoNotCloseLeaveTheVerdictOpen(t *testing.T) {
	stage := func(r *Run, i int) *meter.Snapshot { return &r.Phases[0].Stages[i] }
	tests := []struct {
		name   string
		change func(*Run)
		want   string // in the evidence; "" where all is well
	}{
		{"all closes", func(*Run) {}, ""},
		{"waits beyond a lifetime", func(r *Run) { stage(r, 0).WaitNS[meter.WaitIn] = 2e9 }, "read was charged 10.0 % more than its lifetime"},
		{"CPU that nobody used", func(r *Run) { r.Phases[0].CPU = 20 * time.Second }, "differ in CPU time by 5.0 %"},
		{"CPU that was used twice", func(r *Run) { r.Phases[0].RuntimeCPU = time.Second }, "differ in CPU time by -2.6 %"},
		{"a batch that never left", func(r *Run) { r.Flight.MeanInside = 5 }, "their rate times their stay differ by -20.0 %"},
		{"bytes that were not metered", func(r *Run) { stage(r, 0).BytesIn /= 2 }, "50.0 % more bytes read than the stages"},
		{"bytes that the kernel did not see", func(r *Run) { stage(r, 2).BytesOut = 130 << 20 }, "-1.6 % more bytes written"},
		{"more than all of a stage", func(r *Run) { stage(r, 0).WaitNS[meter.BlkRead], stage(r, 0).LifetimeNS = 11e9, 11e9 }, "read was used 105 %"},
		{"a read that is gone", func(r *Run) { r.Reads.PrimaryWritten-- }, "reads in and primary records out differ by 1"},
		{"a batch that is gone", func(r *Run) { r.Queues[0].Received-- }, "1 batches were sent and not received"},
		{"no kernel count", func(r *Run) { r.IO = nil }, ""},
		{"no process clock", func(r *Run) { r.Phases[0].CPU = 0 }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run := closing()
			tt.change(&run)
			r := Build(run)
			evidence := strings.Join(r.Verdict.Evidence, "\n")
			switch {
			case tt.want == "" && (len(r.Model.Unclosed) > 0 || r.Verdict.Class == verdict.Undetermined):
				t.Errorf("%s: %s", r.Verdict.Class, evidence)
			case tt.want != "" && (r.Verdict.Class != verdict.Undetermined || r.Verdict.Confidence != 0 || !strings.Contains(evidence, tt.want)):
				t.Errorf("%s, confidence %v: %s; want %q", r.Verdict.Class, r.Verdict.Confidence, evidence, tt.want)
			}
			for key, c := range map[string]struct {
				value  *float64
				reason string
			}{"CPU": {r.Closure.CPUResidual, r.Closure.CPUResidualReason}, "bytes read": {r.Closure.ReadBytesResidual, r.Closure.BytesResidualReason},
				"bytes written": {r.Closure.WriteBytesResidual, r.Closure.WriteBytesReason}} {
				if (c.value == nil) != (c.reason != "") {
					t.Errorf("%s: %v, reason %q", key, c.value, c.reason)
				}
			}
		})
	}
}

func TestComplaintsComeInTheSameOrder(t *testing.T) {
	run := closing()
	run.Phases[0].Stages[0].BytesIn, run.Phases[0].Stages[2].BytesOut = 0, 0
	first := closureOf(run).complaints()
	for range 50 {
		if again := closureOf(run).complaints(); !slices.Equal(first, again) {
			t.Fatalf("%q, then %q", first, again)
		}
	}
}
