package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/alignpipe/alignpipe/internal/report"
)

// Report is what the harness reads of a run's REPORT.json.
type Report struct {
	WallSeconds float64 `json:"wall_seconds"`
	Verdict     Verdict `json:"verdict"`
	Sort        struct {
		SpilledRuns  int64 `json:"spilled_runs"`
		SpilledBytes int64 `json:"spilled_bytes"`
	} `json:"sort"`
	Memory struct {
		PeakBytes *float64 `json:"peak_bytes"`
	} `json:"memory"`
	Phases []struct {
		Name              string   `json:"name"`
		Startup           bool     `json:"startup"`
		WallSeconds       float64  `json:"wall_seconds"`
		ProcessCPUSeconds *float64 `json:"process_cpu_seconds"`
	} `json:"phases"`
	Stages []struct {
		Name        string   `json:"name"`
		CPUSeconds  *float64 `json:"cpu_seconds"`
		OutputBytes int64    `json:"output_bytes"`
	} `json:"stages"`
	Closure        json.RawMessage  `json:"closure"`
	Makespan       *report.Makespan `json:"makespan_forecast"`
	MakespanReason string           `json:"makespan_forecast_reason"`

	raw []byte
}

// Verdict is the part that is scored.
type Verdict struct {
	Class      string   `json:"class"`
	Stage      *string  `json:"stage"`
	Confidence float64  `json:"confidence"`
	Evidence   []string `json:"evidence,omitempty"`
	Limits     []Limit  `json:"limits"`
}

// Limit is one of the verdict's resources.
type Limit struct {
	Class      string  `json:"class"`
	Stage      string  `json:"stage"`
	Elasticity float64 `json:"elasticity"`
	Knob       string  `json:"knob,omitempty"`
}

func (v *Verdict) stage() string {
	if v.Stage == nil {
		return ""
	}
	return *v.Stage
}

func readReport(path string) (*Report, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &Report{raw: data}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}
