package markdup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// tiny meets every edge with a few records: spills after a handful, tables of a dozen entries.
var tiny = tuning{parts: 4, frame: 700, out: 2048, worker: 12 << 10}

// TestOutcomeDependsOnTheRecordsAlone varies all that must not matter.
func TestOutcomeDependsOnTheRecordsAlone(t *testing.T) {
	for name, c := range crowds {
		c.templates = min(c.templates, 3000)
		records := encode(1000, c.make())
		want, metrics := decide(t, Config{Workers: 1, MemBytes: ample, OpticalDistance: 100}, standard, records)
		for _, workers := range []int{1, 2, 5} {
			for _, memory := range []int64{1, 3, 50} {
				t.Run(fmt.Sprintf("%s, workers=%d, memory=%d", name, workers, memory), func(t *testing.T) {
					cfg := Config{Workers: workers, MemBytes: memory * tiny.minMem(workers), OpticalDistance: 100}
					got, m := decide(t, cfg, tiny, records)
					if !maps.Equal(got, want) {
						t.Errorf("%d records marked, want %d, or others", len(got), len(want))
					}
					if !sameMetrics(m, metrics) {
						t.Errorf("metrics %+v, want %+v", m, metrics)
					}
				})
			}
		}
	}
}

func sameMetrics(a, b Metrics) bool {
	sameSize := (a.EstimatedLibrarySize == nil) == (b.EstimatedLibrarySize == nil)
	if sameSize && a.EstimatedLibrarySize != nil {
		sameSize = *a.EstimatedLibrarySize == *b.EstimatedLibrarySize
	}
	a.EstimatedLibrarySize, b.EstimatedLibrarySize = nil, nil
	return sameSize && a == b
}

// TestTheCrowdsAreWorthIt guards the tests above against templates that never meet.
func TestTheCrowdsAreWorthIt(t *testing.T) {
	var pairs, singles, optical int64
	for _, c := range crowds {
		_, m := decide(t, Config{Workers: 2, MemBytes: ample, OpticalDistance: 100}, standard, encode(0, c.make()))
		pairs += m.ReadPairDuplicates
		singles += m.UnpairedReadDuplicates
		optical += m.ReadPairOpticalDups
	}
	if pairs < 3000 || singles < 3000 || optical < 40 {
		t.Errorf("%d pairs, %d single reads, %d optical pairs are duplicates", pairs, singles, optical)
	}
}

// mates is a pair on one reference: forward at one place, reverse at another.
func mates(name string, ref, left, right int32, qual string) template {
	return template{name: name, reads: []aligned{
		{ref: ref, pos: left, cigar: "10M", qual: qual},
		{ref: ref, pos: right, cigar: "10M", qual: qual, reverse: true},
	}}
}

func single(name string, pos int32, cigar, qual string) template {
	return template{name: name, reads: []aligned{{pos: pos, cigar: cigar, qual: qual}}}
}

const (
	good = "IIIIIIIIII"
	fair = "IIIII#####"
)

