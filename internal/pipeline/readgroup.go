package pipeline

import "strings"

// ReadGroup is a checked @RG header line.
type ReadGroup struct {
	Line string // with real tabs, without a line end; empty for none
	ID   string // what the RG tag of each record says
}

// ParseReadGroup checks a line such as '@RG\tID:s1\tSM:s1'; its tabs may be real, or
// written as a backslash and a t. An empty line is no read group.
func ParseReadGroup(line string) (ReadGroup, error) {
	const example = `write it as '@RG\tID:run1\tSM:sample1'`
	if line == "" {
		return ReadGroup{}, nil
	}
	line = strings.ReplaceAll(line, `\t`, "\t")
	fields := strings.Split(line, "\t")
	if fields[0] != "@RG" {
		return ReadGroup{}, Misuse(example, "read group %q does not start with @RG and a tab", line)
	}
	rg := ReadGroup{Line: line}
	seen := map[string]bool{}
	for _, f := range fields[1:] {
		if !validField(f) {
			return ReadGroup{}, Misuse(example, "read group field %q is not of the form TAG:VALUE", f)
		}
		if seen[f[:2]] {
			return ReadGroup{}, Misuse("", "read group has %s twice", f[:2])
		}
		seen[f[:2]] = true
		if f[:2] == "ID" {
			rg.ID = f[3:]
		}
	}
	if rg.ID == "" {
		return ReadGroup{}, Misuse(example, "read group %q has no ID", line)
	}
	return rg, nil
}

// validField holds a header field to the SAM grammar: [A-Za-z][A-Za-z0-9]:[ -~]+, and
// UTF-8 in the value.
func validField(f string) bool {
	letter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
	if len(f) < 4 || f[2] != ':' || !letter(f[0]) || !letter(f[1]) && (f[1] < '0' || f[1] > '9') {
		return false
	}
	for i := 3; i < len(f); i++ {
		if f[i] < ' ' || f[i] == 0x7f {
			return false
		}
	}
	return true
}
