package reader

import (
	"errors"
	"fmt"
	"io"
	"unsafe"

	"github.com/alignpipe/alignpipe/internal/inflate"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

const (
	defaultBatchBases = 1 << 20 // some thousand pairs: milliseconds of mapping
	defaultInFlight   = 8
	maxName           = 254     // bytes; BAM's limit
	maxTitle          = 1 << 20 // bytes of a name line with its comment
	maxSeq            = 1<<31 - 1
)

// Config says what to read. Only Paths must be set, and FS unless all input is from Stdin.
type Config struct {
	FS    vfs.FS
	Paths []string  // one file, or two of mates; "-" is Stdin
	Stdin io.Reader // never closed here

	Interleaved bool // one file with first and second mates in turn
	Comments    bool // keep what follows the name

	BatchBases     int  // bases after which a batch is full, 0 for 1 Mi
	InFlight       int  // batches that exist, 0 for 8; the reader waits for a Release beyond that
	InflateWorkers int  // per file, at least 1; for BGZF, and from 4 on for plain gzip
	InflateAlone   bool // plain gzip by one goroutine in any case: slower, with less memory

	SkipBad bool        // drop bad records, and mates of such, instead of failing
	OnSkip  func(error) // told of each dropped record, in order, from Run's goroutine; may be nil

	ReadStage, InflateStage, ParseStage *meter.Stage
	Flight                              *meter.Flight // of batches, from the time they are begun to their Release; may be nil
}

var errPaths = errors.New("one input file, or two files of mates, are needed")

// check refuses a configuration that cannot work.
func (c *Config) check() error {
	stdin := 0
	for _, p := range c.Paths {
		if p == "-" {
			stdin++
		}
	}
	switch {
	case len(c.Paths) == 0 || len(c.Paths) > 2:
		return errPaths
	case c.Interleaved && len(c.Paths) != 1:
		return errors.New("interleaved mates come from one file")
	case stdin > 1:
		return errors.New("both mates cannot come from standard input")
	case stdin == 1 && c.Stdin == nil:
		return errors.New("there is no standard input")
	case stdin < len(c.Paths) && c.FS == nil:
		return fmt.Errorf("no file system to open %s with", c.Paths[0])
	}
	return nil
}

// withDefaults fills in what was left zero.
func (c Config) withDefaults() Config {
	if c.BatchBases <= 0 {
		c.BatchBases = defaultBatchBases
	}
	if c.InFlight <= 0 {
		c.InFlight = defaultInFlight
	}
	c.InflateWorkers = max(c.InflateWorkers, 1)
	return c
}

func (c *Config) inflate() inflate.Config {
	return inflate.Config{
		ReadStage: c.ReadStage, InflateStage: c.InflateStage, OutStage: c.ParseStage,
		Workers: c.InflateWorkers, Alone: c.InflateAlone,
	}.WithDefaults()
}

// paired tells whether templates have two reads.
func (c *Config) paired() bool { return c.Interleaved || len(c.Paths) == 2 }

// MemoryBound is the most memory in bytes that a reader of this configuration holds, as long as
// no template has more than BatchBases bases, nor more than as many bytes of names and comments.
// A larger template needs about ten bytes per base more until its batch is released.
func (c Config) MemoryBound() int64 {
	c = c.withDefaults()
	l := limitsOf(c.BatchBases)
	reads := int64(l.templates)
	if c.paired() {
		reads *= 2
	}
	template := int64(3 * c.BatchBases) // sequence, quality, names
	// Lists that grow by doubling or by a quarter may be twice as long as needed.
	perRead := 2 * int64(unsafe.Sizeof(Read{})+unsafe.Sizeof(span{}))
	batch := 2*(int64(l.bytes)+template) + reads*perRead
	in := c.inflate()
	window := 4 * (template + int64(in.ChunkBytes))
	return int64(c.InFlight)*batch + int64(max(len(c.Paths), 1))*(in.MemoryBound()+window)
}
