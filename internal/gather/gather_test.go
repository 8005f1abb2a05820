package gather

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/alignpipe/alignpipe/bgzfout"
)

// cutEvenly divides records into n stretches.
func cutEvenly(recs []testRec, n int) [][]testRec {
	parts := make([][]testRec, n)
	for i := range parts {
		parts[i] = recs[i*len(recs)/n : (i+1)*len(recs)/n]
	}
	return parts
}

// deal gives records to n parts in turn, as an array job gives them to its tasks.
func deal(recs []testRec, n int) [][]testRec {
	parts := make([][]testRec, n)
	for i, r := range recs {
		parts[i%n] = append(parts[i%n], r)
	}
	return parts
}

// merged is what a merge of the parts must give: sorted by key, and then by part.
func merged(parts [][]testRec) []testRec {
	all := slices.Concat(parts...)
	slices.SortStableFunc(all, func(a, b testRec) int { return cmp.Compare(a.key, b.key) })
	return all
}

// shuffled is the order in which parts are named.
func shuffled(seed uint64, n int) []int { return rand.New(rand.NewPCG(seed, 9)).Perm(n) }

// distinctKeys drops records that sort like the one before, but unplaced ones, so that the order
// of the parts does not matter.
func distinctKeys(recs []testRec) []testRec {
	return slices.CompactFunc(slices.Clone(recs), func(a, b testRec) bool { return a.key == b.key && a.key.Ref() >= 0 })
}

// writer makes part i in a folder.
type writer func(t *testing.T, path string, i int, recs []testRec)

func indexed(lens []int64, kind bgzfout.IndexKind) writer {
	return func(t *testing.T, path string, _ int, recs []testRec) {
		ownBAM(t, path, headerOf(lens, testText, ""), lens, recs, kind)
	}
}

func foreign(lens []int64, size int) writer {
	return func(t *testing.T, path string, _ int, recs []testRec) {
		foreignBAM(t, path, headerOf(lens, testText, ""), recs, size)
	}
}

// mixed has parts of all kinds.
func mixed(lens []int64) writer {
	kinds := []writer{indexed(lens, bgzfout.BAI), foreign(lens, 700), indexed(lens, bgzfout.None), foreign(lens, 65536), indexed(lens, bgzfout.CSI)}
	return func(t *testing.T, path string, i int, recs []testRec) { kinds[i%len(kinds)](t, path, i, recs) }
}

func writeParts(t *testing.T, dir string, parts [][]testRec, write writer) []string {
	t.Helper()
	paths := make([]string, len(parts))
	for i, recs := range parts {
		paths[i] = filepath.Join(dir, fmt.Sprintf("p%03d.bam", i))
		write(t, paths[i], i, recs)
	}
	return paths
}

func TestDisjointPartsAreCopied(t *testing.T) {
	recs := distinctKeys(randomRecs(1, testRefs, 9000))
	long := distinctKeys(randomRecs(2, longRefs, 9000))
	unplacedOnly := slices.DeleteFunc(slices.Clone(recs), func(r testRec) bool { return r.key.Ref() >= 0 })
	tests := []struct {
		name    string
		lens    []int64
		parts   [][]testRec
		write   writer
		ext     string
		scanned int
	}{
		{"one part", testRefs, cutEvenly(recs, 1), indexed(testRefs, bgzfout.BAI), ".bai", 0},
		{"16 shards", testRefs, cutEvenly(recs, 16), indexed(testRefs, bgzfout.BAI), ".bai", 0},
		{"300 parts", testRefs, cutEvenly(recs[:len(recs)-len(unplacedOnly)], 300), indexed(testRefs, bgzfout.BAI), ".bai", 0},
		{"more parts than records", testRefs, cutEvenly(recs[:7], 20), indexed(testRefs, bgzfout.BAI), ".bai", 0},
		{"parts without records", testRefs, make([][]testRec, 3), indexed(testRefs, bgzfout.BAI), ".bai", 0},
		{"unplaced reads only", testRefs, [][]testRec{unplacedOnly}, indexed(testRefs, bgzfout.BAI), ".bai", 0},
		{"unplaced reads in a part of their own", testRefs, [][]testRec{recs[:len(recs)-len(unplacedOnly)], nil, unplacedOnly}, indexed(testRefs, bgzfout.BAI), ".bai", 0},
		{"no index", testRefs, cutEvenly(recs, 5), indexed(testRefs, bgzfout.None), ".bai", 5},
		{"an index of the other kind", testRefs, cutEvenly(recs, 3), indexed(testRefs, bgzfout.CSI), ".bai", 3},
		{"headers that share a block with records", testRefs, cutEvenly(recs, 5), foreign(testRefs, 60_000), ".bai", 5},
		{"full blocks, which are repacked as several", testRefs, cutEvenly(recs, 5), foreign(testRefs, 65_280), ".bai", 5},
		{"blocks shorter than the header", testRefs, cutEvenly(recs[:3000], 5), foreign(testRefs, 100), ".bai", 5},
		{"parts of all kinds", testRefs, cutEvenly(recs, 10), mixed(testRefs), ".bai", 8},
		{"references too long for bai", longRefs, cutEvenly(long, 7), indexed(longRefs, bgzfout.CSI), ".csi", 0},
		{"references too long for bai, no index", longRefs, cutEvenly(long, 7), foreign(longRefs, 40_000), ".csi", 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			paths := writeParts(t, dir, tt.parts, tt.write)
			var named []string
			for _, i := range shuffled(3, len(paths)) {
				named = append(named, paths[i])
			}
			cfg := config(t.TempDir(), named...)
			got, err := Run(t.Context(), cfg)
			must(t, err)
			all := slices.Concat(tt.parts...)
			if !got.Copied || got.Records != int64(len(all)) || got.Scanned != tt.scanned || got.Parts != len(paths) {
				t.Errorf("result %+v", got)
			}
			wantRecords(t, cfg.Output, headerOf(tt.lens, testText, ""), all)
			wantOnly(t, filepath.Dir(cfg.Output), "out.bam", "out.bam"+tt.ext)
			if len(all) > 0 {
				wantAnswers(t, cfg.Output, tt.lens, all)
				wantSamtools(t, cfg.Output, tt.ext, tt.lens, all)
			}
		})
	}
}

