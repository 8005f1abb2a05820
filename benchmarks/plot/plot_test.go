package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const head = "tool\tset\tbases\treads\tthreads\tround\twall\tuser\tsystem\trss_mib\tstart_wall\tstart_user\tstart_system\n"

// line is a run of 1,000,000 reads on two threads.
func line(tool, set string, bases, round int, wall, user, start float64) string {
	return fmt.Sprintf("%s\t%s\t%d\t1000000\t2\t%d\t%g\t%g\t0.5\t100\t%g\t0.5\t0.1\n", tool, set, bases, round, wall, user, start)
}

// sample has a genome that one tool did not get, and comes large genome first.
func sample() string {
	return head +
		line("ours 1", "large", 3_100_000_000, 1, 12, 20.5, 2) +
		line("ours 1", "small", 5_000_000, 1, 5, 8.5, 0) +
		line("peer 2", "small", 5_000_000, 1, 11, 20.5, 1) +
		line("ours 1", "small", 5_000_000, 2, 4, 8.5, 0) +
		line("peer 2", "small", 5_000_000, 2, 13, 22.5, 1) +
		line("ours 1", "small", 5_000_000, 3, 8, 9.5, 0) +
		line("peer 2", "small", 5_000_000, 3, 9, 20.5, 1)
}

func mustSummarize(t *testing.T, text string) []result {
	t.Helper()
	runs, err := readRuns(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return summarize(runs)
}

func TestStartUpIsTakenOffAndRoundsArePaired(t *testing.T) {
	got := mustSummarize(t, sample())
	if len(got) != 3 {
		t.Fatalf("%d results, want 3", len(got))
	}
	for i, c := range []struct {
		tool, set string
		perThread spread
		user      float64
		ratio     spread
	}{
		{"ours 1", "small", spread{100_000, 62_500, 125_000}, 8, spread{1, 1, 1}},
		{"peer 2", "small", spread{50_000, 1e6 / 24., 62_500}, 20, spread{2, 1, 3}},
		{"ours 1", "large", spread{50_000, 50_000, 50_000}, 20, spread{1, 1, 1}},
	} {
		r := got[i]
		if r.tool != c.tool || r.set != c.set || r.perThread != c.perThread || r.user.median != c.user || r.ratio != c.ratio {
			t.Errorf("result %d is %+v, want %+v", i, r, c)
		}
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   spread
	}{
		{nil, spread{}},
		{[]float64{3}, spread{3, 3, 3}},
		{[]float64{3, 1}, spread{2, 1, 3}},
		{[]float64{3, 1, 7}, spread{3, 1, 7}},
	} {
		if got := spreadOf(c.values); got != c.want {
			t.Errorf("spreadOf(%v) = %v, want %v", c.values, got, c.want)
		}
	}
}

func TestRunsThatCannotBe(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                  "",
		"only names":               head,
		"a column too few":         head + "a\tb\t1\n",
		"a word for a number":      head + strings.Replace(line("a", "b", 1, 1, 2, 2, 1), "1000000", "many", 1),
		"no bases":                 head + line("a", "b", 0, 1, 2, 2, 1),
		"all of it start-up":       head + line("a", "b", 1, 1, 1, 2, 1),
		"all of the CPU start-up":  head + line("a", "b", 1, 1, 2, .5, 1),
		"a bad line behind a good": head + line("a", "b", 1, 1, 2, 2, 1) + "\n",
	} {
		if runs, err := readRuns(strings.NewReader(text)); err == nil {
			t.Errorf("%s: read as %v", name, runs)
		}
	}
}

func TestSizeNames(t *testing.T) {
	for bases, want := range map[float64]string{900: "0.9 kb", 48_502: "49 kb", 999_600: "1.0 Mb", 4_938_920: "4.9 Mb", 63_025_520: "63 Mb", 999_600_000: "1.0 Gb", 3.1e9: "3.1 Gb"} {
		if got := sizeName(bases); got != want {
			t.Errorf("sizeName(%.0f) = %s, want %s", bases, got, want)
		}
	}
}

