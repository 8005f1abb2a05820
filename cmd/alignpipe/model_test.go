package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alignpipe/alignpipe/internal/model"
)

const lines = "../../internal/model/testdata/"

func TestModelCommand(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.json")
	if err := os.WriteFile(bad, []byte(`{"stages": [{"service_seconds": 1, "threads": 2}], "items": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name           string
		args, stdin    string
		code           int
		stdout, stderr string // substrings
	}{
		{"a table", "model " + lines + "barrier.json", "", 0, "makespan     270 s for 40 items", ""},
		{"the limit in words", "model " + lines + "disk.json", "", 0, "limit        stage disk\n", ""},
		{"the best batch", "model " + lines + "accelerator-capped.json", "", 0, "32: 1.174 s", ""},
		{"standard input", "model -", `{"stages": [{"service_seconds": 4}], "items": 9}`, 0, "makespan     36 s", ""},
		{"an unknown key", "model " + bad, "", 65, "", `alignpipe: error: ` + bad + `: stages[0]: there is no key "threads"`},
		{"bad standard input", "model -", `{"items": 0}`, 65, "", "alignpipe: error: standard input: stages: there is none\nalignpipe: hint: "},
		{"a circle of dependencies", "model -", `{"stages": [{"service_seconds": 4}], "items": 2, "dependencies": [[0, 1], [1, 0]]}`, 65, "", "standard input: dependencies: item 0"},
		{"a file that is not there", "model no.json", "", 1, "", "no.json"},
		{"no file", "model", "", 64, "", "0 files were given, not 1"},
		{"two files", "model a b", "", 64, "", "2 files were given, not 1"},
		{"an unknown flag", "model --xml a", "", 64, "", "unknown flag: --xml"},
		{"help", "model --help", "", 0, "STAGES.json", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := call(t, test.stdin, strings.Fields(test.args)...)
			if code != test.code || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) {
				t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
			}
			if (code == 0) != (stderr == "") || code != 0 && stdout != "" {
				t.Errorf("stdout is data, stderr is talk: %q, %q", stdout, stderr)
			}
		})
	}
}

// The keys are a contract with scripts.
func TestModelJSONHasItsKeysForTheLineAndForEachStage(t *testing.T) {
	files, err := filepath.Glob(lines + "*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		code, stdout, stderr := call(t, "", "model", "--json", file)
		if code != 0 {
			t.Fatalf("%s: exit %d, %s", file, code, stderr)
		}
		var answer map[string]any
		if err := json.Unmarshal([]byte(stdout), &answer); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		rows := []any{answer}
		rows = append(rows, answer["stages"].([]any)...)
		for i, row := range rows {
			for _, key := range []string{"makespan_seconds", "throughput_per_second", "latency_seconds", "utilisation", "bubble", "limit", "reliability"} {
				if row.(map[string]any)[key] == nil {
					t.Errorf("%s, row %d: no %s", file, i, key)
				}
			}
		}
	}
}

// docs/model.md shows a command for each file of testdata.
func TestTheExamplesOfTheDocumentAreThere(t *testing.T) {
	doc, err := os.ReadFile("../../docs/model.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(lines + "*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".json"); !strings.Contains(string(doc), "`"+name+"`") {
			t.Errorf("docs/model.md does not show %s", name)
		}
	}
}

func TestAStopEndsTheModel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	spec, err := model.ParseSpec(strings.NewReader(`{"stages": [{"service_seconds": 1}], "items": 5000000}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := answerOrStop(ctx, spec); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
