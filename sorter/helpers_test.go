package sorter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// tiny makes every edge come up with little data: a slab holds some hundred records, a frame
// a handful, and the histogram is soon full.
var tiny = tuning{frame: 512, slab: 8 << 10, cells: 64}

// item is one record of a test.
type item struct {
	key Key
	ord uint64
	rec []byte
}

// makeRec returns a record with block_size whose whole length is n.
func makeRec(rng *rand.Rand, n int) []byte {
	rec := binary.LittleEndian.AppendUint32(make([]byte, 0, n), uint32(n-4))
	for len(rec) < n {
		rec = append(rec, "ACGT"[rng.IntN(4)])
	}
	return rec
}

// makeItems makes n records with many equal keys, some unplaced, and lengths from 4 bytes to
// several frames.
func makeItems(seed uint64, n int) []item {
	rng := rand.New(rand.NewPCG(seed, 1))
	items := make([]item, n)
	for i := range items {
		size := 4 + rng.IntN(100)
		switch rng.IntN(200) {
		case 0:
			size = tiny.frame - plainFixed + rng.IntN(3) - 1
		case 1:
			size = tiny.frame*(1+rng.IntN(4)) + rng.IntN(3) - 1
		}
		key := KeyOf(int32(rng.IntN(3)), int32(rng.IntN(n/2+1)), rng.IntN(2) == 0)
		if rng.IntN(20) == 0 {
			key = Unplaced
		}
		items[i] = item{key, uint64(i) * 3, makeRec(rng, size)}
	}
	return items
}

// inOrder is what a sort must give, by the standard library.
func inOrder(items []item) []item {
	want := slices.Clone(items)
	slices.SortStableFunc(want, func(a, b item) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		return 0
	})
	return want
}

// addAll deals items to workers in batches, and has all workers add theirs at once.
func addAll(s *Sorter, items []item) error {
	workers := len(s.slabs)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range items {
				if i/50%workers != w {
					continue
				}
				it := items[i]
				if errs[w] = s.Slab(w).Add(context.Background(), it.key, it.ord, it.rec); errs[w] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// drain compares what comes out with want.
func drain(m *Merger, want []item) error {
	for i := 0; ; i++ {
		it, err := m.Next()
		key, rec := it.Key, it.Rec
		if err == io.EOF && i == len(want) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
		if i == len(want) {
			return fmt.Errorf("more than %d records", i)
		}
		if key != want[i].key || string(rec) != string(want[i].rec) {
			return fmt.Errorf("record %d: key %x, %d bytes; want key %x, %d bytes", i, key, len(rec), want[i].key, len(want[i].rec))
		}
	}
}

// sortAll runs a whole sort up to the last record.
func sortAll(s *Sorter, items, want []item) error {
	if err := addAll(s, items); err != nil {
		return err
	}
	m, err := s.Merge(context.Background())
	if err != nil {
		return err
	}
	return drain(m, want)
}

// newTest makes a sorter with small buffers, and sees to it that it leaves nothing behind.
func newTest(t *testing.T, cfg Config, tune tuning) *Sorter {
	t.Helper()
	if cfg.FS == nil {
		cfg.FS = vfs.OS
	}
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	s, err := newSorter(cfg, tune)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		checkClean(t, s)
	})
	return s
}

// checkClean fails if a closed sorter still has files or memory.
func checkClean(t *testing.T, s *Sorter) {
	t.Helper()
	left, err := os.ReadDir(s.cfg.Dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if s.mem.used != 0 {
		t.Errorf("%d bytes not given back", s.mem.used)
	}
	if s.mem.peak > s.cfg.MemBytes {
		t.Errorf("%d bytes used of %d", s.mem.peak, s.cfg.MemBytes)
	}
}

// checkGoroutines fails if a goroutine of this package outlives the sorters.
func checkGoroutines(t *testing.T) {
	t.Helper()
	var stacks string
	for range 200 {
		buf := make([]byte, 1<<20)
		stacks = string(buf[:runtime.Stack(buf, true)])
		if !strings.Contains(stacks, "prefetcher") && !strings.Contains(stacks, "(*Slab).spill") && !strings.Contains(stacks, "sorter.each[") {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("goroutines left:\n%s", stacks)
}
