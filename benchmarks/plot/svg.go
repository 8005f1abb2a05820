package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strings"
)

// The picture, in pixels.
const (
	width      = 800
	left       = 84 // of the frame
	right      = width - 28
	frame      = 340 // height of the frame
	inset      = 36  // from the frame's sides to the smallest and the largest genome
	letter     = 7.4 // width of a letter of 13 px, on the safe side
	lineHeight = 18
)

// The first is of the tool that the others are compared with. Marks differ in shape, so that
// the first four lines can be told apart without their colours.
var styles = []struct {
	colour string
	mark   func(x, y float64) string
}{
	{"#0b5fa5", disc}, {"#d1540a", square}, {"#0a8a63", triangle}, {"#a8559a", diamond}, {"#b38600", disc}, {"#3b9bd1", square}, {"#555555", triangle},
}

func disc(x, y float64) string { return fmt.Sprintf(`<circle cx="%.1f" cy="%.1f" r="4.5"/>`, x, y) }
func square(x, y float64) string {
	return fmt.Sprintf(`<rect x="%.1f" y="%.1f" width="8" height="8"/>`, x-4, y-4)
}
func triangle(x, y float64) string {
	return fmt.Sprintf(`<path d="M%.1f %.1fl5.2 9h-10.4z"/>`, x, y-5.5)
}
func diamond(x, y float64) string {
	return fmt.Sprintf(`<path d="M%.1f %.1fl5.5 5.5 -5.5 5.5 -5.5 -5.5z"/>`, x, y-5.5)
}

// picture maps genome sizes, on a logarithmic scale, and rates to pixels.
type picture struct {
	bytes.Buffer
	top          float64 // of the frame
	small, large float64 // genomes
	most         float64 // reads per second and thread at the top of the frame
}

func (p *picture) x(bases float64) float64 {
	if p.large <= p.small {
		return (left + right) / 2
	}
	return left + inset + (right-left-2*inset)*math.Log(bases/p.small)/math.Log(p.large/p.small)
}

func (p *picture) y(rate float64) float64 { return p.top + frame*(1-rate/p.most) }

func (p *picture) text(x, y float64, attributes, s string) {
	fmt.Fprintf(p, `<text x="%.1f" y="%.1f" %s>`, x, y, attributes)
	xml.EscapeText(p, []byte(s))
	p.WriteString("</text>\n")
}

