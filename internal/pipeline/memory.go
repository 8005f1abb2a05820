package pipeline

import (
	"fmt"
	"runtime/debug"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/host"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/sorter"
)

const (
	// defaultShare leaves the page cache and the other processes of a job some room.
	defaultShare = 0.8
	// runtimeSlack covers code, stacks, the collector's lag and thread stacks.
	runtimeSlack = 40 << 20
	// mapperScratch bounds one mapper's matrices, anchors and record buffers.
	mapperScratch = 8 << 20
)

// memoryPlan divides the budget of the whole program; all figures are bytes.
type memoryPlan struct {
	total      int64
	index      int64 // mapped or off-heap
	reader     int64 // batches and inflated chunks in flight
	workers    int64 // mappers' scratch, compressors, writers
	slack      int64
	duplicates int64 // signatures of pairs; off-heap
	records    int64 // encoded records in flight, where nothing is sorted
	sorter     int64 // what is left: slabs, and later merge buffers; off-heap
}

// planMemory gives the sorter, if there is one, what the others leave, and refuses a
// budget that leaves too little, saying how much would do.
func planMemory(total, index, readers int64, cfg *Config) (memoryPlan, error) {
	threads := cfg.Threads
	p := memoryPlan{total: total, index: index, reader: readers, slack: runtimeSlack}
	p.workers = int64(threads)*mapperScratch + compressMemory(cfg)
	fixed := p.index + p.reader + p.workers + p.slack
	least := fixed
	if cfg.Sort == SortNone {
		p.records = unsortedMemory(threads)
		least += p.records
	} else {
		p.duplicates = duplicateMemory(cfg, total-fixed)
		p.sorter = total - fixed - p.duplicates
		least += sorter.MinMem(threads) + duplicateMemory(cfg, 0)
	}
	if total < least {
		return p, Misuse(fmt.Sprintf("give -m %s or more, or fewer threads", FormatSize(least)),
			"%s of memory are too little: the index takes %s, the readers %s, %d workers %s; the least is %s",
			FormatSize(total), FormatSize(index), FormatSize(p.reader), threads, FormatSize(p.workers+p.records), FormatSize(least))
	}
	return p, nil
}

// compressMemory is what the compressors and the writers take: those of one file, or of as many
// shards as there may be at a time.
func compressMemory(cfg *Config) int64 {
	if side := int64(min(cfg.Shards, cfg.Threads)); side > 1 {
		return side * bgzfout.Config{Workers: (cfg.Threads + int(side) - 1) / int(side)}.MemoryBound()
	}
	return bgzfout.Config{Workers: cfg.Threads, Writers: fileWriters(cfg.Threads)}.MemoryBound()
}

// heapLimit is what the Go heap may take: everything that does not lie outside of it.
func (p memoryPlan) heapLimit() int64 { return p.total - p.index - p.sorter - p.duplicates }

func (p memoryPlan) String() string {
	rest := "sorter " + FormatSize(p.sorter)
	if p.duplicates > 0 {
		rest += ", duplicates " + FormatSize(p.duplicates)
	}
	if p.sorter == 0 {
		rest = "records in flight " + FormatSize(p.records)
	}
	return fmt.Sprintf("memory %s: index %s, reader %s, workers %s, %s, slack %s", FormatSize(p.total),
		FormatSize(p.index), FormatSize(p.reader), FormatSize(p.workers), rest, FormatSize(p.slack))
}

// apply holds the collector to the plan and returns a function that takes that back.
func (p memoryPlan) apply() (restore func()) {
	old := debug.SetMemoryLimit(p.heapLimit())
	return func() { debug.SetMemoryLimit(old) }
}

// budget is the memory that the run may use.
func (c *Config) budget() (int64, error) {
	if c.Memory > 0 {
		return c.Memory, nil
	}
	limit, _ := host.MemoryLimit()
	if limit == 0 {
		return 0, Misuse("give -m SIZE", "how much memory this process may use is not known")
	}
	return int64(float64(limit) * defaultShare), nil
}

// neededMemory is the budget with which all records had stayed in memory. A slab begins to spill when
// three quarters of it are full, and slabs fill unevenly.
func (r *run) neededMemory() int64 {
	if r.cfg.Sort == SortNone || !meter.Enabled {
		return 0
	}
	records := r.stages.Sort.Snapshot().BytesIn + r.stats.Records*sorter.EntryBytes
	return r.plan.total - r.plan.sorter + int64(1.05*4/3*float64(records))
}
