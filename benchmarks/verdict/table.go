package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
)

func tableCommand(files []string, w io.Writer) error {
	if len(files) == 0 {
		return errors.New("give results files")
	}
	var all []Result
	for _, path := range files {
		results, _, err := loadResults(path)
		if err != nil {
			return err
		}
		if results == nil {
			return fmt.Errorf("%s: no results", path)
		}
		all = append(all, results...)
	}
	_, err := io.WriteString(w, scoreOf(all).markdown())
	return err
}

// markdown is everything there is to say, failures included.
func (sc *Score) markdown() string {
	var b strings.Builder
	sc.summary(&b)
	sc.matrix(&b)
	sc.perClass(&b)
	sc.listFailures(&b)
	sc.listSkipped(&b)
	return b.String()
}

func (sc *Score) summary(b *strings.Builder) {
	fmt.Fprintf(b, "%d scenarios, %d of them with measured truth, %d of these decisive; %d slots counted, %d rejected by the noise guard.\n\n",
		sc.class.of, sc.truths, sc.knob.of, sc.slots, sc.rejected)
	b.WriteString("| score | value | of |\n|---|--:|--:|\n")
	row := func(what string, s share) { fmt.Fprintf(b, "| %s | %s | %d |\n", what, percentage(s), s.of) }
	row("class right", sc.class)
	row("class right, truth measured", sc.measuredClass)
	row("knob that helps most named first", sc.knob)
	row(fmt.Sprintf("wrong with a confidence of %.1f or more", sure), sc.confidentWrong)
	errorRow := func(what string, errs []float64) {
		for _, q := range []float64{0.5, 0.95} {
			fmt.Fprintf(b, "| %s, %s | %s | %d |\n", what, map[float64]string{0.5: "median", 0.95: "95th percentile"}[q], errorPercent(errs, q), len(errs))
		}
	}
	errorRow("error of forecasts, knobs with an effect", sc.forecastErrors)
	row("forecasts of no effect that came true", sc.noEffect)
	errorRow("error of the makespan from a tenth of the run", sc.makespanErrors)
}

func percentage(s share) string {
	if s.of == 0 {
		return "no data"
	}
	return fmt.Sprintf("%.1f %%", s.percent())
}

func errorPercent(errs []float64, q float64) string {
	v := quantile(errs, q)
	if math.IsNaN(v) {
		return "no data"
	}
	return fmt.Sprintf("%.1f %%", 100*v)
}

// matrix has a row for each truth and a column for each verdict that occurred.
func (sc *Score) matrix(b *strings.Builder) {
	var rows, columns []string
	for _, c := range classes {
		if slices.ContainsFunc(slices.Collect(maps.Keys(sc.confusion)), func(k [2]string) bool { return k[0] == c }) {
			rows = append(rows, c)
		}
		if slices.ContainsFunc(slices.Collect(maps.Keys(sc.confusion)), func(k [2]string) bool { return k[1] == c }) {
			columns = append(columns, c)
		}
	}
	fmt.Fprintf(b, "\n| truth, verdict | %s |\n|---|%s\n", strings.Join(columns, " | "), strings.Repeat("--:|", len(columns)))
	for _, truth := range rows {
		fmt.Fprintf(b, "| %s |", truth)
		for _, verdict := range columns {
			cell := ""
			if n := sc.confusion[[2]string{truth, verdict}]; n > 0 {
				cell = fmt.Sprint(n)
			}
			if truth == verdict {
				cell = "**" + cell + "**"
			}
			fmt.Fprintf(b, " %s |", strings.ReplaceAll(cell, "****", ""))
		}
		b.WriteString("\n")
	}
}

func (sc *Score) perClass(b *strings.Builder) {
	b.WriteString("\n| class | scenarios | right |\n|---|--:|--:|\n")
	for _, c := range classes {
		if s := sc.byClass[c]; s != nil {
			fmt.Fprintf(b, "| %s | %d | %d |\n", c, s.of, s.n)
		}
	}
}

func (sc *Score) listFailures(b *strings.Builder) {
	if len(sc.failures) == 0 {
		return
	}
	b.WriteString("\n| seed | index | built as | truth | verdict | confidence | first limits | scenario |\n|--:|--:|---|---|---|--:|---|---|\n")
	for _, r := range sc.failures {
		truth, _ := truthClass(r)
		if r.Truth != nil && r.Truth.Decisive {
			truth += ": " + strings.Join(r.Truth.Set, ", ")
		}
		s := &r.Scenario
		fmt.Fprintf(b, "| %d | %d | %s | %s | %s | %.2f | %s | %s |\n", s.Seed, s.Index, strings.TrimSpace(s.Class+" "+s.Stage), truth,
			verdictName(&r.Verdict), r.Verdict.Confidence, firstLimits(&r.Verdict), s.brief())
	}
}

func firstLimits(v *Verdict) string {
	var parts []string
	for _, l := range v.Limits[:min(3, len(v.Limits))] {
		parts = append(parts, fmt.Sprintf("%s %s %.2f", l.Class, l.Stage, l.Elasticity))
	}
	return strings.Join(parts, ", ")
}

func (sc *Score) listSkipped(b *strings.Builder) {
	if len(sc.skipped) == 0 {
		return
	}
	b.WriteString("\n| not scored because | scenarios |\n|---|--:|\n")
	for _, why := range slices.Sorted(maps.Keys(sc.skipped)) {
		fmt.Fprintf(b, "| %s | %d |\n", strings.Join(strings.Fields(why), " "), sc.skipped[why])
	}
}

// brief says what a scenario is in a line.
func (s *Scenario) brief() string {
	parts := []string{s.Recipe, s.Engine, s.Input.Format, s.Input.Layout, "sort " + s.Sort, fmt.Sprintf("-l %d", s.Level), fmt.Sprintf("%d CPUs", s.CPUs)}
	if s.Input.Templates > 0 {
		parts = append(parts, fmt.Sprintf("%d templates", s.Input.Templates))
	}
	if s.QuotaCPUs > 0 {
		parts = append(parts, fmt.Sprintf("quota %.2f", s.QuotaCPUs))
	}
	if s.Spinners > 0 {
		parts = append(parts, fmt.Sprintf("%d spinners", s.Spinners))
	}
	for _, role := range slices.Sorted(maps.Keys(s.Disks)) {
		d := s.Disks[role]
		parts = append(parts, fmt.Sprintf("%s on %s %s %.1f/%.1f MB/s", role, d.Layer, d.Name, d.ReadRate/1e6, d.WriteRate/1e6))
	}
	for _, decoy := range s.Decoys {
		parts = append(parts, "decoy "+decoy)
	}
	return strings.Join(parts, ", ")
}

// String tells the truth in a line.
func (t *Truth) String() string {
	var parts []string
	for _, k := range t.Knobs {
		parts = append(parts, fmt.Sprintf("%s x%.3g %+.0f %% (%+.0f to %+.0f)", k.Name, k.Factor, 100*k.Gain, 100*k.Low, 100*k.High))
	}
	best := "nothing helps for certain"
	if t.Decisive {
		best = "best: " + strings.Join(t.Set, ", ")
	}
	return strings.Join(parts, "; ") + "; " + best
}

// explain prints a result for people.
func explain(w io.Writer, r *Result, verbose bool) {
	if r.Skipped != "" {
		fmt.Fprintf(w, "skipped: %s\n", r.Skipped)
		return
	}
	s := &r.Scenario
	fmt.Fprintf(w, "scenario  %s\nbuilt as  %s %s\nverdict   %s, confidence %.2f\n", s.brief(), s.Class, s.Stage, verdictName(&r.Verdict), r.Verdict.Confidence)
	for _, line := range r.Verdict.Evidence {
		fmt.Fprintf(w, "  %s\n", line)
	}
	for _, l := range r.Verdict.Limits {
		fmt.Fprintf(w, "limit     %-26s %-12s %.2f  knob %s\n", l.Class, l.Stage, l.Elasticity, knobOf(s, l))
	}
	fmt.Fprintf(w, "time      %.2f s:", r.Base.WallSeconds)
	for _, p := range r.Phases {
		fmt.Fprintf(w, " %s %.2f", p.Name, p.Seconds)
	}
	fmt.Fprintf(w, "; others used %.1f %% of the CPUs, %d slots were rejected before\n", 100*r.Base.Noise.Others, len(r.Base.Rejected))
	if r.Truth != nil {
		truth, _ := truthClass(r)
		fmt.Fprintf(w, "truth     %s\n          so it is %s\n", r.Truth, truth)
	}
	if verbose && r.report != nil {
		fmt.Fprintf(w, "%s\n", r.report.raw)
	}
}
