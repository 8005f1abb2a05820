package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alignpipe/alignpipe/benchmarks/internal/truth"
)

// testSample has the pairs p1 and p2 at 101 and 301 of a and of b.
func testSample(mates int) *sample {
	s := &sample{set: set{name: "t", mates: mates}, seed: 1, refs: truth.Refs{"a": 0, "b": 1}, names: []string{"p1", "p2"},
		index: map[string]int{"p1": 0, "p2": 1}}
	for ref := range int32(2) {
		for _, start := range []int32{100, 300}[:mates] {
			s.want = append(s.want, place{truth.Span{Ref: ref, Start: start, End: start + 10}, start == 300})
		}
	}
	return s
}

func tabs(rows ...string) string {
	return strings.ReplaceAll(strings.Join(rows, "\n"), " ", "\t") + "\n"
}

func TestEachReadGetsItsOutcome(t *testing.T) {
	text := tabs("@SQ SN:b LN:1000", "@SQ SN:a LN:1000", // another order of references
		"p2 83 b 105 7 4S6M = 301 0 * * AS:i:6 XS:i:-3", "p1 77 * 0 0 * * 0 0 * *",
		"p2 163 a 301 60 10M = 101 0 * *", "p2 2211 a 1 60 10M = 101 0 * *")
	j := newJudge(testSample(2))
	if err := truth.EachPrimarySAM(strings.NewReader(text), j.take); err != nil {
		t.Fatal(err)
	}
	want := outcomes{
		{Class: unmapped, Ref: -1, Pos: -1, AS: noScore, XS: noScore},
		{Class: missing},
		{Class: right, MapQ: 7, Reverse: true, Ref: 1, Pos: 104, AS: 6, XS: -3},
		{Class: wrong, MapQ: 60, Ref: 0, Pos: 300, AS: noScore, XS: noScore},
	}
	if !reflect.DeepEqual(j.out, want) {
		t.Errorf("outcomes\n got %+v\nwant %+v", j.out, want)
	}
}

func TestARecordThatDoesNotBelongIsAnError(t *testing.T) {
	for _, c := range []struct {
		name  string
		mates int
		rows  []string
	}{
		{"unknown read", 2, []string{"x 0 a 101 60 10M * 0 0 * *"}},
		{"second mate of a single end", 1, []string{"p1 147 a 101 60 10M = 101 0 * *"}},
		{"twice", 2, []string{"p1 99 a 101 60 10M = 301 0 * *", "p1 99 b 101 60 10M = 301 0 * *"}},
	} {
		text := tabs(append([]string{"@SQ SN:a LN:1000", "@SQ SN:b LN:1000"}, c.rows...)...)
		if err := truth.EachPrimarySAM(strings.NewReader(text), newJudge(testSample(c.mates)).take); err == nil {
			t.Errorf("%s: no error", c.name)
		}
	}
}

func TestOutcomesAreKeptUntilSomethingChanges(t *testing.T) {
	dir := t.TempDir()
	s := testSample(2)
	s.truthPath = filepath.Join(dir, "truth.bam")
	write := func(path string, age time.Duration) {
		t.Helper()
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	write(s.truthPath, time.Hour)
	path := filepath.Join(dir, "new", "x.gz")
	read := func(command string) outcomes {
		t.Helper()
		got, err := readOutcomes(path, command, s)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := read("bwa 1"); got != nil {
		t.Errorf("without a file: %v", got)
	}
	want := outcomes{{Class: right, MapQ: 60, Ref: 1, Pos: 7, AS: 150, XS: noScore}, {}, {Class: unmapped, Ref: -1, Pos: -1}, {Class: wrong, Reverse: true}}
	if err := writeOutcomes(path, "bwa 1", want); err != nil {
		t.Fatal(err)
	}
	if got := read("bwa 1"); !reflect.DeepEqual(got, want) {
		t.Errorf("read back\n got %v\nwant %v", got, want)
	}
	if got := read("bwa 2"); got != nil {
		t.Errorf("of another version: %v", got)
	}
	s.want = s.want[:2]
	if got := read("bwa 1"); got != nil {
		t.Errorf("for another number of reads: %v", got)
	}
	s.want = testSample(2).want
	write(s.truthPath, -time.Hour)
	if got := read("bwa 1"); got != nil {
		t.Errorf("older than the truth: %v", got)
	}
	write(path, -2*time.Hour)
	if _, err := readOutcomes(path, "bwa 1", s); err == nil {
		t.Error("an empty file gave no error")
	}
}