func TestRules(t *testing.T) {
	far := int32(2147483000)
	clipped := mates("clipped", 0, 13, 40, good)
	clipped.reads[0].cigar = "3S7M"
	swapped := mates("swapped", 0, 10, 40, good)
	swapped.reads[0], swapped.reads[1] = swapped.reads[1], swapped.reads[0]
	outward := mates("outward", 0, 10, 40, good)
	outward.reads[0].reverse, outward.reads[1].reverse = true, false
	across := func(name string, qual string) template {
		p := mates(name, 0, 10, 40, qual)
		p.reads[1].ref = 999_999
		return p
	}
	halfMapped := func(name string, pos int32, qual string) template {
		p := mates(name, 0, pos, 0, qual)
		p.reads[1].unmapped = true
		return p
	}
	failed := mates("failed", 0, 10, 40, good)
	failed.reads[0].fails, failed.reads[1].fails = true, true
	tests := []struct {
		name      string
		templates []template
		want      []int // marked templates
	}{
		{"the better pair stays", []template{mates("a", 0, 10, 40, fair), mates("b", 0, 10, 40, good)}, []int{0}},
		{"of equal pairs the smaller name stays", []template{mates("b", 0, 10, 40, good), mates("a", 0, 10, 40, good)}, []int{0}},
		{"a name that goes on is larger", []template{mates("x:10", 0, 10, 40, good), mates("x:1", 0, 10, 40, good), mates("x:1:", 0, 10, 40, good)}, []int{0, 2}},
		{"names compare by bytes, not by number", []template{mates("t:9", 0, 10, 40, good), mates("t:10", 0, 10, 40, good)}, []int{0}},
		{"of equal names the first pair stays", []template{mates("a", 0, 10, 40, good), mates("a", 0, 10, 40, good)}, []int{1}},
		{"clipping does not hide the end", []template{mates("a", 0, 10, 40, good), clipped}, []int{1}},
		{"which mate is first does not matter for mates that face each other", []template{mates("a", 0, 10, 40, good), swapped}, []int{1}},
		{"facing away is another pair", []template{mates("a", 0, 10, 40, good), outward}, nil},
		{"the other end elsewhere is another pair", []template{mates("a", 0, 10, 40, good), mates("b", 0, 10, 41, good)}, nil},
		{"another reference is another pair", []template{mates("a", 0, 10, 40, good), mates("b", 1, 10, 40, good)}, nil},
		{"mates on two references, of a million", []template{across("a", fair), across("b", good), across("c", fair)}, []int{0, 2}},
		{"at the end of the longest reference", []template{mates("a", 0, far, far+600, good), mates("b", 0, far, far+600, fair)}, []int{1}},
		{"a single read gives way to any pair", []template{halfMapped("s", 10, good), mates("a", 0, 10, 40, fair)}, []int{0}},
		{"a single read gives way to a pair that is marked itself", []template{mates("a", 0, 10, 40, fair), mates("b", 0, 10, 40, good), halfMapped("s", 10, good)}, []int{0, 2}},
		{"a single read on the other strand does not", []template{halfMapped("s", 31, good), mates("a", 0, 10, 22, fair)}, nil},
		{"the better single read stays", []template{single("a", 10, "10M", fair), single("b", 10, "10M", good)}, []int{0}},
		{"of equal single reads the first in the file stays, whatever its name", []template{single("b", 10, "10M", good), single("a", 10, "10M", good)}, []int{1}},
		{"the first in the file is the one that is clipped less", []template{single("a", 12, "2S8M", good), single("b", 10, "10M", good)}, []int{0}},
		{"what failed quality control is left alone", []template{failed, mates("b", 0, 10, 40, fair)}, nil},
		{"ends before the reference begins", []template{single("a", 3, "5S5M", good), single("b", 0, "2S8M", fair), single("c", 0, "1S9M", fair)}, []int{1}},
		{"nothing at all", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := encode(0, tt.templates)
			marks, _ := decide(t, Config{Workers: 1, MemBytes: ample}, standard, records)
			var got []int
			for i := range tt.templates {
				if marks[uint64(i)<<OrdShift] {
					got = append(got, i)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("templates %v are marked, want %v", got, tt.want)
			}
		})
	}
}

func TestOnlyPrimaryRecordsAreMarked(t *testing.T) {
	a, b := mates("a", 0, 10, 40, good), mates("b", 0, 10, 40, fair)
	b.supplementary = true
	records := encode(7, []template{a, b})
	marks, _ := decide(t, Config{Workers: 1, MemBytes: ample}, standard, records)
	want := map[uint64]bool{8 << OrdShift: true, 8<<OrdShift | 1<<(OrdShift-1): true}
	if !maps.Equal(marks, want) {
		t.Errorf("%v are marked, want %v", marks, want)
	}
	d := &Decisions{}
	if d.Duplicate(8 << OrdShift) {
		t.Error("a read is a duplicate of nothing")
	}
}