func TestOverlappingPartsAreMerged(t *testing.T) {
	recs := randomRecs(4, testRefs, 5000)
	long := randomRecs(5, longRefs, 3000)
	tests := []struct {
		name   string
		lens   []int64
		parts  [][]testRec
		write  writer
		ext    string
		open   int
		passes int
	}{
		{"two parts", testRefs, deal(recs, 2), indexed(testRefs, bgzfout.BAI), ".bai", 0, 1},
		{"the same records twice", testRefs, [][]testRec{recs, recs}, indexed(testRefs, bgzfout.None), ".bai", 0, 1},
		{"parts of all kinds", testRefs, deal(recs, 11), mixed(testRefs), ".bai", 0, 1},
		{"one part that lies inside another", testRefs, [][]testRec{recs[1000:1010], slices.Concat(recs[:1000], recs[1010:])}, mixed(testRefs), ".bai", 0, 1},
		{"300 parts", testRefs, deal(recs, 300), indexed(testRefs, bgzfout.BAI), ".bai", 0, 1},
		{"60 parts, and 20 files open at once", testRefs, deal(recs, 60), indexed(testRefs, bgzfout.BAI), ".bai", 20, 3},
		{"hardly any files open", testRefs, deal(recs, 9), mixed(testRefs), ".bai", 1, 4},
		{"references too long for bai", longRefs, deal(long, 4), indexed(longRefs, bgzfout.CSI), ".csi", 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := config(t.TempDir(), writeParts(t, t.TempDir(), tt.parts, tt.write)...)
			cfg.MaxOpen = tt.open
			got, err := Run(t.Context(), cfg)
			must(t, err)
			all := merged(tt.parts)
			if got.Copied || got.Records != int64(len(all)) || got.Passes != tt.passes {
				t.Errorf("result %+v", got)
			}
			wantRecords(t, cfg.Output, headerOf(tt.lens, testText, ""), all)
			wantOnly(t, filepath.Dir(cfg.Output), "out.bam", "out.bam"+tt.ext)
			wantSamtools(t, cfg.Output, tt.ext, tt.lens, all)
		})
	}
}

// Gathering is the same whatever the number of shards, also of one whose borders lie between
// records that sort alike.
func TestAnyNumberOfPartsGivesTheSame(t *testing.T) {
	recs := randomRecs(6, []int64{5000, 40_000, 36_000, 9000, 37_000, 1000}, 3000) // many ties
	for n := 1; n <= 20; n++ {
		cfg := config(t.TempDir(), writeParts(t, t.TempDir(), cutEvenly(recs, n), mixed(testRefs))...)
		got, err := Run(t.Context(), cfg)
		must(t, err)
		if !got.Copied {
			t.Errorf("%d parts: merged", n)
		}
		wantRecords(t, cfg.Output, headerOf(testRefs, testText, ""), recs)
	}
}

