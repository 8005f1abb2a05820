package main

import (
	"slices"
	"strings"
	"testing"
)

func TestASetIsWhatItsNameSays(t *testing.T) {
	for _, c := range []struct{ name, args string }{
		{"chr20-2x150", "chr20 --pairs 50000 --seed 4 --length 150"},
		{"ecoli2-2x250", "ecoli2 --pairs 30000 --seed 4 --length 250"},
		{"fly-1x75-snp0.01-err0.02", "fly --pairs 100000 --seed 4 --length 75 --single --snps 0.01 --error 0.02"},
		{"yeast-2x50-err0.01", "yeast --pairs 50000 --seed 4 --length 50 --error 0.01 --reference y.fa"},
	} {
		s, err := parseSet(c.name)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := strings.Join(s.simulateArgs(4, "y.fa"), " "); got != c.args {
			t.Errorf("%s: arguments\n got %s\nwant %s", c.name, got, c.args)
		}
	}
	for _, name := range []string{"", "chr20", "chr20-3x100", "chr20-2x0", "chr20-2x100-snp", "../x-2x100", "chr20-2x100-err0.01-snp0.01"} {
		if s, err := parseSet(name); err == nil {
			t.Errorf("parseSet(%q) = %+v, want an error", name, s)
		}
	}
}

func TestChoosingSets(t *testing.T) {
	known := []string{"chr20-2x50", "chr20-2x150", "ecoli-2x50"}
	for _, c := range []struct{ list, want string }{
		{"chr20-*", "chr20-2x50 chr20-2x150"},
		{"*-2x50,chr20-*", "chr20-2x50 ecoli-2x50 chr20-2x150"},
		{"fly-2x75", "fly-2x75"}, // not of the campaign, yet it can be made
		{"chr21-*", ""},
		{"chr20-[", ""},
		{"", ""},
	} {
		sets, err := chooseSets(c.list, known)
		var names []string
		for _, s := range sets {
			names = append(names, s.name)
		}
		if got := strings.Join(names, " "); got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("chooseSets(%q) = %q, %v; want %q", c.list, got, err, c.want)
		}
	}
}

func TestTheCampaignIsWellFormed(t *testing.T) {
	names := campaign()
	if _, err := parseSets(names); err != nil {
		t.Error(err)
	}
	if want := 45; len(names) != want || len(slices.Compact(slices.Sorted(slices.Values(names)))) != want {
		t.Errorf("%d sets, want %d different ones", len(names), want)
	}
	for _, q := range quickSets {
		if !slices.Contains(names, q) {
			t.Errorf("quick set %s is not of the campaign", q)
		}
	}
}
