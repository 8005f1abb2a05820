package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// checkNulls walks through a JSON document: every null has a reason beside it.
func checkNulls(t *testing.T, at string, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if value == nil {
				if reason, _ := v[key+"_reason"].(string); reason == "" {
					t.Errorf("%s.%s is null without a reason", at, key)
				}
			}
			checkNulls(t, at+"."+key, value)
		}
	case []any:
		for _, value := range v {
			checkNulls(t, at+"[]", value)
		}
	}
}

// benchJSON runs a quick benchmark in a folder of its own, which must be empty after it.
func benchJSON(t *testing.T, args ...string) (document map[string]any) {
	t.Helper()
	dir := t.TempDir()
	code, out, talk := call(t, "", append([]string{"bench", "--quick", "--json", "-q", "-t", "2", "--input-dir", dir, "-T", dir, "-o", dir}, args...)...)
	if code != 0 || talk != "" {
		t.Fatalf("exit code %d: %s", code, talk)
	}
	if err := json.Unmarshal([]byte(out), &document); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	checkNulls(t, "", document)
	return document
}

func TestBenchQuick(t *testing.T) {
	d := benchJSON(t)
	for _, key := range []string{"schema_version", "wall_seconds", "noise", "folders", "memory", "core", "workload", "rooflines", "handoff", "spill", "in_flight", "batch_sizes", "fill_and_drain", "advice"} {
		if d[key] == nil {
			t.Errorf("there is no %s", key)
		}
	}
	folders := d["folders"].([]any)
	if roles := folders[0].(map[string]any)["roles"].([]any); len(folders) != 1 || len(roles) != 3 {
		t.Errorf("one device was measured as %v", folders)
	}
	for _, r := range d["rooflines"].([]any) {
		r := r.(map[string]any)
		measured, roof := r["measured_reads_per_second"].(map[string]any)["median"].(float64), r["roof_reads_per_second"].(float64)
		if measured <= 0 || roof <= 0 || r["limit"] == "" || r["verdict"] == nil {
			t.Errorf("roofline: %g under %g, limit %v, verdict %v", measured, roof, r["limit"], r["verdict"])
		}
	}
	if h := d["handoff"].(map[string]any)["as_is"].(map[string]any); h["queue_over_barrier"] == nil {
		t.Errorf("handoff: %v", h)
	}
}

func TestBenchOfGivenReadsByOneHandoff(t *testing.T) {
	d := benchJSON(t, "--ref", data+"lambda.fa.gz", "--reads", data+"lambda_1.fq.gz", data+"lambda_2.fq.gz", "--handoff", "queue")
	w := d["workload"].(map[string]any)
	if w["source"] != "given" || w["container"] != "gzip" || w["paired"] != true || w["reference_bases"] != 48502. {
		t.Errorf("workload: %v", w)
	}
	if h := d["handoff"].(map[string]any)["as_is"].(map[string]any); h["queue_reads_per_second"] == nil || h["barrier_reads_per_second"] != nil {
		t.Errorf("handoff: %v", h)
	}
}

func TestBenchRefusals(t *testing.T) {
	dir := t.TempDir()
	for name, tt := range map[string]struct{ args, want string }{
		"a folder that is not there":    {"-T " + dir + "/missing", "--tmpdir: stat " + dir + "/missing: no such file"},
		"a folder without write":        {"-o /proc", "--output: folder /proc is not writable"},
		"a handoff that does not exist": {"--handoff relay", `--handoff cannot be "relay"`},
		"mates without first reads":     {"two.fq", "give the first file with --reads"},
		"reads without a reference":     {"--reads one.fq", "reads need a reference"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, talk := call(t, "", append([]string{"bench", "-q"}, strings.Fields(tt.args)...)...)
			if code != 64 || out != "" || !strings.Contains(talk, tt.want) {
				t.Errorf("exit code %d, stdout %q, stderr %q, want %q", code, out, talk, tt.want)
			}
		})
	}
}

// TestBenchStoppedBySignal stops a whole benchmark in the middle of its disks.
func TestBenchStoppedBySignal(t *testing.T) {
	dir := t.TempDir()
	cmd := program(t, "bench", "-T", dir, "-o", dir, "--input-dir", dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(700 * time.Millisecond)
	began := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("ended with %v", cmd.ProcessState)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %s to stop", took)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
