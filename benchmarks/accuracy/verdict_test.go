package main

import (
	"slices"
	"strings"
	"testing"
)

func TestAConditionFailsJustBeyondItsBound(t *testing.T) {
	const reads = 100_000
	base := tally{reads: reads, right: 99_000, sure: 98_000, mistake: 50, onlyRight: 100}
	for _, c := range []struct {
		name   string
		change func(ours, bwa *tally)
		want   []string
	}{
		{"the same", func(_, _ *tally) {}, nil},
		{"right a hundredth of a point below", func(ours, _ *tally) { ours.right -= 10 }, nil},
		{"right one read further below", func(ours, _ *tally) { ours.right -= 11 }, []string{"right -0.0110 (z -0.8)"}},
		{"right above", func(ours, _ *tally) { ours.right += 500 }, nil},
		{"placed five hundredths below", func(ours, _ *tally) { ours.sure -= 50 }, nil},
		{"placed one read further below", func(ours, _ *tally) { ours.sure -= 51 }, []string{"placed -0.0510"}},
		{"20 errors more", func(ours, _ *tally) { ours.mistake += 20 }, nil},
		{"21 errors more", func(ours, _ *tally) { ours.mistake += 21 }, []string{"errors +21"}},
		{"a tenth more of many errors", func(ours, bwa *tally) { ours.mistake, bwa.mistake = 1100, 1000 }, nil},
		{"over a tenth more of many errors", func(ours, bwa *tally) { ours.mistake, bwa.mistake = 1101, 1000 }, []string{"errors +101"}},
		{"all three", func(ours, _ *tally) { ours.right, ours.sure, ours.mistake = 98_000, 97_000, 90 },
			[]string{"right -1.0000 (z -70.7)", "placed -1.0000", "errors +40"}},
	} {
		ours, bwa := base, base
		c.change(&ours, &bwa)
		if got := faults(ours, bwa); !slices.Equal(got, c.want) {
			t.Errorf("%s: faults = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestATallyCountsWhatTheColumnsSay(t *testing.T) {
	a := outcomes{{Class: right, MapQ: 60}, {Class: right, MapQ: 0}, {Class: wrong, MapQ: 20}, {Class: wrong, MapQ: 19}, {Class: unmapped}, {}}
	b := outcomes{{Class: wrong, MapQ: 0}, {Class: unmapped}, {Class: right, MapQ: 1}, {Class: wrong, MapQ: 60}, {Class: right, MapQ: 0}, {}}
	var ours, theirs tally
	addAll(&ours, &theirs, a, b)
	if want := (tally{reads: 6, right: 2, onlyRight: 2, decided: 1, sure: 2, mistake: 1}); ours != want {
		t.Errorf("ours = %+v, want %+v", ours, want)
	}
	if want := (tally{reads: 6, right: 2, onlyRight: 2, decided: 1, sure: 1, mistake: 1}); theirs != want {
		t.Errorf("theirs = %+v, want %+v", theirs, want)
	}
}

func TestReadsAreListedByTheConditionTheyCountAgainst(t *testing.T) {
	for _, c := range []struct {
		name      string
		ours, bwa outcome
		want      string
	}{
		{"both right", outcome{Class: right, MapQ: 60}, outcome{Class: right, MapQ: 60}, ""},
		{"surely wrong where bwa is right", outcome{Class: wrong, MapQ: 20}, outcome{Class: right, MapQ: 60}, "errors,right"},
		{"surely wrong where bwa is not sure", outcome{Class: wrong, MapQ: 20}, outcome{Class: wrong, MapQ: 19}, "errors"},
		{"surely wrong where bwa has nothing", outcome{Class: wrong, MapQ: 20}, outcome{Class: unmapped}, "errors"},
		{"surely wrong as bwa", outcome{Class: wrong, MapQ: 60}, outcome{Class: wrong, MapQ: 20}, ""},
		{"wrong and not sure", outcome{Class: wrong, MapQ: 19}, outcome{Class: right, MapQ: 19}, "right"},
		{"right and not sure", outcome{Class: right, MapQ: 19}, outcome{Class: right, MapQ: 20}, "placed"},
		{"unmapped where bwa is sure", outcome{Class: unmapped}, outcome{Class: right, MapQ: 20}, "right,placed"},
		{"not sure where bwa is surely wrong", outcome{Class: right, MapQ: 0}, outcome{Class: wrong, MapQ: 60}, ""},
	} {
		if got := strings.Join(kinds(c.ours, c.bwa), ","); got != c.want {
			t.Errorf("%s: kinds = %q, want %q", c.name, got, c.want)
		}
	}
}
