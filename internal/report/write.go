package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteJSON writes the report as indented JSON. The error is w's.
func WriteJSON(w io.Writer, r *Report) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

const maxEvidence = 5 // lines of it in the summary, so that all fits in 12

// Summary writes the end of a run for a terminal: the verdict first, at most 12 lines.
func Summary(w io.Writer, r *Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "verdict: %s", r.Verdict.headline)
	for i, line := range r.Verdict.Evidence {
		switch {
		case i == 0:
			fmt.Fprintf(&b, ": %s\n", line)
		case i < maxEvidence:
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	fmt.Fprintf(&b, "  advice: %s (confidence %.2f)\n", r.Verdict.Advice, r.Verdict.Confidence)
	fmt.Fprintf(&b, "reads: %d, %s mapped, %.1f s, %s reads/s\n", r.Reads.Total,
		share(r.Reads.Mapped, r.Reads.Total), r.WallSeconds, perSecond(r.Reads.Total, r.WallSeconds))
	if r.Reads.Skipped > 0 {
		fmt.Fprintf(&b, "skipped: %d bad records\n", r.Reads.Skipped)
	}
	fmt.Fprintf(&b, "memory: peak %s of %s; sort: %d runs spilled, %s\n",
		peak(r.Memory), mebibytes(r.Memory.LimitBytes), r.Sort.SpilledRuns, mebibytes(r.Sort.SpilledBytes))
	if line := stageLine(r); line != "" {
		fmt.Fprintf(&b, "stages: %s (of capacity)\n", line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// stageLine shows how much of each stage's capacity was used, in the phase in which it did most.
func stageLine(r *Report) string {
	most := map[string]Stage{}
	for _, s := range r.Stages {
		if m, ok := most[s.Name]; !ok || s.BusySeconds > m.BusySeconds {
			most[s.Name] = s
		}
	}
	var parts []string
	for _, s := range r.Stages {
		if m := most[s.Name]; s.Utilisation == nil || s.Phase != m.Phase {
			continue
		}
		name := s.Name
		if s.Workers > 1 {
			name = fmt.Sprintf("%s x%d", s.Name, s.Workers)
		}
		parts = append(parts, fmt.Sprintf("%s %.0f %%", name, 100**s.Utilisation))
	}
	return strings.Join(parts, ", ")
}

func share(part, whole int64) string {
	if whole == 0 {
		return "none"
	}
	return fmt.Sprintf("%.2f %%", 100*float64(part)/float64(whole))
}

func perSecond(n int64, wallSeconds float64) string {
	if wallSeconds <= 0 {
		return "?"
	}
	return fmt.Sprintf("%.0f", float64(n)/wallSeconds)
}

func peak(m Memory) string {
	if m.PeakBytes == nil {
		return "unknown"
	}
	return mebibytes(*m.PeakBytes)
}

func mebibytes(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }
