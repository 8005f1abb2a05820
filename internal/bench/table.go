package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteJSON writes the report as indented JSON. The error is w's.
func WriteJSON(w io.Writer, r *Report) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// printer writes tables.
type printer struct {
	b   strings.Builder
	tab *tabwriter.Writer
}

func newPrinter() *printer {
	p := &printer{}
	p.tab = tabwriter.NewWriter(&p.b, 0, 8, 2, ' ', 0)
	return p
}

// row writes cells; the columns of rows without a title between them line up.
func (p *printer) row(cells ...string) {
	fmt.Fprintln(p.tab, "  "+strings.Join(cells, "\t"))
}

func (p *printer) title(format string, args ...any) {
	p.tab.Flush()
	fmt.Fprintf(&p.b, "\n"+format+"\n", args...)
}

// WriteTable writes the report for people. The error is w's.
func WriteTable(w io.Writer, r *Report) error {
	p := newPrinter()
	fmt.Fprintf(&p.b, "alignpipe bench: %d threads on %g CPUs, %.0f s\n", r.Threads, r.CPUs, r.WallSeconds)
	if n := r.Noise; n.Others != nil && *n.Others > noisy {
		fmt.Fprintf(&p.b, "Other programs took %.0f %% of the CPUs meanwhile: doubt these figures.\n", 100**n.Others)
	}
	p.ceilings(r)
	for i := range r.Rooflines {
		p.roofline(&r.Rooflines[i])
	}
	p.title("Were all records spilled")
	if s := r.Spill; s.Allowed != nil {
		p.row(fmt.Sprintf("the temporary folder would allow %s reads/s (%.0f bytes each, written and read)", count(*s.Allowed), *s.PerRead))
	} else {
		p.row("not known: " + s.AllowedReason)
	}
	p.handoff(r.Handoff)
	p.inFlight(r.InFlight)
	p.batches(r.Batches)
	p.fill(r.Fill)
	p.title("What to buy: %s", r.Advice.Buy)
	for _, line := range r.Advice.Words {
		p.row(line)
	}
	p.tab.Flush()
	_, err := io.WriteString(w, p.b.String())
	return err
}

func (p *printer) ceilings(r *Report) {
	for _, f := range r.Folders {
		note := ""
		if f.Place.InMemory {
			note = "; made of memory"
		}
		p.title("Folder %s (%s%s)", f.Path, strings.Join(f.Roles, ", "), note)
		for _, c := range f.Ceilings {
			p.ceiling(c, "streams")
		}
	}
	p.title("Memory")
	for _, c := range r.Memory {
		p.ceiling(c, "threads")
	}
	w := r.Workload
	p.title("One core (%s reads, %d of them, reference %s bases)", w.Source, w.Reads, count(float64(w.ReferenceBases)))
	for _, c := range r.Core {
		p.ceiling(c, "")
	}
}

func (p *printer) ceiling(c Ceiling, streams string) {
	cells := []string{c.Name}
	if streams != "" {
		cells = append(cells, fmt.Sprintf("%d %s", c.Streams, streams))
	}
	for _, v := range c.Values {
		if v.Figure == nil {
			cells = append(cells, "not measured: "+v.Reason)
			continue
		}
		cells = append(cells, quantity(v.Unit, v.Figure.Median), within(*v.Figure))
	}
	p.row(cells...)
}

// within is the spread of a figure.
func within(f Figure) string { return fmt.Sprintf("±%.0f %%", 100*f.spread()) }

// quantity writes a number with its unit.
func quantity(unit string, v float64) string {
	switch unit {
	case bytesPerSecond:
		return fmt.Sprintf("%.0f MB/s", v/1e6)
	case readsPerSecond:
		return count(v) + " reads/s"
	}
	return time.Duration(v * 1e9).Round(roundTo(v)).String()
}

// roundTo leaves three digits or so.
func roundTo(seconds float64) time.Duration {
	step := time.Nanosecond / 10
	for d := seconds * 1e9; d >= 1000; d /= 10 {
		step = max(step, 1) * 10
	}
	return max(step, 1)
}

// barWidth is the length of the longest bar of a roofline.
const barWidth = 40

// roofline draws, for each station, what it allows; the dot is what was measured.
func (p *printer) roofline(r *Roofline) {
	p.title("Roofline, --sort %s: %s reads/s %s, %.0f %% of the roof of %s", r.Sort, count(r.Measured.Median),
		within(r.Measured), 100*r.Share, count(r.Roof))
	if r.Verdict != nil {
		p.row("verdict of the run: " + *r.Verdict)
	}
	for i := range r.Phases {
		ph := &r.Phases[i]
		p.row(fmt.Sprintf("%s: %.2f s, %s reads/s; limit %s, next %s", ph.Name, ph.WallSeconds, count(ph.Measured), ph.Limit, ph.Next))
		p.tab.Flush()
		for _, s := range ph.Stations {
			p.station(s, ph)
		}
		p.tab.Flush()
	}
}

