package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestDuplicatesRepeatAFragment(t *testing.T) {
	ref, _ := reference(t)
	const pairs = 5000
	out := simulate(t, ref, "-pairs", fmt.Sprint(pairs), "-duplicates", "0.2", "-optical", "0.5", "-snp", "0", "-indel", "0")
	places, names, again, beside := map[string][]spot{}, map[string]bool{}, 0, 0
	for i, line := range out[2] {
		name, place, _ := strings.Cut(line, "\t")
		if names[name] || out[0][4*i] != "@"+name || out[1][4*i] != "@"+name {
			t.Fatalf("pair %d: %s", i, line)
		}
		names[name] = true
		var s spot
		if _, err := fmt.Sscanf(name, "SIM:1:FC:%d:%d:%d:%d", &s.lane, &s.tile, &s.x, &s.y); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(places[place]) > 0 {
			again++
		}
		for _, old := range places[place] {
			if old.tile == s.tile && max(old.x-s.x, s.x-old.x) <= opticalReach && max(old.y-s.y, s.y-old.y) <= opticalReach {
				beside++
				break
			}
		}
		places[place] = append(places[place], s)
	}
	if len(out[2]) != pairs || again < pairs*17/100 || again > pairs*23/100 {
		t.Errorf("%d of %d pairs are duplicates", again, len(out[2]))
	}
	if beside < again*4/10 || beside > again*6/10 {
		t.Errorf("%d of %d duplicates are optical", beside, again)
	}
}

func TestMixedPairsHaveNoTruth(t *testing.T) {
	ref, seqs := reference(t)
	const pairs = 3000
	for _, flag := range []string{"-chimeras", "-junk"} {
		out := simulate(t, ref, "-pairs", fmt.Sprint(pairs), flag, "0.1", "-snp", "0", "-indel", "0", "-err", "0")
		if n := len(out[2]); len(out[0]) != 4*pairs || n < pairs*88/100 || n > pairs*92/100 {
			t.Errorf("%s: %d of %d pairs have a truth", flag, n, len(out[0])/4)
		}
		known := map[string]bool{}
		for _, line := range out[2] {
			name, _, _ := strings.Cut(line, "\t")
			known["@"+name] = true
		}
		foreign := 0
		for i := 0; i < len(out[0]); i += 4 {
			for mate := range 2 {
				read := out[mate][i+1]
				here := strings.Contains(seqs["a"], read) || strings.Contains(seqs["b"], read)
				if !here && !strings.Contains(seqs["a"], revComp(read)) && !strings.Contains(seqs["b"], revComp(read)) {
					foreign++
					if known[out[0][i]] {
						t.Fatalf("%s: %s has a truth, and bases of no genome", flag, out[0][i])
					}
				}
			}
		}
		if want := map[string]bool{"-chimeras": false, "-junk": true}[flag]; want != (foreign > 0) {
			t.Errorf("%s: %d reads are of no genome", flag, foreign)
		}
		if t.Failed() {
			return
		}
	}
}

func TestReadsRunIntoTheAdapter(t *testing.T) {
	ref, seqs := reference(t)
	out := simulate(t, ref, "-pairs", "1000", "-frag", "120", "-sd", "20", "-adapters", "-snp", "0", "-indel", "0", "-err", "0")
	for i, line := range out[2] {
		var name, contig string
		var at [4]int
		if _, err := fmt.Sscan(line, &name, &contig, &at[0], &at[1], &at[2], &at[3]); err != nil {
			t.Fatal(err)
		}
		for mate := range 2 {
			want := seqs[contig][at[2*mate]:at[2*mate+1]]
			read := out[mate][4*i+1]
			rest, ok := strings.CutPrefix(read, want)
			if !ok {
				rest, ok = strings.CutPrefix(read, revComp(want))
			}
			adapter := adapters[mate] + strings.Repeat("G", 150)
			if !ok || len(read) != 150 || !strings.HasPrefix(adapter, rest) {
				t.Fatalf("%s: mate %d is %s", line, mate+1, read)
			}
		}
	}
}

func TestSomeReadsBeginElsewhere(t *testing.T) {
	ref, seqs := reference(t)
	out := simulate(t, ref, "-pairs", "1000", "-overhangs", "0.3", "-snp", "0", "-indel", "0", "-err", "0")
	changed := 0
	for i, line := range out[2] {
		var name, contig string
		var at [4]int
		fmt.Sscan(line, &name, &contig, &at[0], &at[1], &at[2], &at[3])
		for mate := range 2 {
			want, read := seqs[contig][at[2*mate]:at[2*mate+1]], out[mate][4*i+1]
			if read == want || read == revComp(want) {
				continue
			}
			if changed++; !strings.HasSuffix(want, read[overhangMost:]) && !strings.HasSuffix(revComp(want), read[overhangMost:]) {
				t.Fatalf("%s: mate %d is %s", line, mate+1, read)
			}
		}
	}
	if changed < 400 || changed > 600 { // a quarter of the overhangs of one base change nothing
		t.Errorf("%d of 2000 reads begin elsewhere", changed)
	}
}