// draw makes a line for each tool. It needs one result or more.
func draw(results []result, title string) []byte {
	p := &picture{small: math.Inf(1)}
	var tools []string
	rounds, highest := math.MaxInt, 0.0
	for _, r := range results {
		p.small, p.large = min(p.small, r.bases), max(p.large, r.bases)
		rounds, highest = min(rounds, r.rounds), max(highest, r.perThread.most)
		if !slices.Contains(tools, r.tool) {
			tools = append(tools, r.tool)
		}
	}
	step := niceStep(highest)
	p.most = step * math.Ceil(highest/step)
	entries := legend(tools)
	p.top = 96 + lineHeight*float64(entries[len(entries)-1].row+1)
	sizes, rows := sizeLabels(p, results)
	height := p.top + frame + 34 + float64(rows)*2*lineHeight

	fmt.Fprintf(p, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %.0f" width="%d" height="%.0f" font-family="DejaVu Sans, Verdana, Arial, sans-serif" font-size="13" fill="#222">`+"\n", width, height, width, height)
	p.WriteString(`<rect width="100%" height="100%" fill="#fff"/>` + "\n")
	p.text(left, 32, `font-size="18" font-weight="bold"`, title)
	p.text(left, 54, `fill="#555"`, "reads per second and thread"+pick(rounds > 1, fmt.Sprintf("; median of %d rounds, bars from least to most", rounds), ""))
	for _, e := range entries {
		s := styles[e.tool%len(styles)]
		y := 80 + lineHeight*float64(e.row)
		fmt.Fprintf(p, `<g fill="%s" stroke="%s"><path d="M%.1f %.1fh26" stroke-width="%s"/>%s</g>`+"\n", s.colour, s.colour, e.x, y, lineWidth(e.tool), s.mark(e.x+13, y))
		p.text(e.x+34, y+4.5, "", tools[e.tool])
	}
	for i := 0.0; i <= p.most+step/2; i += step {
		fmt.Fprintf(p, `<path d="M%d %.1fH%d" stroke="%s"/>`+"\n", left, p.y(i), right, pick(i == 0, "#666", "#e3e3e3"))
		p.text(left-10, p.y(i)+4.5, `text-anchor="end"`, thousands(i))
	}
	for _, s := range sizes {
		bottom := p.top + frame
		fmt.Fprintf(p, `<path d="M%.1f %.1fV%.1f" stroke="#999"/>`+"\n", s.x, bottom, bottom+6+float64(s.row)*2*lineHeight)
		p.text(s.x, bottom+21+float64(s.row)*2*lineHeight, `text-anchor="middle"`, s.set)
		p.text(s.x, bottom+21+(float64(s.row)*2+.9)*lineHeight, `text-anchor="middle" fill="#555"`, s.size)
	}
	p.text((left+right)/2, height-10, `text-anchor="middle" fill="#555"`, "genome size, logarithmic")
	for i := len(tools) - 1; i >= 0; i-- { // the first is above the others
		p.line(results, tools[i], i)
	}
	p.WriteString("</svg>\n")
	return p.Bytes()
}

// line draws the results of one tool, which are in order of size.
func (p *picture) line(results []result, tool string, number int) {
	var path, marks strings.Builder
	for _, r := range results {
		if r.tool != tool {
			continue
		}
		x, y := p.x(r.bases), p.y(r.perThread.median)
		fmt.Fprintf(&path, "%s%.1f %.1f", pick(path.Len() == 0, "M", "L"), x, y)
		if r.rounds > 1 {
			fmt.Fprintf(&marks, `<path d="M%.1f %.1fh8m-4 0V%.1fm-4 0h8" fill="none" stroke-width="1.2"/>`, x-4, p.y(r.perThread.most), p.y(r.perThread.least))
		}
		marks.WriteString(styles[number%len(styles)].mark(x, y))
	}
	colour := styles[number%len(styles)].colour
	fmt.Fprintf(p, `<g fill="%s" stroke="%s"><path d="%s" fill="none" stroke-width="%s" stroke-linejoin="round"/>%s</g>`+"\n", colour, colour, path.String(), lineWidth(number), marks.String())
}

func lineWidth(number int) string { return pick(number == 0, "3", "1.8") }

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// entry is a place in the legend.
type entry struct {
	tool int
	row  int
	x    float64
}

// legend puts names in columns that are as wide as the longest.
func legend(tools []string) []entry {
	longest := 0
	for _, t := range tools {
		longest = max(longest, len(t))
	}
	column := 34 + letter*float64(longest) + 20
	columns := max(int((right-left+20)/column), 1)
	var entries []entry
	for i := range tools {
		entries = append(entries, entry{i, i / columns, left + column*float64(i%columns)})
	}
	return entries
}

// sizeLabel names a genome below the frame.
type sizeLabel struct {
	set, size string
	x         float64
	row       int
}

// sizeLabels puts each label in the first row where it touches no other.
func sizeLabels(p *picture, results []result) (labels []sizeLabel, rows int) {
	var end []float64 // of what stands in each row
	for i, r := range results {
		if i > 0 && results[i-1].set == r.set {
			continue
		}
		l := sizeLabel{set: r.set, size: sizeName(r.bases), x: p.x(r.bases)}
		half := letter * float64(max(len(l.set), len(l.size))) / 2
		for l.row < len(end) && l.x-half < end[l.row]+6 {
			l.row++
		}
		if l.row == len(end) {
			end = append(end, 0)
		}
		end[l.row] = l.x + half
		labels = append(labels, l)
	}
	return labels, len(end)
}

// niceStep divides the axis into four to ten parts of 1, 2 or 5 times a power of ten.
func niceStep(most float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(most/4)))
	for _, f := range []float64{5, 2} {
		if most/(f*power) >= 4 {
			return f * power
		}
	}
	return power
}

// thousands writes 12000 as 12,000.
func thousands(v float64) string {
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
