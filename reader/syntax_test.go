package reader

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestAccepts(t *testing.T) {
	long := strings.Repeat("n", maxName)
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"an empty file", "", nil},
		{"four lines", "@a\nACGT\n+\nIIII\n", []string{"a||ACGT|IIII"}},
		{"no end of line at the end", "@a\nACGT\n+\nIIII", []string{"a||ACGT|IIII"}},
		{"blank lines at the end", "@a\nACGT\n+\nIIII\n\n\r\n\n", []string{"a||ACGT|IIII"}},
		{"blank lines only", "\n\n", nil},
		{"CRLF", "@a x\r\nAC\r\n+\r\nII\r\n@b\r\nA\r\n+b\r\nI\r\n", []string{"a|x|AC|II", "b||A|I"}},
		{"all bases, folded", "@a\n=acmgrsvtwyhkdbnACMGRSVTWYHKDBN\n+\n" + strings.Repeat("I", 31) + "\n",
			[]string{"a||=ACMGRSVTWYHKDBNACMGRSVTWYHKDBN|" + strings.Repeat("I", 31)}},
		{"all qualities", "@a\n" + strings.Repeat("A", 94) + "\n+\n" + qualityRange() + "\n",
			[]string{"a||" + strings.Repeat("A", 94) + "|" + qualityRange()}},
		{"the name repeated", "@a/1 c d\nA\n+a/1 c d\nI\n@b c\nA\n+b\nI\n", []string{"a|c d|A|I", "b|c|A|I"}},
		{"names cut at a blank and at /1 or /2", "@a/1\nA\n+\nI\n@b/2\tx y\nA\n+\nI\n@c/3\nA\n+\nI\n",
			[]string{"a||A|I", "b|x y|A|I", "c/3||A|I"}},
		{"the longest name", "@" + long + "/1\nA\n+\nI\n", []string{long + "||A|I"}},
		{"an empty read", "@a\nA\n+\nI\n@b\n\n+\n\n@c\nC\n+\nJ\n", []string{"a||A|I", "b|||", "c||C|J"}},
		{"an empty read at the very end", "@b\n\n+\n", []string{"b|||"}},
		{"an empty read without a line for it", "@b\n+\n\n@c\nC\n+\nJ\n", []string{"b|||", "c||C|J"}},
		{"wrapped, qualities that look like names", "@a\nACG\nTAC\n+\n@II\n+II\n@b\nA\n+\n@\n",
			[]string{"a||ACGTAC|@II+II", "b||A|@"}},
		{"qualities wrapped otherwise than bases", "@a\nACGT\n+\nI\nII\nI\n", []string{"a||ACGT|IIII"}},
	} {
		cfg := from(c.text)
		cfg.Comments = true
		if res := run(t, cfg); res.err != nil || !slices.Equal(res.reads, c.want) {
			t.Errorf("%s: got %q, %v, want %q", c.name, res.reads, res.err, c.want)
		}
	}
}

func qualityRange() string {
	var b strings.Builder
	for c := byte('!'); c <= '~'; c++ {
		b.WriteByte(c)
	}
	return b.String()
}

