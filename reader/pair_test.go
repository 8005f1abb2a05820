package reader

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// recs makes a record of each word; "x!" is a record x with a bad base, "x?" one cut off.
func recs(words string) string {
	var b strings.Builder
	for _, w := range strings.Fields(words) {
		switch name := strings.TrimRight(w, "!?"); {
		case strings.HasSuffix(w, "!"):
			fmt.Fprintf(&b, "@%s\nACUT\n+\n@III\n", name)
		case strings.HasSuffix(w, "?"):
			fmt.Fprintf(&b, "@%s\nACGT\n+\n@I", name)
		default:
			fmt.Fprintf(&b, "@%s\nACGT\n+\n@III\n", name)
		}
	}
	return b.String()
}

func names(res result) string {
	var out []string
	for _, r := range res.reads {
		out = append(out, r[:strings.IndexByte(r, '|')])
	}
	return strings.Join(out, " ")
}

func TestPairs(t *testing.T) {
	for _, c := range []struct{ name, r1, r2, want, err string }{
		{"mates", "a b", "a b", "a a b b", ""},
		{"mates with numbers", "a/1 b/1", "a/2 b/2", "a a b b", ""},
		{"nothing", "", "", "", ""},
		{"other names", "a b", "a c", "", `r2.fq: record 2 (line 5, byte 16): mates have different names: "b" and "c"`},
		{"the second file ends", "a b", "a", "", "r2.fq: record 2 (line 5, byte 16): the file ends here"},
		{"the first file ends", "a", "a b", "", "r1.fq: record 2 (line 5, byte 16): the file ends here"},
		{"the second file is empty", "a", "", "", "r2.fq: record 1 (line 1, byte 1): the file ends here"},
		{"faults in both: the first file's first", "a b!", "a b!", "", "r1.fq: record 2 (line 6, byte 21): 'U'"},
		{"a fault in the second file", "a b! c", "a! b c", "", "r2.fq: record 1 (line 2, byte 6): 'U'"},
	} {
		res := run(t, pairOf(t, recs(c.r1), recs(c.r2)))
		switch {
		case c.err == "" && (res.err != nil || names(res) != c.want):
			t.Errorf("%s: got %q, %v, want %q", c.name, names(res), res.err, c.want)
		case c.err != "" && (res.err == nil || !errors.Is(res.err, ErrInput) || !strings.Contains(res.err.Error(), c.err)):
			t.Errorf("%s: got %v, want %q", c.name, res.err, c.err)
		}
	}
}

func TestInterleaved(t *testing.T) {
	for _, c := range []struct{ name, text, want, err string }{
		{"mates in turn", "a/1 a/2 b b", "a a b b", ""},
		{"an odd number", "a a b", "", "record 3 (line 9, byte 31): the last read has no mate"},
		{"slipped", "a b b", "", "record 2 (line 5, byte 16): mates have different names"},
	} {
		cfg := from(recs(c.text))
		cfg.Interleaved = true
		res := run(t, cfg)
		if c.err == "" && (res.err != nil || names(res) != c.want) ||
			c.err != "" && (res.err == nil || !strings.Contains(res.err.Error(), c.err)) {
			t.Errorf("%s: got %q, %v, want %q %q", c.name, names(res), res.err, c.want, c.err)
		}
	}
}