func (p *printer) station(s Station, ph *RoofPhase) {
	if s.Allowed == nil {
		p.row("  "+s.Name, s.Resource, "not known: "+s.AllowedReason)
		return
	}
	mark := ""
	if s.Name == ph.Limit {
		mark = "<== lowest"
	}
	p.row("  "+s.Name, fmt.Sprintf("%s x%.3g", s.Resource, s.Units), count(*s.Allowed)+" reads/s",
		fmt.Sprintf("used %.0f %%", 100**s.Utilisation), bar(ph.Measured, *s.Allowed), mark)
}

// bar is drawn on the scale of the dot: the dot is always at the same place, and a station that
// allows four times as much or more fills the width.
func bar(dot, allowed float64) string {
	at := barWidth / 4
	n := int(float64(at) * allowed / dot)
	cells := []rune(strings.Repeat("-", min(max(n, 1), barWidth)))
	for len(cells) <= at {
		cells = append(cells, ' ')
	}
	cells[at] = 'o'
	if n > barWidth {
		cells[len(cells)-1] = '>'
	}
	return string(cells)
}

func (p *printer) handoff(h HandoffReport) {
	p.title("Queues against barriers, --sort none")
	if h.AsIs != nil {
		p.pair("as it is", h.AsIs)
	}
	if h.Apart != nil {
		p.pair("cores not limiting", h.Apart)
	} else {
		p.row("cores not limiting", h.ApartReason)
	}
}

func (p *printer) pair(name string, h *HandoffPair) {
	way := func(f *Figure, reason string) string {
		if f == nil {
			return reason
		}
		return count(f.Median) + " reads/s " + within(*f)
	}
	times := h.SpeedUpReason
	if s := h.SpeedUp; s != nil {
		times = fmt.Sprintf("%.2f times (%.2f to %.2f in %d pairs)", s.Median, s.Low, s.High, s.Repeats)
	}
	p.row(name, "queue "+way(h.Queue, h.QueueReason), "barrier "+way(h.Barrier, h.BarrierReason), times)
}

func (p *printer) inFlight(s InFlightSweep) {
	p.title("Batches in flight, from parsed to mapped (first file alone, --sort none)")
	p.row("limit", "reads/s", "", "stay W", "mean L", "X W", "")
	for _, pt := range s.Points {
		mark := ""
		if pt.Limit == s.Knee {
			mark = "<== knee"
		}
		p.row(fmt.Sprint(pt.Limit), count(pt.Rate.Median), within(pt.Rate), quantity(unitSeconds, pt.Residence.Median),
			fmt.Sprintf("%.2f", pt.Inside.Median), fmt.Sprintf("%.2f", pt.Little.Median), mark)
	}
}

func (p *printer) batches(points []BatchPoint) {
	p.title("Size of batches (first file alone, --sort none)")
	p.row("bases", "batches", "reads/s", "", "first output after")
	for _, pt := range points {
		p.row(fmt.Sprint(pt.Bases), fmt.Sprint(pt.Batches), count(pt.Rate.Median), within(pt.Rate), quantity(unitSeconds, pt.FirstOutput.Median))
	}
}

func (p *printer) fill(f FillReport) {
	if f.Slowed == nil {
		p.title("Filling and draining: %s", f.SlowedReason)
		return
	}
	p.title("Filling and draining (first file alone, --sort none -t %d, mapping slowed %.2f times so that cores do not limit)", f.Threads, *f.Slowed)
	p.row("bases", "batches", "fill", "formula", "", "drain", "formula", "", "at work", "formula", "")
	for _, pt := range f.Points {
		cells := []string{fmt.Sprint(pt.Bases), fmt.Sprint(pt.Batches)}
		if pt.Limit == nil {
			p.row(append(cells, pt.LimitReason)...)
			continue
		}
		for _, c := range []*Compared{pt.FillTime, pt.Drain} {
			cells = append(cells, quantity(unitSeconds, c.Measured.Median), quantity(unitSeconds, c.Formula), fmt.Sprintf("%+.0f %%", 100*c.Error))
		}
		u := pt.Use
		p.row(append(cells, fmt.Sprintf("%.1f %%", 100*u.Measured.Median), fmt.Sprintf("%.1f %%", 100*u.Formula), fmt.Sprintf("%+.1f %%", 100*u.Error))...)
	}
}