const goodRecord = "@ok\nACGT\n+\nIIII\n" // 16 bytes, four lines

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		name, text         string
		record, line, byte int64
		what               string
	}{
		{"no name line", "ACGT\n", 1, 1, 1, "expected '@'"},
		{"FASTA", ">a\nACGT\n", 1, 1, 1, "FASTA"},
		{"no name", "@ x\nA\n+\nI\n", 1, 1, 2, "no name"},
		{"a name of only a mate number", "@/1\nA\n+\nI\n", 1, 1, 2, "no name"},
		{"a long name", "@" + strings.Repeat("n", maxName+1) + "\nA\n+\nI\n", 1, 1, 256, "longer than 254"},
		{"a long name without an end", "@" + strings.Repeat("n", 2*maxTitle), 1, 1, 256, "longer than 254"},
		{"a long name line", "@n " + strings.Repeat("n", 2*maxTitle), 1, 1, maxTitle + 1, "name line"},
		{"NUL in the name", "@a\x00b\nA\n+\nI\n", 1, 1, 3, "NUL"},
		{"NUL behind the name", "@a b\x00\nA\n+\nI\n", 1, 1, 5, "NUL"},
		{"not ASCII", "@a\xc3\nA\n+\nI\n", 1, 1, 3, "printable"},
		{"a name that SAM takes for a header", "@@a\nA\n+\nI\n", 1, 1, 2, "'@'"},
		{"RNA", goodRecord + "@a\nACGU\n+\nIIII\n", 2, 6, 23, "'U' is not a base"},
		{"a dot", "@a\nAC.T\n+\nIIII\n", 1, 2, 6, "'.' is not a base"},
		{"a dash", "@a\nAC-T\n+\nIIII\n", 1, 2, 6, "'-' is not a base"},
		{"a blank in the bases", "@a\nAC T\n+\nIIII\n", 1, 2, 6, "0x20 is not a base"},
		{"a carriage return inside", "@a\nAC\rT\n+\nIIII\n", 1, 2, 6, "0x0d is not a base"},
		{"a blank in the qualities", "@a\nACGT\n+\nII I\n", 1, 4, 13, "0x20 is not a quality"},
		{"DEL in the qualities", "@a\nACGT\n+\nII\x7fI\n", 1, 4, 13, "0x7f is not a quality"},
		{"NUL in the qualities", "@a\nACGT\n+\nIII\x00\n", 1, 4, 14, "0x00 is not a quality"},
		{"another name after the plus", "@a\nA\n+b\nI\n", 1, 3, 7, "after '+'"},
		{"a part of the name after the plus", "@ab\nA\n+a\nI\n", 1, 3, 8, "after '+'"},
		{"qualities one short", goodRecord + "@a\nACGT\n+\nIII\n" + goodRecord, 2, 8, 30, "4 bases but the quality has 3"},
		{"qualities one short at the end", "@a\nACGT\n+\nIII\n", 1, 5, 15, "4 bases but the quality has 3"},
		{"qualities one long", "@a\nACGT\n+\nIIIII\n", 1, 4, 15, "more than that"},
		{"qualities of an empty read", "@a\n\n+\nI\n", 1, 4, 7, "more than that"},
		{"no qualities", "@a\nACGT\n+\n\n@b\nA\n+\nI\n", 1, 4, 11, "quality has 0"},
		{"two sequences", "@a\nACGT\n@a\nACGT\n+\nIIII\n", 1, 3, 9, "found '@'"},
		{"two qualities", goodRecord + "+\nIIII\n", 2, 5, 17, "found '+'"},
		{"a blank line between records", goodRecord + "\n" + goodRecord, 2, 5, 17, "blank line between"},
		{"a blank line in the sequence", "@a\nAC\n\nGT\n+\nIIII\n", 1, 3, 7, "blank line inside"},
		{"the end in the name", goodRecord + "@a", 2, 6, 19, "ends after the name"},
		{"the end in the sequence", goodRecord + "@a\nAC", 2, 7, 22, "before a '+'"},
		{"the end after the plus", goodRecord + "@a\nAC\n+\n", 2, 8, 25, "before the quality"},
		{"the end in a repeated name", "@ab\nA\n+a", 1, 3, 8, "after '+'"},
	} {
		res := run(t, from(c.text))
		var e *SyntaxError
		if !errors.As(res.err, &e) || !errors.Is(res.err, ErrInput) {
			t.Errorf("%s: got %v, want a SyntaxError", c.name, res.err)
			continue
		}
		if e.File != "stdin" || e.Record != c.record || e.Line != c.line || e.Byte != c.byte || !strings.Contains(e.Error(), c.what) {
			t.Errorf("%s: got %q, want record %d (line %d, byte %d) and %q", c.name, e, c.record, c.line, c.byte, c.what)
		}
	}
}

func TestTablesAgreeWithTheRules(t *testing.T) {
	const bases = "=ACMGRSVTWYHKDBNacmgrsvtwyhkdbn"
	for i := range 256 {
		c := byte(i)
		dst := make([]byte, 1)
		want := strings.IndexByte(bases, c) >= 0
		if got := fold(dst, []byte{c}); got != want || want && dst[0] != strings.ToUpper(string(rune(c)))[0] {
			t.Errorf("fold(%#02x) = %v, %q", c, got, dst)
		}
		for at := range 19 { // in words of eight and behind them
			line := []byte("ACGTTGCAacgtNNACGTA")
			line[at] = c
			folded := make([]byte, len(line))
			if got := fold(folded, line); got != want || want && string(folded) != strings.ToUpper(string(line)) {
				t.Errorf("fold with %#02x at %d = %v, %q", c, at, got, folded)
			}
			b := []byte(strings.Repeat("!~I", 7))[:19]
			b[at] = c
			if got, want := qualities(b), c >= 33 && c <= 126; got != want {
				t.Errorf("qualities with %#02x at %d = %v", c, at, got)
			}
		}
	}
}
