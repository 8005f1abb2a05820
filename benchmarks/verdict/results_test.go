package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestResultsAreResumed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.jsonl")
	if results, end, err := loadResults(path); err != nil || results != nil || end != 0 {
		t.Fatalf("a file that is not there: %v, %d, %v", results, end, err)
	}
	var end int64
	for i, skipped := range []string{"", skippedNoise, "needs root", skippedFailed + "exit status 1"} {
		r := made(i, classCPU, classCPU, 0.5, nil)
		r.Skipped = skipped
		var err error
		if end, err = appendResult(path, end, &r); err != nil {
			t.Fatal(err)
		}
	}
	// The harness is killed in the middle of a line.
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"scenario":{"seed":1,` + strings.Repeat(" ", 5000)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	results, end, err := loadResults(path)
	if err != nil || len(results) != 4 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	have := done(results)
	if !have[key{1, 0}] || have[key{1, 1}] || !have[key{1, 2}] || have[key{1, 3}] || have[key{1, 4}] {
		t.Errorf("done: %v", have)
	}
	again := made(1, classCPU, classSerial, 0.5, nil)
	if _, err := appendResult(path, end, &again); err != nil {
		t.Fatal(err)
	}
	results, _, err = loadResults(path)
	if err != nil || len(results) != 5 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	if !done(results)[key{1, 1}] {
		t.Error("the second try does not count")
	}
	if last, _ := latest(results); len(last) != 4 || last[1].Verdict.Class != classSerial {
		t.Errorf("latest: %+v", last)
	}
}

func TestBadLinesAreToldOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.jsonl")
	if err := os.WriteFile(path, []byte("{}\nnonsense\n{}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := loadResults(path); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("error %v", err)
	}
}

func TestProfileOfAReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	const text = `{"wall_seconds": 6, "sort": {"spilled_bytes": 4000}, "memory": {"peak_bytes": 1000},
		"phases": [{"name": "startup", "startup": true, "wall_seconds": 1, "process_cpu_seconds": 1},
			{"name": "stream", "wall_seconds": 3, "process_cpu_seconds": 5}, {"name": "merge", "wall_seconds": 2, "process_cpu_seconds": null}],
		"stages": [{"name": "write", "cpu_seconds": 0.5, "output_bytes": 3000}, {"name": "map", "cpu_seconds": null}, {"name": "write", "cpu_seconds": 0.5, "output_bytes": 0}],
		"verdict": {"class": "cpu", "stage": "map"}}`
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := readReport(path)
	if err != nil {
		t.Fatal(err)
	}
	p := profileOf(r, 1000, 9000)
	if p.StartupSeconds != 1 || p.Stream != 0.003 || p.Merge != 0.002 || p.CPU != 0.005 || p.StageCPU["write"] != 0.001 ||
		p.InputBytes != 9 || p.OutputBytes != 3 || p.SpillBytes != 4 || p.PeakBytes != 1000 {
		t.Errorf("%+v", p)
	}
	if verdictName(&r.Verdict) != "cpu (map)" {
		t.Errorf("verdict %s", verdictName(&r.Verdict))
	}
}
