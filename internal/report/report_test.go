package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// mapping is a run that the cores limit.
func mapping() Run {
	read := meter.Snapshot{Name: "read", Kind: meter.KindDeviceRead, Workers: 1, BytesIn: 5e8, Calls: 500,
		LifetimeNS: int64(60 * time.Second), CPUNS: int64(time.Second)}
	read.WaitNS[meter.BlkRead] = int64(4 * time.Second)
	read.WaitNS[meter.WaitOut] = int64(56 * time.Second)
	maps := meter.Snapshot{Name: "map", Kind: meter.KindCPU, Workers: 2, Items: 2e6, Batches: 400,
		LifetimeNS: int64(120 * time.Second), CPUNS: int64(117 * time.Second)}
	maps.WaitNS[meter.WaitIn] = int64(2 * time.Second)
	return Run{
		Version: "0.1.0", Command: []string{"alignpipe", "align"}, CPUs: CPUs{Threads: 2},
		Phases: []PhaseRun{
			{Name: "index load", Startup: true, Span: Span{Wall: time.Second, CPU: time.Second}},
			{Name: "stream", Span: Span{Wall: time.Minute, CPU: 119 * time.Second, RuntimeCPU: time.Second,
				Stages: []meter.Snapshot{read, maps, {Name: "spill-write", Kind: meter.KindDeviceWrite, Workers: 2}}}},
		},
		Queues: []meter.QueueSnapshot{{From: "read", To: "map", Capacity: 4, Sent: 400, Received: 400, FullNS: int64(56 * time.Second)}},
		Reads:  Reads{Total: 2e6, Mapped: 1_990_000, PrimaryWritten: 2e6},
		Sort:   Sort{Records: 2_000_100, SpilledRuns: 3, SpilledBytes: 3 << 20},
		Memory: Memory{LimitBytes: 1 << 30},
	}
}

func TestJSONHasTheContractsKeys(t *testing.T) {
	var buf bytes.Buffer
	if err := WriteJSON(&buf, Build(mapping())); err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(buf.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		key  string
		want any
	}{
		{"schema_version", 1.0},
		{"verdict.class", "cpu"},
		{"verdict.stage", "map"},
		{"sort.spilled_runs", 3.0},
		{"reads.total", 2e6},
		{"reads.mapped", 1990000.0},
		{"reads.duplicates", nil},
		{"reads.duplicates_reason", "duplicates were not looked for"},
		{"closure.states_over_lifetime_residual", 0.0},
		{"closure.stage_cpu_over_process_cpu_residual", 0.0},
		{"closure.items_lost", 0.0},
		{"memory.limit_bytes", float64(1 << 30)},
		{"wall_seconds", 61.0},
	}
	for _, tt := range tests {
		if got, ok := lookup(doc, tt.key); !ok || got != tt.want {
			t.Errorf("%s = %v (there: %t), want %v", tt.key, got, ok, tt.want)
		}
	}
	if c, _ := lookup(doc, "verdict.confidence"); c.(float64) < 0.5 || c.(float64) > 1 {
		t.Errorf("confidence %v", c)
	}
	if peak, ok := lookup(doc, "memory.peak_bytes"); !ok || (peak == nil) != (meter.PeakRSS() == 0) {
		t.Errorf("memory.peak_bytes = %v (there: %t)", peak, ok)
	}
	nullsHaveReasons(t, "", doc)
}

func lookup(doc map[string]any, key string) (any, bool) {
	first, rest, nested := strings.Cut(key, ".")
	v, ok := doc[first]
	if !nested || !ok {
		return v, ok
	}
	inner, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	return lookup(inner, rest)
}

// nullsHaveReasons walks the document: a null without a reason beside it is an error.
func nullsHaveReasons(t *testing.T, at string, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if reason, _ := v[k+"_reason"].(string); x == nil && reason == "" {
				t.Errorf("%s.%s is null without a reason", at, k)
			}
			nullsHaveReasons(t, at+"."+k, x)
		}
	case []any:
		for _, x := range v {
			nullsHaveReasons(t, at+"[]", x)
		}
	}
}

func TestAnEmptyRunIsStillAReport(t *testing.T) {
	r := Build(Run{})
	var buf bytes.Buffer
	if err := errors.Join(WriteJSON(&buf, r), Summary(&buf, r)); err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.NewDecoder(&buf).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	nullsHaveReasons(t, "", doc)
	if r.Verdict.Class != "undetermined" || r.Verdict.Stage != nil {
		t.Errorf("verdict %+v", r.Verdict)
	}
}

