package sorter

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// BenchmarkSort measures adding, sorting and merging of n records of 350 bytes with random
// places on 3 Gb; mem=0 spills nothing. Wall time with one goroutine for each worker, in ns/rec:
// add makes and adds records and spills, sort is Merge, merge is Next with a copy of each record.
func BenchmarkSort(b *testing.B) {
	const n = 1_000_000
	rec := makeRec(rand.New(rand.NewPCG(1, 1)), 350)
	for _, workers := range []int{1, 2} {
		for _, mem := range []int64{0, 64 << 20, 16 << 20} {
			b.Run(fmt.Sprintf("workers=%d/mem=%dMiB", workers, mem>>20), func(b *testing.B) {
				b.ReportAllocs()
				var took phases
				for b.Loop() {
					cfg := Config{FS: vfs.OS, Dir: b.TempDir(), Workers: workers, MemBytes: mem}
					if mem == 0 {
						cfg.MemBytes = 600 << 20
					}
					sortMany(b, cfg, n, rec, &took)
				}
				each := float64(b.N) * n
				b.ReportMetric(float64(took.add)/each, "add-ns/rec")
				b.ReportMetric(float64(took.sort)/each, "sort-ns/rec")
				b.ReportMetric(float64(took.merge)/each, "merge-ns/rec")
			})
		}
	}
}

// phases are the times of the parts of a sort.
type phases struct{ add, sort, merge time.Duration }

func sortMany(b *testing.B, cfg Config, n int, rec []byte, took *phases) {
	s, err := New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	begun := time.Now()
	lap := func(to *time.Duration) {
		now := time.Now()
		*to += now.Sub(begun)
		begun = now
	}
	var wg sync.WaitGroup
	for w := range cfg.Workers {
		wg.Go(func() {
			if err := addMany(s.Slab(w), w, n/cfg.Workers, rec); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	lap(&took.add)
	m, err := s.Merge(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	lap(&took.sort)
	defer lap(&took.merge)
	b.ReportMetric(float64(s.Stats().SpilledRuns), "runs")
	out := make([]byte, len(rec))
	for count := 0; ; count++ {
		it, err := m.Next()
		if err == io.EOF && count == n {
			return
		}
		if err != nil {
			b.Fatal(err)
		}
		copy(out, it.Rec) // as the next stage does
	}
}

// addMany adds records that differ as neighbours in a BAM do: by name, place and bases.
func addMany(sl *Slab, worker, n int, model []byte) error {
	rng := rand.New(rand.NewPCG(uint64(worker), 2))
	rec := append([]byte(nil), model...)
	for i := range n {
		key := KeyOf(rng.Int32N(24), rng.Int32N(125_000_000), i&1 == 1)
		binary.LittleEndian.PutUint64(rec[4:], uint64(key))
		for at := 40; at < 120; at += 8 {
			binary.LittleEndian.PutUint64(rec[at:], rng.Uint64())
		}
		if err := sl.Add(context.Background(), key, uint64(i), rec); err != nil {
			return err
		}
	}
	return nil
}

// TestNoAllocationPerRecord allows what a sort allocates as a whole, and a run.
func TestNoAllocationPerRecord(t *testing.T) {
	const n = 40_000
	rec := makeRec(rand.New(rand.NewPCG(1, 1)), 350)
	for _, mem := range []int64{MinMem(1), 64 << 20} {
		allocs := testing.AllocsPerRun(1, func() {
			s := newTest(t, Config{MemBytes: mem}, standard)
			if err := addMany(s.Slab(0), 0, n, rec); err != nil {
				t.Fatal(err)
			}
			m, err := s.Merge(context.Background())
			for err == nil {
				_, err = m.Next()
			}
			if err != io.EOF {
				t.Fatal(err)
			}
		})
		if allocs > n/50 {
			t.Errorf("mem=%d: %.0f allocations for %d records", mem, allocs, n)
		}
	}
}
