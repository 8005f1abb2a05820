package reader

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/biogo/biogo/alphabet"
	"github.com/biogo/biogo/io/seqio/fastq"
	"github.com/biogo/biogo/seq/linear"
)

func TestReadsAreThoseOfBiogo(t *testing.T) {
	text := illumina(records(400, 0))
	res := run(t, from(text))
	if res.err != nil {
		t.Fatal(res.err)
	}
	oracle := fastq.NewReader(strings.NewReader(text), linear.NewQSeq("", nil, alphabet.DNAredundant, alphabet.Sanger))
	for i, got := range res.reads {
		s, err := oracle.Read()
		if err != nil {
			t.Fatalf("read %d: biogo: %v", i, err)
		}
		q := s.(*linear.QSeq)
		var bases, quals []byte
		for _, l := range q.Seq {
			bases = append(bases, byte(l.L))
			quals = append(quals, l.Q.Encode(alphabet.Sanger))
		}
		if want := fmt.Sprintf("%s||%s|%s", strings.TrimSuffix(q.ID, "/1"), bytes.ToUpper(bases), quals); got != want {
			t.Fatalf("read %d: got %q, biogo %q", i, got, want)
		}
	}
	if _, err := oracle.Read(); err != io.EOF {
		t.Errorf("biogo has more reads than %d: %v", len(res.reads), err)
	}
}

// illumina lowers the qualities of records of four lines to 'J': biogo knows no higher ones.
func illumina(text string) string {
	lines := strings.Split(text, "\n")
	for i := 3; i < len(lines); i += 4 {
		lines[i] = strings.Map(func(c rune) rune { return min(c, 'J') }, lines[i])
	}
	return strings.Join(lines, "\n")
}

// refParse is the grammar again, as plainly as it can be said, to compare with. It returns the
// reads before the first bad record and the number of that, 0 when there is none.
func refParse(text string) (reads []string, bad int) {
	lines := strings.Split(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	for len(lines) > 0 {
		if strings.Join(lines, "") == "" {
			return reads, 0
		}
		read, n := refRecord(lines)
		if n == 0 {
			return reads, len(reads) + 1
		}
		reads, lines = append(reads, read), lines[n:]
	}
	return reads, 0
}

// refRecord returns the first record of lines and how many of them it takes, 0 when it is bad.
func refRecord(lines []string) (string, int) {
	title, ok := strings.CutPrefix(lines[0], "@")
	if !ok || strings.Contains(title, "\x00") || len(title) >= maxTitle {
		return "", 0
	}
	full, comment := title, ""
	if i := strings.IndexAny(title, " \t"); i >= 0 {
		full, comment = title[:i], title[i+1:]
	}
	name := full
	if strings.HasSuffix(full, "/1") || strings.HasSuffix(full, "/2") {
		name = full[:len(full)-2]
	}
	outside := func(c rune) bool { return c < '!' || c > '~' }
	if name == "" || name[0] == '@' || len(name) > maxName || strings.ContainsFunc(full, outside) {
		return "", 0
	}
	seq, n := "", 1
	for ; n < len(lines) && !strings.HasPrefix(lines[n], "+"); n++ {
		if n > 1 && (lines[n] == "" || lines[n-1] == "") || strings.Trim(lines[n], "=acmgrsvtwyhkdbnACMGRSVTWYHKDBN") != "" {
			return "", 0
		}
		seq += strings.ToUpper(lines[n])
	}
	if n == len(lines) {
		return "", 0
	}
	if plus, _, _ := strings.Cut(strings.ReplaceAll(lines[n][1:], "\t", " "), " "); lines[n] != "+" && plus != full {
		return "", 0
	}
	n++
	if seq == "" {
		if n < len(lines) && lines[n] != "" {
			return "", 0
		}
		return name + "|" + comment + "||", min(n+1, len(lines))
	}
	qual := ""
	for ; len(qual) < len(seq); n++ {
		if n == len(lines) || lines[n] == "" || strings.ContainsFunc(lines[n], outside) {
			return "", 0
		}
		qual += lines[n]
	}
	if len(qual) > len(seq) {
		return "", 0
	}
	return name + "|" + comment + "|" + seq + "|" + qual, n
}

func FuzzParser(f *testing.F) {
	for _, s := range []string{
		"", "\n", "@a\nACGT\n+\nIIII\n", "@a b\r\nAC\r\nGT\r\n+a b\r\n@I\r\n+I\r\n\r\n", "@a/1\n\n+\n\n@b\nN\n+b\n!",
		"@a\nACGT\n+\nIII\n@b\nA\n+\nI\n", "@a\nA\x00\n+\nI\n", "@a\n+\n\n", "@a\nA\n+\nI\n\n\n@b\nA\n+\nI\n", "@a\r\nA\r\n+a\r\nI", "@a\n\r\n+\r\n", "@0\r\r\n+0", "@a b\r\nA\n+a\r\nI\n",
	} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, text []byte, edge int) {
		if bytes.HasPrefix(text, []byte{0x1f}) || len(text) > 1<<16 || foreign(text) {
			return
		}
		want, bad := refParse(string(text))
		edge = max(0, min(edge, len(text)))
		for _, input := range []string{string(text), gzipped(string(text[:edge]), edge+1) + bgzipped(string(text[edge:]), 1000)} {
			cfg := from(input)
			cfg.Comments, cfg.BatchBases = true, 1
			res := run(t, cfg)
			var e *SyntaxError
			if errors.As(res.err, &e) != (bad != 0) || bad != 0 && e.Record != int64(bad) || !slices.Equal(res.reads, want) {
				t.Fatalf("%q: got %q, %v; want %q, bad record %d", text, res.reads, res.err, want, bad)
			}
			if e != nil && (e.Byte < 1 || e.Byte > int64(len(text))+1 || e.Line < 1 || e.Line > int64(bytes.Count(text, []byte("\n")))+2) {
				t.Fatalf("%q: the place is outside: %v", text, e)
			}
		}
		checkSkipping(t, string(text), len(want), bad)
	})
}

// checkSkipping: without bad records nothing is skipped; with some, the reads before are there.
func checkSkipping(t *testing.T, text string, before, bad int) {
	cfg := from(text)
	cfg.SkipBad = true
	res := run(t, cfg)
	if res.err != nil || len(res.reads) < before || (res.skipped > 0) != (bad != 0) || int(res.skipped) != len(res.skips) {
		t.Fatalf("%q: skipping gave %d reads, %d skipped, %v; %d were good at first", text, len(res.reads), res.skipped, res.err, before)
	}
}

// foreign tells whether the bytes announce a format that is refused by name.
func foreign(text []byte) bool {
	for _, magic := range []string{"BZh", "\xfd7zXZ\x00", "\x28\xb5\x2f\xfd", "PK\x03\x04", "CRAM"} {
		if bytes.HasPrefix(text, []byte(magic)) {
			return true
		}
	}
	return false
}