func TestChangesDuringTheRunAreListed(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Run)
		want   string // in the JSON, blanks apart
	}{
		{"none was made", func(*Run) {}, `"auto":[]`},
		{"one", func(r *Run) { r.Auto = []AutoChange{{2.25, 3, 6, "measured"}} },
			`"auto":[{"at_seconds":2.25,"mappers":3,"in_flight":6,"why":"measured"}]`},
		{"none could be", func(r *Run) { r.AutoOff = "off" }, `"auto":null,"auto_reason":"off"`},
	}
	for _, tt := range tests {
		run := mapping()
		tt.change(&run)
		text, err := json.Marshal(Build(run))
		if err != nil || !bytes.Contains(text, []byte(tt.want)) {
			t.Errorf("%s: no %s, error %v", tt.name, tt.want, err)
		}
	}
}

func TestClosure(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Run)
		want   string // in the complaints; "" for none
	}{
		{"everything adds up", func(*Run) {}, ""},
		{"a stage was charged twice", func(r *Run) { r.Phases[1].Stages[0].WaitNS[meter.WaitIn] = int64(time.Second) }, "read was charged 1.7 % more"},
		{"more CPU than busy time", func(r *Run) { r.Phases[1].Stages[1].WaitNS[meter.WaitIn] = int64(12 * time.Second) }, "map was charged 7.5 % more"},
		{"CPU that no stage knows of", func(r *Run) { r.Phases[1].CPU = 140 * time.Second }, "differ in CPU time by 15.0 %"},
		{"stages claim more CPU than the process had", func(r *Run) { r.Phases[1].CPU = 100 * time.Second }, "differ in CPU time by -19.0 %"},
		{"the process clock is missing", func(r *Run) { r.Phases[1].CPU = 0 }, ""},
		{"a read was lost", func(r *Run) { r.Reads.PrimaryWritten-- }, "differ by 1"},
		{"a batch was lost", func(r *Run) { r.Queues[0].Received-- }, "1 batches"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run := mapping()
			tt.change(&run)
			got := strings.Join(closureOf(run).complaints(), "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("complaints %q, want %q", got, tt.want)
			}
			if evidence := strings.Join(Build(run).Verdict.Evidence, "\n"); tt.want != "" && !strings.Contains(evidence, tt.want) {
				t.Errorf("the verdict does not show it:\n%s", evidence)
			}
		})
	}
}

func TestStageTable(t *testing.T) {
	r := Build(mapping())
	if len(r.Stages) != 3 {
		t.Fatalf("%d stages", len(r.Stages))
	}
	read, maps, spill := r.Stages[0], r.Stages[1], r.Stages[2]
	if got := *read.Utilisation; math.Abs(got-0.05) > 1e-9 {
		t.Errorf("read used %.3f of its device, want 3 s of blocking in 60 s", got)
	}
	if got := *maps.DemandMicroseconds; math.Abs(got-58.5) > 1e-9 {
		t.Errorf("map takes %.2f us per read, want 58.5", got)
	}
	if spill.Utilisation != nil || spill.UtilisationReason == "" || read.DemandMicrosecondsReason == "" {
		t.Errorf("missing values need reasons: %+v, %+v", spill, read)
	}
}

func TestSummary(t *testing.T) {
	run := mapping()
	run.Reads.Skipped = 7
	var buf bytes.Buffer
	if err := Summary(&buf, Build(run)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(buf.String(), "\n"), "\n")
	if len(lines) > 12 {
		t.Errorf("%d lines:\n%s", len(lines), buf.String())
	}
	if !strings.HasPrefix(lines[0], "verdict: cpu (map): stream phase, 98 % of wall: 1.98 of 2.00 cores in use") {
		t.Errorf("first line: %s", lines[0])
	}
	for _, want := range []string{"reads: 2000000, 99.50 % mapped, 61.0 s, 32787 reads/s", "skipped: 7", "3 runs spilled, 3 MiB", "of 1024 MiB", "map x2 98 %", "advice: more cores"} {
		if !strings.Contains(buf.String(), want) {
			t.Errorf("no %q in\n%s", want, buf.String())
		}
	}
	bad := errors.New("closed terminal")
	if err := Summary(failing{bad}, Build(run)); !errors.Is(err, bad) {
		t.Errorf("Summary = %v", err)
	}
	if err := WriteJSON(failing{bad}, Build(run)); !errors.Is(err, bad) {
		t.Errorf("WriteJSON = %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