func TestAxisHasFourToTenParts(t *testing.T) {
	for most := .07; most < 1e7; most *= 1.09 {
		if step := niceStep(most); most/step < 4-1e-9 || most/step > 10+1e-9 {
			t.Errorf("%g in steps of %g", most, step)
		}
	}
	if got := thousands(1234567) + " " + thousands(999) + " " + thousands(0); got != "1,234,567 999 0" {
		t.Error(got)
	}
}

// box is what a text covers.
type box struct {
	text                     string
	left, right, top, bottom float64
}

// texts parses a picture and returns the boxes of what is written in it.
func texts(t *testing.T, svg []byte) (boxes []box, high float64) {
	t.Helper()
	number := func(s string) float64 { v, _ := strconv.ParseFloat(s, 64); return v }
	for d, at, size := xml.NewDecoder(bytes.NewReader(svg)), map[string]string(nil), 13.0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return boxes, high
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			attributes := map[string]string{}
			for _, a := range e.Attr {
				attributes[a.Name.Local] = a.Value
			}
			switch e.Name.Local {
			case "svg":
				high = number(attributes["height"])
			case "text":
				at, size = attributes, 13
				if s := number(at["font-size"]); s > 0 {
					size = s
				}
			}
		case xml.CharData:
			if at == nil {
				continue
			}
			x, y, w := number(at["x"]), number(at["y"]), float64(len(e))*letter*size/13
			switch at["text-anchor"] {
			case "middle":
				x -= w / 2
			case "end":
				x -= w
			}
			boxes = append(boxes, box{string(e), x, x + w, y - .8*size, y + .2*size})
		case xml.EndElement:
			at = nil
		}
	}
}

// TestNoLabelTouchesAnother draws genomes of nearly the same size and more tools than fit in a row.
func TestNoLabelTouchesAnother(t *testing.T) {
	crowd := head
	for i, size := range []int{4_900_000, 5_000_000, 5_100_000, 6_000_000, 3_000_000_000, 3_100_000_000} {
		for tool := range 7 {
			crowd += line(fmt.Sprintf("some tool %d <0.17.%d>", tool, tool), fmt.Sprintf("genome%d", i), size, 1, 5+float64(tool+i), 8, 1)
		}
	}
	for name, text := range map[string]string{
		"the sample":      sample(),
		"one genome":      head + line("ours 1", "small", 5_000_000, 1, 5, 8, 0),
		"many of the lot": crowd,
	} {
		boxes, high := texts(t, draw(mustSummarize(t, text), "A & B"))
		if len(boxes) < 8 {
			t.Errorf("%s: only %d texts", name, len(boxes))
		}
		for i, a := range boxes {
			if a.left < 0 || a.right > width || a.top < 0 || a.bottom > high {
				t.Errorf("%s: %q leaves the picture", name, a.text)
			}
			for _, b := range boxes[:i] {
				if a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom {
					t.Errorf("%s: %q lies on %q", name, a.text, b.text)
				}
			}
		}
	}
}

func TestRunWritesTableAndPicture(t *testing.T) {
	dir := t.TempDir()
	runs, svg := filepath.Join(dir, "runs.tsv"), filepath.Join(dir, "a.svg")
	if err := os.WriteFile(runs, []byte(sample()), 0o666); err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	if err := run([]string{"-svg", svg, runs}, &table, io.Discard); err != nil {
		t.Fatal(err)
	}
	want := "| small | 5.0 Mb | peer 2 | 100000 | 50000 (41667 to 62500) | 2.00 (1.00 to 3.00) | 20.00 | 0.40 | 1.00 | 100 |\n"
	if !strings.Contains(table.String(), want) || !strings.Contains(table.String(), "| time against ours |") {
		t.Errorf("the table has no row %s%s", want, table.String())
	}
	if b, err := os.ReadFile(svg); err != nil || !bytes.HasPrefix(b, []byte("<svg ")) {
		t.Errorf("%v, %.40s", err, b)
	}
	for _, args := range [][]string{nil, {runs, runs}, {runs + "x"}, {"-svg", filepath.Join(dir, "no", "a.svg"), runs}} {
		if err := run(args, io.Discard, io.Discard); err == nil {
			t.Errorf("run(%q) succeeds", args)
		}
	}
}