func TestSkipBad(t *testing.T) {
	mates := func(s string) string { // "a b" -> "a a b b"
		var out []string
		for _, w := range strings.Fields(s) {
			out = append(out, w, w)
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		name, r1, r2, want string
		skipped            int
	}{
		{"in the first", "a b! c", "a b c", "a c", 2},
		{"in the second", "a b c", "a! b c", "b c", 2},
		{"in both, same pair", "a b! c", "a b! c", "a c", 2},
		{"in both, other pairs", "a! b c d", "a b! c d", "c d", 4},
		{"one after another", "a! b! c! d", "a b c d", "d", 6},
		{"two in one, one in the other", "a! b! c d", "a! b c d", "c d", 4},
		{"at the end of the first", "a b!", "a b", "a", 2},
		{"at the end of the second", "a b", "a b?", "a", 2},
		{"all bad", "a! b!", "a! b!", "", 4},
		{"again after a good pair", "a! b c d! e f", "a b c d e! f", "b c f", 6},
	} {
		cfg := pairOf(t, recs(c.r1), recs(c.r2))
		cfg.SkipBad = true
		res := run(t, cfg)
		if res.err != nil || names(res) != mates(c.want) || res.skipped != int64(c.skipped) || len(res.skips) != c.skipped {
			t.Errorf("%s: got %q, %v, skipped %d %q; want %q, %d", c.name, names(res), res.err, res.skipped, res.skips, mates(c.want), c.skipped)
		}
		if want := uint64(len(res.reads)); res.sum.Count != want {
			t.Errorf("%s: sum counts %d reads of %d", c.name, res.sum.Count, want)
		}
	}
	for _, c := range []struct {
		name, text, want string
		skipped          int
	}{
		{"first mate", "a a b! b c c", "a a c c", 2},
		{"second mate", "a a b b! c c", "a a c c", 2},
		{"both mates", "a a b! b! c c", "a a c c", 2},
		{"at the start", "a! a b b", "b b", 2},
		{"at the end", "a a b b?", "a a", 2},
	} {
		cfg := from(recs(c.text))
		cfg.Interleaved, cfg.SkipBad = true, true
		res := run(t, cfg)
		if res.err != nil || names(res) != c.want || res.skipped != int64(c.skipped) {
			t.Errorf("interleaved, %s: got %q, %v, skipped %d; want %q, %d", c.name, names(res), res.err, res.skipped, c.want, c.skipped)
		}
	}
}

func TestSkipBadSingle(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
		skips      int
	}{
		{"rubbish before", "rubbish\nmore\n" + recs("a"), []string{"a"}, 1},
		{"no name line", "@a\nACGT\n+\nIIII\nACGT\n+\n@III\n" + recs("c"), []string{"a", "c"}, 1},
		{"qualities short", "@a\nACGT\n+\n@II\n" + recs("b"), []string{"b"}, 1},
		{"qualities twice", "@a\nACGT\n+\n@III\n@III\n" + recs("b"), []string{"a", "b"}, 1},
		{"wrapped", "@a\nAC\n.T\n+\n@I\n@I\n@b\nAC\nGT\n+\n@I\n@I\n", []string{"b"}, 1},
		{"cut off", recs("a b?"), []string{"a"}, 1},
		{"blank lines between", recs("a") + "\n\n" + recs("b"), []string{"a", "b"}, 1},
		{"blank lines at the end", recs("a b!") + "\n\n", []string{"a"}, 1},
	} {
		cfg := from(c.text)
		cfg.SkipBad = true
		res := run(t, cfg)
		if res.err != nil || names(res) != strings.Join(c.want, " ") || len(res.skips) != c.skips {
			t.Errorf("%s: got %q, %v, skips %q; want %q, %d", c.name, names(res), res.err, res.skips, c.want, c.skips)
		}
	}
}

// TestSlippedMatesAreNeverSkipped: one bad record excuses its own mate, not a shifted file.
func TestSlippedMatesAreNeverSkipped(t *testing.T) {
	var r1, r2 []string
	for i := range 200 {
		r1 = append(r1, fmt.Sprint("x", i))
		r2 = append(r2, fmt.Sprint("y", i))
	}
	r1[3] += "!"
	for _, second := range [][]string{r2, slices.Delete(slices.Clone(r1), 100, 101)} {
		cfg := pairOf(t, recs(strings.Join(r1, " ")), recs(strings.ReplaceAll(strings.Join(second, " "), "!", "")))
		cfg.SkipBad = true
		if res := run(t, cfg); res.err == nil || !errors.Is(res.err, ErrInput) {
			t.Errorf("got %d reads, %d skipped and no error", len(res.reads), res.skipped)
		}
	}
}
