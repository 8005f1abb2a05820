package gather

import (
	"fmt"
	"strconv"
	"strings"
)

// lines is the text of several headers, joined. Kinds come in the order of SAM files: @HD, @SQ,
// @RG, @PG, @CO, others.
type lines struct {
	hd       string
	sq       []string
	sums     []string // M5 of each of sq, or ""
	rg       []string
	groups   map[string]string // ID to line
	pg       []string
	programs map[string]bool   // IDs that are taken
	known    map[string]string // a @PG line with the ID it had, to the ID it has
	co       []string
	other    []string
	seen     map[string]bool // lines of co and other
}

func newLines() *lines {
	return &lines{groups: map[string]string{}, programs: map[string]bool{}, known: map[string]string{}, seen: map[string]bool{}}
}

// clashError says that headers contradict each other.
type clashError struct{ what, hint string }

func (e *clashError) Error() string { return e.what }

// add joins the text of one part's header. Its @SQ lines are of the sequences of the first one.
func (l *lines) add(text string) error {
	var programs []string
	sequence := 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		kind, _, _ := strings.Cut(line, "\t")
		var err error
		switch kind {
		case "":
		case "@HD":
			if l.hd == "" {
				l.hd = line
			}
		case "@SQ":
			err = l.addSequence(line, sequence)
			sequence++
		case "@RG":
			err = l.addGroup(line)
		case "@PG":
			programs = append(programs, line)
		case "@CO":
			l.co = l.once(l.co, line)
		default:
			l.other = l.once(l.other, line)
		}
		if err != nil {
			return err
		}
	}
	l.addPrograms(programs)
	return nil
}

func (l *lines) once(list []string, line string) []string {
	if l.seen[line] {
		return list
	}
	l.seen[line] = true
	return append(list, line)
}

// addSequence keeps the first part's lines, and holds those of the others to its checksums.
func (l *lines) addSequence(line string, i int) error {
	sum := field(line, "M5")
	switch {
	case i == len(l.sq):
		l.sq, l.sums = append(l.sq, line), append(l.sums, sum)
	case l.sums[i] == "":
		l.sums[i] = sum
	case sum != "" && !strings.EqualFold(sum, l.sums[i]):
		return &clashError{fmt.Sprintf("the bases of %s are not those of the first part: M5 %s, not %s", field(line, "SN"), sum, l.sums[i]),
			"parts of one file are mapped to one reference"}
	}
	return nil
}

// addGroup refuses groups that an ID alone does not tell apart.
func (l *lines) addGroup(line string) error {
	id := field(line, "ID")
	old, ok := l.groups[id]
	switch {
	case !ok:
		l.groups[id] = line
		l.rg = append(l.rg, line)
	case old != line:
		return &clashError{fmt.Sprintf("read group %s is not what it is in an earlier part", id),
			"give different groups different IDs when mapping (align -R); samtools merge gives new ones afterwards"}
	}
	return nil
}

// addPrograms adds the @PG lines of one part. One that an earlier part had, with the same programs
// before it, is there already.
func (l *lines) addPrograms(programs []string) {
	byID := map[string]string{}
	for _, line := range programs {
		byID[field(line, "ID")] = line
	}
	renamed := map[string]string{}
	for _, line := range programs {
		l.addProgram(field(line, "ID"), byID, renamed)
	}
}

// addProgram returns the ID that a program has in the output. Those before it come first.
func (l *lines) addProgram(id string, byID, renamed map[string]string) string {
	if new, ok := renamed[id]; ok {
		return new
	}
	line, ok := byID[id]
	if !ok {
		return id // PP of a program that has no line
	}
	renamed[id] = id // ends a chain that comes back to itself
	if before := field(line, "PP"); before != "" {
		line = setField(line, "PP", l.addProgram(before, byID, renamed))
	}
	new, ok := l.known[line]
	if !ok {
		new = l.freeProgram(id)
		l.known[line], l.programs[new] = new, true
		l.pg = append(l.pg, setField(line, "ID", new))
	}
	renamed[id] = new
	return new
}

// freeProgram returns id, or with a number behind it when it is taken.
func (l *lines) freeProgram(id string) string {
	new := id
	for n := 1; l.programs[new]; n++ {
		new = id + "." + strconv.Itoa(n)
	}
	return new
}

// text returns the joined header.
func (l *lines) text() string {
	var b strings.Builder
	for _, list := range [][]string{{l.hd}, l.sq, l.rg, l.pg, l.co, l.other} {
		for _, line := range list {
			b.WriteString(line)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// field returns the value of a field of a header line, or "".
func field(line, tag string) string {
	for f := range strings.SplitSeq(line, "\t") {
		if len(f) > 3 && f[2] == ':' && f[:2] == tag {
			return f[3:]
		}
	}
	return ""
}

// setField replaces the value of a field that is there.
func setField(line, tag, value string) string {
	fields := strings.Split(line, "\t")
	for i, f := range fields {
		if len(f) > 3 && f[2] == ':' && f[:2] == tag {
			fields[i] = tag + ":" + value
			break
		}
	}
	return strings.Join(fields, "\t")
}
