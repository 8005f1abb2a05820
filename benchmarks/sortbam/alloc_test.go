package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/sorter"
)

// models are records that are used again and again, each time at another place.
type models struct {
	rng     *rand.Rand
	records [][]byte
}

func newModels() *models {
	const n, below = 10_000, 1_000_000
	m := newMaker(4)
	ms := &models{rng: m.rng}
	for range n {
		ms.records = append(ms.records, m.add(nil, 150, below))
	}
	return ms
}

// next moves a record to a place within the first million bases: an index allocates for each 16 Ki
// of the genome, and that is not what is counted here.
func (ms *models) next(i int) []byte {
	rec := ms.records[i%len(ms.records)]
	if body := rec[sizeBytes:]; bamrec.Ref(body) >= 0 {
		binary.LittleEndian.PutUint32(body[4:], ms.rng.Uint32N(1_000_000))
	}
	return rec
}

// BenchmarkRecord has a record for an op: added to a slab, merged, compressed at level 1 and
// indexed. allocs/op is 0 where a record costs none; what a run costs as a whole is in
// allocs/run.
func BenchmarkRecord(b *testing.B) {
	models := newModels()
	for _, memory := range []int64{0, 64 << 20} {
		b.Run(fmt.Sprintf("mem=%dMiB", memory>>20), func(b *testing.B) {
			limit := memory
			if limit == 0 { // enough for all: 400 bytes each, with their entries
				limit = sorter.MinMem(1) + 64<<20 + int64(b.N)*450
			}
			s, err := sorter.New(sorter.Config{FS: vfs.OS, Dir: b.TempDir(), MemBytes: limit, Workers: 1})
			check(b, err)
			defer s.Close()
			b.ReportAllocs()
			before := mallocs()
			b.ResetTimer()
			sortRecords(b, s, models, b.N)
			b.StopTimer()
			b.ReportMetric(float64(mallocs()-before), "allocs/run")
			b.ReportMetric(float64(s.Stats().SpilledRuns), "runs")
		})
	}
}

// sortRecords takes n records all the way, in one goroutine but for the compressor.
func sortRecords(b *testing.B, s *sorter.Sorter, ms *models, n int) {
	for i := range n {
		check(b, addRecords(context.Background(), s.Slab(0), ms.next(i), uint64(i)))
	}
	m, err := s.Merge(context.Background())
	check(b, err)
	out, err := bgzfout.NewBAM(io.Discard, testHeader(), refLens, bgzfout.BAI, bgzfout.Config{Level: 1, Workers: 1})
	check(b, err)
	check(b, drain(context.Background(), m, out))
	check(b, out.Close())
	if out.Records() != int64(n) {
		b.Fatalf("%d records of %d", out.Records(), n)
	}
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// TestNoAllocationPerRecord counts those of the whole program, from one file to the other, and
// takes off what a sort and a run cost whatever their size.
func TestNoAllocationPerRecord(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget")
	}
	const few, many, most, perRun = 100_000, 500_000, 0.0005, 60
	models := newModels()
	short, long := models.write(t, few), models.write(t, many)
	for _, memory := range []int64{512 << 20, 64 << 20} {
		fixed, runs := sortAllocations(t, short, memory)
		all, moreRuns := sortAllocations(t, long, memory)
		each := (float64(all) - float64(fixed) - perRun*float64(moreRuns-runs)) / (many - few)
		t.Logf("memory %d MiB: %.0f allocations for %d records and %d runs, %.0f for %d and %d: %.5f a record",
			memory>>20, fixed, few, runs, all, many, moreRuns, each)
		if each > most {
			t.Errorf("memory %d MiB: %.5f allocations a record, want at most %g", memory>>20, each, most)
		}
		if spills := memory == 64<<20; moreRuns > 0 != spills || runs > 0 && !spills { // a worker may get more than its share
			t.Errorf("memory %d MiB: %d and %d runs were spilled", memory>>20, runs, moreRuns)
		}
	}
}

// write makes a file of n records.
func (ms *models) write(t *testing.T, n int) string {
	path := filepath.Join(t.TempDir(), "in.bam")
	f, err := os.Create(path)
	check(t, err)
	b, err := bgzfout.NewBAM(f, testHeader(), refLens, bgzfout.None, bgzfout.Config{})
	check(t, err)
	for i := range n {
		check(t, b.Add(ms.next(i)))
	}
	check(t, b.Close())
	check(t, f.Close())
	return path
}

func sortAllocations(t *testing.T, in string, memory int64) (allocs float64, runs int64) {
	before := mallocs()
	_, res, err := sortFile(in, 2, memory)
	check(t, err)
	return float64(mallocs() - before), res.SpilledRuns
}
