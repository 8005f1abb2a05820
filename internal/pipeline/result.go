package pipeline

import (
	"github.com/alignpipe/alignpipe/internal/host"
	"github.com/alignpipe/alignpipe/internal/markdup"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/readsum"
	"github.com/alignpipe/alignpipe/internal/report"
	"github.com/alignpipe/alignpipe/mapper"
	"github.com/alignpipe/alignpipe/sorter"
)

// Result is what a run that went well did.
type Result struct {
	Threads     int
	Paired      bool
	Sum         readsum.Sum // of the input, and equally of the output
	Records     int64       // in the output, supplementary ones included
	Primary     int64       // primary records in the output
	Mapped      int64       // of those, with a place
	Proper      int64       // of those, in proper pairs
	Skipped     int64       // bad reads that were left out
	Insert      mapper.InsertSize
	Sort        sorter.Stats
	Duplicates  *markdup.Metrics // nil where they were not looked for
	MemoryBytes int64            // the budget
	NeededBytes int64            // the least budget with which nothing had been spilled; 0 where nothing is sorted
	IndexBytes  int64
	CPUs        report.CPUs
	Phases      []report.PhaseRun
	Queues      []meter.QueueSnapshot
	Flight      meter.FlightSnapshot // of batches, from the parser to the mappers' release
	Inputs      []report.Input
	Files       []report.FileRole
	Host        *host.Delta // over the whole run
	Auto        []report.AutoChange
	AutoOff     string   // why nothing could be changed; "" where it could
	IO          *host.IO // from the first read on; nil where it is not known
	// Makespan is what was forecast after a tenth of the input; nil with a reason where it was not.
	Makespan       *report.Makespan
	MakespanReason string
	Partners       []report.Partner
	DebtBytes      *int64 // of the output, before the sync; nil where the kernel does not tell
	Probed         report.Probed

	options report.Options
}

func (r *run) result() *Result {
	var duplicates *markdup.Metrics
	if r.duplicates != nil {
		duplicates = &r.duplicates.Metrics
	}
	makespan, why := r.foresight.result()
	return &Result{
		Partners: r.partners.tell(), DebtBytes: r.debt,
		Makespan: makespan, MakespanReason: why, Probed: report.Probed{ReadBytes: r.foresight.read.Load(), WriteBytes: r.foresight.wrote.Load()},
		Duplicates: duplicates,
		Threads:    r.cfg.Threads, Paired: r.cfg.paired(), Sum: r.reader.Sum(),
		Records: r.counts.records, Primary: r.counts.reads, Mapped: r.counts.mapped, Proper: r.counts.proper,
		Skipped: r.reader.Skipped(), Insert: r.params.Insert, Sort: r.stats,
		MemoryBytes: r.plan.total, IndexBytes: r.plan.index, CPUs: r.monitor.cpus, Phases: r.monitor.phases, Queues: r.queues,
		Flight: r.flightStats(), NeededBytes: r.neededMemory(), Inputs: r.inputs(), Files: r.files, Host: r.monitor.whole(), IO: r.monitor.sinceReading().IO,
		Auto: r.auto.changes, AutoOff: r.auto.off, options: r.cfg.reportOptions(),
	}
}
