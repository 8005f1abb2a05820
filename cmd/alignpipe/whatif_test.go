package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alignpipe/alignpipe/internal/report"
)

// savedReport is of a real run, on a machine with two CPUs most of whose time other programs took: 240,000
// reads of lambda from gzip, with too little memory. What forecasts do not look at is left out.
const savedReport = "testdata/report.json"

// reportWith is the saved report with something else in it.
func reportWith(t *testing.T, change func(*report.Report)) string {
	t.Helper()
	r, err := readReport(savedReport)
	if err != nil {
		t.Fatal(err)
	}
	change(r)
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "r.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatifCommand(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.json")
	if err := os.WriteFile(bad, []byte(`{"schema_version": "one"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	other := reportWith(t, func(r *report.Report) { r.SchemaVersion = 99 })
	open := reportWith(t, func(r *report.Report) { r.Model.Unclosed = []string{"items lost"} })
	unsorted := reportWith(t, func(r *report.Report) { r.Options.Sort = "none" })
	plain := reportWith(t, func(r *report.Report) { r.Inputs[0].Serial, r.Inputs[1].Serial = false, false })
	onlyStart := reportWith(t, func(r *report.Report) { r.Model.Phases = r.Model.Phases[:1] })
	tests := []struct {
		name           string
		args           string
		code           int
		stdout, stderr string // substrings
	}{
		{"a table of all knobs", savedReport, 0, "\nno effect: input-disk (2x as fast)", ""},
		{"what there is no data for", savedReport, 0, "neighbour", ""},
		{"more cores", savedReport + " --cores 4", 0, "basis: demands of this run", ""},
		{"a quiet machine", savedReport + " --quiet-machine", 0, "cpu (map)", ""},
		{"no effect is told for one knob", savedReport + " --upstream 2x", 0, "1.00x", ""},
		{"two knobs", savedReport + " --cores 3 --disk free", 0, "cores + disk", ""},
		{"a stage", savedReport + " --stage map=1.5x --stage deflate=2", 0, "stage", ""},
		{"enough memory", savedReport + " -m 10G", 0, "without its spilling", ""},
		{"batches in flight", savedReport + " --in-flight 4", 0, "basis: replay of the batches", ""},
		{"cores far from the run", savedReport + " --cores 100", 65, "", "no forecast: 50 times as many cores"},
		{"hardly any cores", savedReport + " --cores 0.0001", 65, "", "no forecast: 5e-05 times as many cores"},
		{"a stage that takes for ever", savedReport + " --stage map=1e-300", 65, "", "no forecast: stage map"},
		{"a stage that did not run", savedReport + " --stage nope=2x", 65, "", `no forecast: no stage "nope" ran`},
		{"more batches than can be simulated", savedReport + " --in-flight 1000000000000000", 65, "", "no forecast: in_flight"},
		{"memory that does not suffice", savedReport + " -m 200M", 65, "", "some would still be spilled"},
		{"no sample of the output", savedReport + " -l 1", 65, "", "no BAM file to take a sample of"},
		{"accounts that do not close", open + " --cores 3", 65, "", "the accounts do not close"},
		{"shards without a sort", unsorted + " --shards 2", 65, "", "only records sorted by coordinate"},
		{"nothing to turn into BGZF", plain + " --bgzf", 65, "", "no input is gzip"},
		{"no time left", onlyStart + " --index-ready", 65, "", "a run of 0 s"},
		{"no report", bad, 65, "", "alignpipe: hint: alignpipe align --report"},
		{"another version's", other, 65, "", "no report of this version"},
		{"a file that is not there", "no.json", 1, "", "no.json"},
		{"no file", "", 64, "", "0 files were given, not 1"},
		{"not a factor", savedReport + " --disk=-1x", 64, "", "no factor such as 2x"},
		{"not a number", savedReport + " --cores NaN", 64, "", "--cores NaN: it must be above 0"},
		{"no batches", savedReport + " --in-flight 0", 64, "", "--in-flight 0"},
		{"no such level", savedReport + " -l 12", 64, "", "level 12"},
		{"no size", savedReport + " -m lots", 64, "", "--memory"},
		{"a stage without a factor", savedReport + " --stage map", 64, "", "not NAME=FACTOR"},
		{"help", "--help", 0, "Usage: alignpipe whatif REPORT.json", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := call(t, "", strings.Fields("whatif "+tt.args)...)
			if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
			}
			if (code == 0) != (stderr == "") || code != 0 && stdout != "" {
				t.Errorf("stdout is data, stderr is talk: %q, %q", stdout, stderr)
			}
		})
	}
}

// TestWhatifJSON: what is missing is null, with a reason beside it.
func TestWhatifJSON(t *testing.T) {
	for _, args := range []string{savedReport, savedReport + " --cores 3"} {
		_, stdout, stderr := call(t, "", strings.Fields("whatif --json "+args)...)
		var got struct {
			Measured  float64                      `json:"measured_wall_seconds"`
			Verdict   string                       `json:"verdict"`
			Forecasts []map[string]json.RawMessage `json:"forecasts"`
		}
		if err := json.Unmarshal([]byte(stdout), &got); err != nil || len(got.Forecasts) == 0 || got.Measured <= 0 || got.Verdict == "" {
			t.Fatalf("%v, %q\n%s", err, stderr, stdout)
		}
		for _, row := range got.Forecasts {
			for _, key := range []string{"forecast", "forecast_if_free"} {
				value, ok := row[key]
				if _, reason := row[key+"_reason"]; !ok || reason != (string(value) == "null") {
					t.Errorf("%s: %s with a reason: %v", row["knob"], value, reason)
				}
				if string(value) == "null" {
					continue
				}
				var f map[string]any
				if err := json.Unmarshal(value, &f); err != nil {
					t.Fatal(err)
				}
				for _, k := range []string{"wall_seconds", "reads_per_second", "speedup", "speedup_low", "speedup_high", "no_effect", "limit_becomes", "basis"} {
					if f[k] == nil {
						t.Errorf("%s lacks %s: %v", row["knob"], k, f)
					}
				}
			}
		}
	}
}

// TestWhatifMeasuresTheLevelOnTheOutput aligns, and compresses the BAM's blocks again.
func TestWhatifMeasuresTheLevelOnTheOutput(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "r.json")
	code, _, stderr := call(t, "", "align", "-t", "2", "-l", "6", "-o", filepath.Join(dir, "o.bam"), "--report", file,
		data+"lambda.fa.gz", data+"lambda_1.fq.gz", data+"lambda_2.fq.gz")
	if code != 0 {
		t.Fatal(stderr)
	}
	code, stdout, stderr := call(t, "", "whatif", file, "-l", "0", "--json")
	if code != 0 || !strings.Contains(stdout, "blocks of its output compressed at both levels") {
		t.Fatalf("exit %d, %s %s", code, stdout, stderr)
	}
	if code, stdout, _ := call(t, "", "whatif", file, "-l", "6"); code != 0 || !strings.Contains(stdout, "1.00x") {
		t.Errorf("the level that it had: exit %d, %s", code, stdout)
	}
	if err := os.WriteFile(filepath.Join(dir, "o.bam"), []byte("no longer a BAM"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := call(t, "", "whatif", file, "-l", "1"); code != 65 || !strings.Contains(stderr, "no sample of the output") {
		t.Errorf("without its output: exit %d, %s", code, stderr)
	}
}
