package main

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A set is a reference and the shape of its reads, as chr20-2x150 or fly-2x150-snp0.01.
type set struct {
	name      string
	reference string
	mates     int
	length    int    // bases
	snps      string // rate as simulate.sh takes it, empty for the reference's usual one
	errors    string // the same, empty for mason's own rate
}

var setName = regexp.MustCompile(`^([a-z0-9]+)-([12])x([1-9][0-9]*)(?:-snp([0-9.]+))?(?:-err([0-9.]+))?$`)

func parseSet(name string) (set, error) {
	m := setName.FindStringSubmatch(name)
	if m == nil {
		return set{}, fmt.Errorf("set %q is not like chr20-2x150 or fly-1x100-snp0.01-err0.01", name)
	}
	length, err := strconv.Atoi(m[3])
	if err != nil {
		return set{}, fmt.Errorf("set %q: %w", name, err)
	}
	return set{name: name, reference: m[1], mates: int(m[2][0] - '0'), length: length, snps: m[4], errors: m[5]}, nil
}

// fragments is how many to simulate a seed: about 100,000 reads whatever their shape, and
// fewer of the longest, which cost most.
func (s set) fragments() int {
	switch {
	case s.mates == 1:
		return 100_000
	case s.length >= 250:
		return 30_000
	}
	return 50_000
}

// simulateArgs is what simulate.sh takes after the cache folder. yeast is the FASTA of yeast,
// or empty: no package has it.
func (s set) simulateArgs(seed int, yeast string) []string {
	args := []string{s.reference, "--pairs", strconv.Itoa(s.fragments()), "--seed", strconv.Itoa(seed), "--length", strconv.Itoa(s.length)}
	if s.mates == 1 {
		args = append(args, "--single")
	}
	if s.snps != "" {
		args = append(args, "--snps", s.snps)
	}
	if s.errors != "" {
		args = append(args, "--error", s.errors)
	}
	if s.reference == "yeast" && yeast != "" {
		args = append(args, "--reference", yeast)
	}
	return args
}

// The campaign is every shape on every reference.
var (
	references = []string{"chr20", "ecoli", "yeast", "fly", "ecoli2"}
	shapes     = []string{"2x150", "2x100", "2x50", "2x250", "1x100", "1x150", "2x150-snp0.01", "2x100-snp0.01", "2x150-err0.01"}
)

// quickSets are enough to see what a change of the mapper does.
var quickSets = []string{"chr20-2x150", "chr20-2x100", "chr20-2x50", "chr20-1x100", "chr20-2x150-snp0.01",
	"ecoli-2x150", "ecoli-2x50", "yeast-2x100"}

func campaign() []string {
	var names []string
	for _, r := range references {
		for _, s := range shapes {
			names = append(names, r+"-"+s)
		}
	}
	return names
}

// chooseSets reads a list of names and patterns, separated by commas. A pattern picks from
// known; a name may be any set that simulate.sh can make.
func chooseSets(list string, known []string) ([]set, error) {
	var names []string
	for item := range strings.SplitSeq(list, ",") {
		found := []string{item}
		if strings.ContainsAny(item, "*?[") {
			found = nil
			for _, name := range known {
				ok, err := path.Match(item, name)
				if err != nil {
					return nil, fmt.Errorf("pattern %q: %w", item, err)
				}
				if ok {
					found = append(found, name)
				}
			}
			if found == nil {
				return nil, fmt.Errorf("no set of the campaign is like %q", item)
			}
		}
		for _, name := range found {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return parseSets(names)
}

func parseSets(names []string) ([]set, error) {
	sets := make([]set, len(names))
	for i, name := range names {
		var err error
		if sets[i], err = parseSet(name); err != nil {
			return nil, err
		}
	}
	return sets, nil
}

func parseSeeds(list string) ([]int, error) {
	var seeds []int
	for item := range strings.SplitSeq(list, ",") {
		seed, err := strconv.Atoi(item)
		if err != nil || seed < 1 {
			return nil, fmt.Errorf("seed %q is not a number from 1", item)
		}
		seeds = append(seeds, seed)
	}
	return seeds, nil
}
