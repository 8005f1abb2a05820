package pipeline

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/alignpipe/alignpipe/internal/markdup"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/mapper"
)

const (
	// duplicatesExt is put after the name of an output for its duplicate metrics.
	duplicatesExt = ".duplicates.txt"
	// duplicatesName is their name in a folder of shards.
	duplicatesName = "duplicates.txt"
)

const (
	flagDuplicate = 0x400
	flagAt        = 18 // offset of FLAG, little-endian, in a record with block_size
)

// Records are numbered by the mapper as the marker takes them apart, or this does not compile.
var _ [0]struct{} = [mapper.OrdShift - markdup.OrdShift]struct{}{}

// duplicateMemory is what signatures of pairs get of the memory for sorting: a pair takes some 40 bytes there,
// and 700 as records. An eighth of it is for the decisions.
func duplicateMemory(cfg *Config, sorting int64) int64 {
	if !cfg.MarkDuplicates {
		return 0
	}
	return max(markdup.MinMem(cfg.Threads), sorting/16)
}

// openMarker starts to collect signatures, where duplicates are to be marked.
func (c *sorted) openMarker(dir string) (err error) {
	r := c.run
	if !r.cfg.MarkDuplicates {
		return nil
	}
	c.marker, err = markdup.New(markdup.Config{
		FS: r.cfg.FS, Dir: dir, MemBytes: max(markdup.MinMem(r.cfg.Threads), r.plan.duplicates*7/8), Workers: r.cfg.Threads,
		OpticalDistance: r.cfg.OpticalDistance, Stage: r.stages.Duplicates,
	})
	if err != nil {
		return outputError(err)
	}
	r.undo.later(c.marker.Close)
	return nil
}

// decide finds the duplicates, when all reads are mapped.
func (c *sorted) decide(ctx context.Context) error {
	if c.marker == nil {
		return nil
	}
	d, err := c.marker.Decide(ctx)
	if err != nil {
		return outputError(err)
	}
	c.run.duplicates = d
	c.run.undo.later(d.Close)
	return outputError(c.marker.Close())
}

// mark sets the flag of a record that is a duplicate.
func (r *run) mark(tag uint64, rec []byte) {
	if r.duplicates != nil && r.duplicates.Duplicate(tag) {
		rec[flagAt+1] |= flagDuplicate >> 8
	}
}

// metricsFile writes the duplicate metrics to a file that is committed with the output; nil where there are none.
func (r *run) metricsFile(create func(name string) (*vfs.Atomic, error), name string) (*vfs.Atomic, error) {
	if r.duplicates == nil {
		return nil, nil
	}
	f, err := create(name)
	if err != nil {
		return nil, err
	}
	program := fmt.Sprintf("alignpipe %s align --mark-duplicates", r.cfg.Version)
	if r.cfg.OpticalDistance > 0 {
		program += fmt.Sprintf(" --optical-distance %d", r.cfg.OpticalDistance)
	}
	if err := r.duplicates.Metrics.WritePicard(f, program, filepath.Base(r.cfg.Output), library(r.cfg.ReadGroup.Line)); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	return f, nil
}

// library is the LB field of a read group line.
func library(line string) string {
	for _, field := range strings.Split(line, "\t") {
		if v, ok := strings.CutPrefix(field, "LB:"); ok {
			return v
		}
	}
	return ""
}
