package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Result is one line of a results file.
type Result struct {
	Scenario Scenario        `json:"scenario"`
	Date     string          `json:"date"`
	Commit   string          `json:"commit"`
	CPUs     int             `json:"machine_cpus"`
	Skipped  string          `json:"skipped,omitempty"` // why there is nothing to score
	Base     Measurement     `json:"base"`
	Verdict  Verdict         `json:"verdict"`
	Phases   []PhaseTime     `json:"phases"`
	Closure  json.RawMessage `json:"closure,omitempty"`
	Truth    *Truth          `json:"truth,omitempty"`

	Makespan       *float64 `json:"makespan_seconds"` // that the first tenth of the run foresaw
	MakespanReason string   `json:"makespan_seconds_reason,omitempty"`

	report *Report
}

// PhaseTime is how long a phase took.
type PhaseTime struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

func (r *Report) phases() (out []PhaseTime) {
	for _, p := range r.Phases {
		out = append(out, PhaseTime{p.Name, p.WallSeconds})
	}
	return out
}

// What is tried again when the campaign is resumed: skippedNoise, and what begins with skippedFailed.
const (
	skippedNoise  = "the machine was never quiet"
	skippedFailed = "failed: "
)

// key tells scenarios apart.
type key struct {
	seed  uint64
	index int
}

func (r *Result) key() key { return key{r.Scenario.Seed, r.Scenario.Index} }

// loadResults reads a results file, which need not be there. A last line that is not whole, as of a harness that
// was killed, is left out. end is where the next line goes.
func loadResults(path string) (results []Result, end int64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	br := bufio.NewReader(f)
	for n := 1; ; n++ {
		line, err := br.ReadBytes('\n')
		if err != nil { // also of a line without an end
			return results, end, nil
		}
		var r Result
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, 0, fmt.Errorf("%s: line %d: %w", path, n, err)
		}
		results = append(results, r)
		end += int64(len(line))
	}
}

// done are the scenarios that need not be run again.
func done(results []Result) map[key]bool {
	d := map[key]bool{}
	for i := range results {
		why := results[i].Skipped
		d[results[i].key()] = why != skippedNoise && !strings.HasPrefix(why, skippedFailed)
	}
	return d
}

// latest has the last line of each scenario, in the order of their first, and adds up what the noise guard rejected in all.
func latest(results []Result) (out []Result, rejected int) {
	at := map[key]int{}
	for _, r := range results {
		rejected += r.rejected()
		if i, ok := at[r.key()]; ok {
			out[i] = r
			continue
		}
		at[r.key()] = len(out)
		out = append(out, r)
	}
	return out, rejected
}

func (r *Result) rejected() int {
	if r.Truth != nil {
		return r.Truth.Rejected
	}
	n := len(r.Base.Rejected)
	if r.Base.Noisy {
		n++
	}
	return n
}

// appendResult writes one line at end, and returns where the next one goes.
func appendResult(path string, end int64, r *Result) (int64, error) {
	line, err := json.Marshal(r)
	if err != nil {
		return end, err
	}
	line = append(line, '\n')
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return end, err
	}
	_, err = f.WriteAt(line, end)
	if err == nil {
		err = f.Truncate(end + int64(len(line)))
	}
	return end + int64(len(line)), errors.Join(err, f.Sync(), f.Close())
}