// Where two parts meet at one place, the order given decides whether they are disjoint.
func TestPartsThatMeet(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const forward, reverse = 0, 16
	rec := func(name string, pos int32, strand uint16) testRec { return newRec(rng, name, 1, pos, strand, 50<<4) }
	before, after := rec("before", 10, forward), rec("after", 90, forward)
	tests := []struct {
		name   string
		parts  [][]testRec // in the order given
		copied bool
	}{
		{"forward, then reverse", [][]testRec{{before, rec("a", 50, forward)}, {rec("b", 50, reverse), after}}, true},
		{"the same, named the other way round", [][]testRec{{rec("b", 50, reverse), after}, {before, rec("a", 50, forward)}}, true},
		{"reverse, then forward", [][]testRec{{before, rec("a", 50, reverse)}, {rec("b", 50, forward), after}}, false},
		{"equal", [][]testRec{{before, rec("a", 50, forward)}, {rec("b", 50, forward), after}}, true},
		{"equal, named the other way round", [][]testRec{{rec("b", 50, forward), after}, {before, rec("a", 50, forward)}}, false},
		{"three equal", [][]testRec{{before, rec("a", 50, forward)}, {rec("b", 50, forward)}, {rec("c", 50, forward), after}}, true},
		{"three equal, the middle one named last", [][]testRec{{before, rec("a", 50, forward)}, {rec("c", 50, forward), after}, {rec("b", 50, forward)}}, false},
		{"unplaced in both", [][]testRec{{before, newRec(rng, "a", -1, -1, 4)}, {newRec(rng, "b", -1, -1, 4)}}, true},
		{"unplaced in both, named the other way round", [][]testRec{{newRec(rng, "b", -1, -1, 4)}, {before, newRec(rng, "a", -1, -1, 4)}}, false},
	}
	for _, tt := range tests {
		for kind, write := range map[string]writer{"indexed": indexed(testRefs, bgzfout.BAI), "not indexed": indexed(testRefs, bgzfout.None)} {
			t.Run(tt.name+", "+kind, func(t *testing.T) {
				cfg := config(t.TempDir(), writeParts(t, t.TempDir(), tt.parts, write)...)
				got, err := Run(t.Context(), cfg)
				must(t, err)
				if got.Copied != tt.copied {
					t.Errorf("copied: %t", got.Copied)
				}
				wantRecords(t, cfg.Output, headerOf(testRefs, testText, ""), merged(tt.parts))
			})
		}
	}
}

// An index that does not belong to its part is not believed.
func TestIndexOfAnotherFile(t *testing.T) {
	recs := distinctKeys(randomRecs(8, testRefs, 4000))
	parts := cutEvenly(recs, 2)
	placed := parts[0] // the unplaced are in the other
	tests := []struct {
		name   string
		change func(t *testing.T, path string)
	}{
		{"older than the part", func(t *testing.T, path string) {
			past := time.Now().Add(-time.Hour)
			must(t, os.Chtimes(path+".bai", past, past))
		}},
		{"of fewer records", func(t *testing.T, path string) { otherIndex(t, path, placed[:len(placed)-1]) }},
		{"of more records", func(t *testing.T, path string) { otherIndex(t, path, recs[:len(placed)+1]) }},
		{"of other references", func(t *testing.T, path string) { otherIndex(t, path, placed[:100]) }},
		{"of no records", func(t *testing.T, path string) { otherIndex(t, path, nil) }},
		{"with unplaced records more", func(t *testing.T, path string) {
			otherIndex(t, path, append(slices.Clone(placed), recs[len(recs)-1]))
		}},
		{"cut short", func(t *testing.T, path string) { must(t, os.Truncate(path+".bai", 1000)) }},
		{"empty", func(t *testing.T, path string) { must(t, os.Truncate(path+".bai", 0)) }},
		{"no index at all", func(t *testing.T, path string) {
			must(t, os.WriteFile(path+".bai", bytes.Repeat([]byte("x"), 5000), 0o600))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			paths := writeParts(t, t.TempDir(), parts, indexed(testRefs, bgzfout.BAI))
			tt.change(t, paths[0])
			cfg := config(t.TempDir(), paths...)
			got, err := Run(t.Context(), cfg)
			must(t, err)
			if got.Scanned != 1 || !got.Copied {
				t.Errorf("result %+v", got)
			}
			wantRecords(t, cfg.Output, headerOf(testRefs, testText, ""), recs)
			wantAnswers(t, cfg.Output, testRefs, recs)
		})
	}
}

// otherIndex puts the index of a file with other records beside path.
func otherIndex(t *testing.T, path string, recs []testRec) {
	t.Helper()
	other := filepath.Join(t.TempDir(), "other.bam")
	ownBAM(t, other, headerOf(testRefs, testText, ""), testRefs, recs, bgzfout.BAI)
	must(t, os.WriteFile(path+".bai", readAll(t, other+".bai"), 0o600))
}
