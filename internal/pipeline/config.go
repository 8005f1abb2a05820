package pipeline

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/alignpipe/alignpipe/internal/host"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/mapper"
	"github.com/alignpipe/alignpipe/sorter"
)

// Format is the kind of the output file.
type Format int

// The formats.
const (
	FormatAuto Format = iota // by the ending of the name; BAM for a stream
	FormatBAM
	FormatSAM
)

// IndexChoice says which index is written beside a BAM.
type IndexChoice int

// The choices.
const (
	IndexAuto IndexChoice = iota // BAI, or CSI where a reference is too long for BAI; none for SAM, streams and --sort none
	IndexBAI
	IndexCSI
	IndexNone
)

// SortOrder is the order of the records in the output.
type SortOrder int

// The orders.
const (
	SortCoordinate SortOrder = iota
	SortName                 // by read name, as samtools sort -n
	SortNone                 // as the reads come: all records of a template together
)

var sortNames = [...]string{"coordinate", "name", "none"}

// order is what the sorter is to do, where there is one.
func (o SortOrder) order() sorter.Order {
	if o == SortName {
		return sorter.Name
	}
	return sorter.Coordinate
}

// Stdio is the name that stands for standard input or output.
const Stdio = "-"

// Orientations are the words for how mates face each other.
func Orientations() map[string]mapper.Orientation {
	return map[string]mapper.Orientation{"fr": mapper.FR, "rf": mapper.RF, "ff": mapper.FF}
}

// Config is one run of align. The zero values of optional fields are the defaults.
type Config struct {
	FS     vfs.FS // nil: the real file system
	Stdin  io.Reader
	Stdout io.Writer
	Log    *slog.Logger // nil: silence

	Ref         string   // FASTA, plain or gzip, or an .apx index
	Reads       []string // one or two FASTQ files; "-" is Stdin
	Interleaved bool     // one file holds both mates
	Comments    bool     // comments become tags
	SkipBad     bool     // bad records are counted, not fatal
	Orientation mapper.Orientation

	Output          string
	Format          Format
	Sort            SortOrder
	MarkDuplicates  bool // sets flag 0x400
	OpticalDistance int  // in pixels; 0: optical duplicates are not told from others

	Shards    int // 0: one file; N: a folder of N BAM files
	Level     int // BGZF level, 0 to 9
	Index     IndexChoice
	Threads   int    // for everything; 0: host.Threads
	Memory    int64  // bytes for the whole program; 0: 80 % of host.MemoryLimit
	TempDir   string // parent of the private temporary folder; empty: os.TempDir
	ReadGroup ReadGroup
	Version   string // of the program, for @PG
	Tuning    Tuning
}

func (c *Config) paired() bool { return c.Interleaved || len(c.Reads) == 2 }

// normalise fills defaults and refuses what cannot be meant. It touches no file but
// the output's name.
func (c *Config) normalise() error {
	if c.FS == nil {
		c.FS = vfs.OS
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Threads == 0 {
		c.Threads = host.Threads()
	}
	if err := c.checkInput(); err != nil {
		return err
	}
	return c.checkOutput()
}

func (c *Config) checkInput() error {
	switch {
	case len(c.Reads) == 0 || len(c.Reads) > 2:
		return Misuse("", "give one or two files of reads, not %d", len(c.Reads))
	case c.Interleaved && len(c.Reads) == 2:
		return Misuse("", "--interleaved takes one file of reads, not two")
	case len(c.Reads) == 2 && c.Reads[0] == c.Reads[1]:
		return Misuse("--interleaved takes both mates from one file", "both mates are to come from %s", c.Reads[0])
	case c.Threads < 0:
		return Misuse("", "%d threads cannot work", c.Threads)
	}
	return nil
}

func (c *Config) checkOutput() error {
	if c.Output == "" {
		return Misuse("-o out.bam writes a file, -o - standard output", "no output was given")
	}
	if c.Level < 0 || c.Level > 9 {
		return Misuse("", "level %d is not between 0 and 9", c.Level)
	}
	if c.Shards < 0 {
		return Misuse("", "%d shards cannot be written", c.Shards)
	}
	if c.Format == FormatAuto {
		c.Format = FormatBAM
		if strings.EqualFold(filepath.Ext(c.Output), ".sam") {
			c.Format = FormatSAM
		}
	}
	if c.Shards == 0 && c.Output != Stdio {
		if info, err := c.FS.Stat(c.Output); err == nil && info.IsDir() {
			return Misuse("--shards N writes into a folder", "output %s is a folder", c.Output)
		}
	}
	stream := c.streams()
	switch {
	case c.MarkDuplicates && c.Sort == SortNone:
		return Misuse("sort by coordinate or by name", "duplicates are known when all reads are mapped; --sort none writes before")
	case c.OpticalDistance < 0:
		return Misuse("", "an optical distance of %d", c.OpticalDistance)
	case c.OpticalDistance > 0 && !c.MarkDuplicates:
		return Misuse("", "--optical-distance goes with --mark-duplicates")
	case c.Sort != SortCoordinate && c.Shards > 0:
		return Misuse("leave one of the two out", "shards are coordinate ranges; other orders have none")
	case c.Sort != SortCoordinate && (c.Index == IndexBAI || c.Index == IndexCSI):
		return Misuse("leave --index out, or sort by coordinate", "records in another order than by coordinate cannot have an index")
	case c.Shards > 0 && stream:
		return Misuse("", "shards need a folder, not the stream %s", c.Output)
	case c.Shards > 0 && c.Format == FormatSAM:
		return Misuse("", "shards are BAM files; they cannot be SAM")
	case stream && (c.Index == IndexBAI || c.Index == IndexCSI):
		return Misuse("", "the stream %s cannot have an index", c.Output)
	case c.Format == FormatSAM && (c.Index == IndexBAI || c.Index == IndexCSI):
		return Misuse("write .bam to have an index", "a SAM file cannot have an index")
	}
	return nil
}

// streams tells whether the output is written in place, as it comes.
func (c *Config) streams() bool {
	return c.Output == Stdio || c.Shards == 0 && vfs.IsStream(c.FS, c.Output)
}

// tempParent is the folder of the private temporary folder.
func (c *Config) tempParent() string {
	if c.TempDir == "" {
		return os.TempDir()
	}
	return c.TempDir
}
