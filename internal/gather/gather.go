package gather

import (
	"context"
	"fmt"
	"io"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/sorter"
)

// Stdout is the name of an output that stands for Config.Stdout.
const Stdout = "-"

// Config is one call of Run.
type Config struct {
	FS     vfs.FS
	Stdout io.Writer // for the output Stdout

	Parts  []string // BAM files, or folders of shards with their manifest; their order breaks ties
	Output string
	Index  IndexChoice
	Level  int // of BGZF for what is merged; copied blocks stay as they are

	Threads int    // at least 1
	Memory  int64  // bytes for the whole program
	TempDir string // parent of the private folder that a merge in several passes takes
	MaxOpen int    // files that may be open at once; 0: no limit but memory
}

// IndexChoice says which index is written beside the output.
type IndexChoice int

// The choices.
const (
	IndexAuto IndexChoice = iota // BAI, or CSI where a reference is too long for BAI; none for a stream
	IndexBAI
	IndexCSI
	IndexNone
)

// Result is what was done.
type Result struct {
	Parts   int
	Records int64
	Bytes   int64 // of the output
	Copied  bool  // blocks were copied; else records were merged
	Scanned int   // parts that had no index to believe, and were read to make one
	Passes  int   // of a merge; 0 where blocks were copied
}

// run is the state of one call.
type run struct {
	cfg    Config
	pool   *pool
	header header
	kind   bgzfout.IndexKind // of the indexes that are read and made; never None
	parts  []*part           // in the order given
	result Result
}

// Run joins the parts. The output is whole, durable and under its name when the error is nil;
// otherwise nothing of it is left, and what was there before still is. Errors are wrapped in an
// [*Error] where their class is known.
func Run(ctx context.Context, cfg Config) (Result, error) {
	cfg.Threads = max(cfg.Threads, 1)
	r := &run{cfg: cfg, pool: newPool(cfg.Threads)}
	defer r.pool.stop()
	defer func() { closeAll(r.parts) }()
	if err := r.checkCall(); err != nil {
		return r.result, err
	}
	if err := r.openParts(ctx); err != nil {
		return r.result, err
	}
	kind, err := r.chooseIndex()
	if err != nil {
		return r.result, err
	}
	out, err := r.openOutput(kind)
	if err != nil {
		return r.result, err
	}
	defer out.abort()
	inOrder, disjoint, err := r.disjoint(ctx)
	if err != nil {
		return r.result, err
	}
	if disjoint {
		err = r.copyParts(ctx, out, inOrder)
	} else {
		err = r.mergeParts(ctx, out)
	}
	if err != nil {
		return r.result, err
	}
	return r.result, out.commit()
}

// openParts opens the parts one after the other and joins their headers.
func (r *run) openParts(ctx context.Context) error {
	files, err := r.expand()
	if err != nil {
		return err
	}
	for i, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := r.openPart(f)
		if err != nil {
			return err
		}
		p.given = i
		r.parts = append(r.parts, p)
	}
	r.result.Parts = len(r.parts)
	return nil
}

// chooseIndex tells which index to write, and which to work with.
func (r *run) chooseIndex() (bgzfout.IndexKind, error) {
	fits := bgzfout.BAIPossible(r.header.lens)
	r.kind = bgzfout.BAI
	if !fits || r.cfg.Index == IndexCSI {
		r.kind = bgzfout.CSI
	}
	switch {
	case r.cfg.Index == IndexBAI && !fits:
		return 0, misuse("leave --index out, or say --index csi", "a reference is too long for a bai index")
	case r.cfg.Index == IndexNone, r.streams():
		return bgzfout.None, nil
	}
	return r.kind, nil
}

// disjoint puts the parts into the order of their records, and tells whether they can follow each
// other like that. It looks for the end of a part only up to the beginning of the next one.
func (r *run) disjoint(ctx context.Context) (inOrder []*part, ok bool, err error) {
	inOrder = byFirstKey(r.parts)
	for i, p := range inOrder {
		limit := bound{key: sorter.Unplaced, tie: true}
		if i+1 < len(inOrder) {
			// Records at the key where the next part begins may stand before it when
			// ties go that way.
			limit = bound{key: inOrder[i+1].first, tie: p.given < inOrder[i+1].given}
		}
		if ok, err = r.endsWithin(ctx, p, limit); err != nil || !ok {
			return nil, false, err
		}
	}
	return inOrder, true, nil
}

// bound is the last key that a part may have, and with tie false the first that it may not.
type bound struct {
	key sorter.Key
	tie bool
}

func (b bound) allows(k sorter.Key) bool { return k < b.key || b.tie && k == b.key }

func (r *run) streams() bool {
	return r.cfg.Output == Stdout || vfs.IsStream(r.cfg.FS, r.cfg.Output)
}

// checkCall refuses what cannot be meant, before any part is read.
func (r *run) checkCall() error {
	cfg := &r.cfg
	switch {
	case cfg.Output == "":
		return misuse("-o out.bam writes a file, -o - standard output", "no output was given")
	case len(cfg.Parts) == 0:
		return misuse("alignpipe help gather", "no parts were given")
	case cfg.Level < 0 || cfg.Level > 9:
		return misuse("", "level %d is not between 0 and 9", cfg.Level)
	case r.streams() && (cfg.Index == IndexBAI || cfg.Index == IndexCSI):
		return misuse("", "the stream %s cannot have an index", cfg.Output)
	}
	if cfg.Output != Stdout {
		if info, err := cfg.FS.Stat(cfg.Output); err == nil && info.IsDir() {
			return misuse("name a file, as -o out.bam", "output %s is a folder", cfg.Output)
		}
	}
	return nil
}

func closeAll(parts []*part) {
	for _, p := range parts {
		p.close() // read only: nothing to lose
	}
}

// describe names a part in an error.
func describe(path, format string, args ...any) error {
	return fmt.Errorf("%s: %w", path, fmt.Errorf(format, args...))
}