func TestMemoryIsWhatWasGiven(t *testing.T) {
	for _, workers := range []int{1, 3, 16} {
		for _, memory := range []int64{MinMem(workers), 5 * MinMem(workers), 3<<30 + 12345} {
			cfg := Config{FS: vfs.OS, Dir: t.TempDir(), Workers: workers, MemBytes: memory, OpticalDistance: 100}
			m, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Decide(context.Background()); err != nil {
				t.Fatal(err)
			}
			if _, err := m.newFilter(1 << 40); err != nil {
				t.Fatal(err)
			}
			sum := int64(0)
			for _, b := range m.memory.blocks {
				sum += (int64(len(b)) + pageBytes - 1) &^ (pageBytes - 1)
			}
			if sum > memory || sum < memory/2 {
				t.Errorf("%d workers take %d of %d bytes", workers, sum, memory)
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	_, err := New(Config{FS: vfs.OS, Workers: 2, MemBytes: MinMem(2) - 1})
	if e := new(MemoryError); !errors.As(err, &e) || e.Least != MinMem(2) {
		t.Errorf("too little memory: %v", err)
	}
}

// TestASetLargerThanMemory has one set of duplicates that no memory here could hold.
func TestASetLargerThanMemory(t *testing.T) {
	templates := make([]template, 40_000)
	for i := range templates {
		templates[i] = mates(fmt.Sprintf("x:%d", i), 0, 10, 40, fair)
	}
	templates[31_234] = mates("z", 0, 10, 40, good)
	records := encode(0, templates)
	marks, m := decide(t, Config{Workers: 2, MemBytes: tiny.minMem(2)}, tiny, records)
	if len(marks) != len(records)-2 || marks[31_234<<OrdShift] || m.ReadPairDuplicates != int64(len(templates))-1 {
		t.Errorf("%d of %d records are marked: %+v", len(marks), len(records), m)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	dir := t.TempDir()
	m, err := newMarker(Config{FS: vfs.OS, Dir: dir, Workers: 2, MemBytes: tiny.minMem(2)}, tiny)
	if err != nil {
		t.Fatal(err)
	}
	d, err := decideWith(m, encode(0, crowds["mostly single reads"].make()))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if files, _ := os.ReadDir(dir); len(files) < 2 || m.SpilledBytes() == 0 {
		t.Errorf("%d files, %d bytes spilled", len(files), m.SpilledBytes())
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) > 0 {
		t.Errorf("%v is left", files)
	}
}

func TestAStoppedRunEnds(t *testing.T) {
	m, err := newMarker(Config{FS: vfs.OS, Dir: t.TempDir(), Workers: 1, MemBytes: tiny.minMem(1)}, tiny)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ctx, stop := context.WithCancel(context.Background())
	stop()
	var failed error
	for _, r := range encode(0, crowds["mostly single reads"].make()) {
		if failed = m.Writer(0).Add(ctx, r.ord, r.data); failed != nil {
			break
		}
	}
	if !errors.Is(failed, context.Canceled) {
		t.Errorf("Add goes on: %v", failed)
	}
	if _, err := m.Decide(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Decide goes on: %v", err)
	}
}

// TestOneTileOfOneSet is cut into stripes, for no share of it by hash fits.
func TestOneTileOfOneSet(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	templates := make([]template, 3000)
	for i := range templates {
		templates[i] = mates(fmt.Sprintf("m:1:F:1:1101:%d:%d", rng.IntN(60_000), rng.IntN(12_000)), 0, 10, 40, fair)
	}
	records := encode(0, templates)
	_, want := decide(t, Config{Workers: 1, MemBytes: ample, OpticalDistance: 300}, standard, records)
	_, got := decide(t, Config{Workers: 2, MemBytes: 2 * tiny.minMem(2), OpticalDistance: 300}, tiny, records)
	if want.ReadPairOpticalDups < 500 || want.ReadPairOpticalDups > 2900 || !sameMetrics(got, want) {
		t.Errorf("%d optical duplicates, want %d", got.ReadPairOpticalDups, want.ReadPairOpticalDups)
	}
}
