package markdup

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"sync/atomic"

	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// OrdShift is how records are numbered: the template above, then one bit for the read of it, then
// the record of that read, 0 for the primary one. It is the mapper's numbering.
const OrdShift = 8

// Config is one run. All fields but OpticalDistance are required.
type Config struct {
	FS       vfs.FS
	Dir      string // the run's private temporary folder
	MemBytes int64  // all but the decisions themselves, at least MinMem; see BitsBytes
	Workers  int    // writers, and goroutines of Decide
	// OpticalDistance is in the pixels of read names: duplicates as near as this on both axes of
	// one tile are optical, as with samtools markdup -d. 0: none are looked for.
	OpticalDistance int
	Stage           *meter.Stage // of the goroutines of Decide; may be nil
}

// Marker collects the signatures of a run. Close it in any case.
type Marker struct {
	cfg     Config
	tune    tuning
	shares  shares
	names   *names
	writers []*Writer
	found   []*store // ends that Decide finds, by its goroutines
	memory  memory
	files   atomic.Int64
	// partShift leaves the bits of a hash that name its partition: the highest ones.
	partShift int
	spilled   atomic.Int64 // bytes
}

// New makes a Marker. It fails with a *MemoryError where Config.MemBytes is too little.
func New(cfg Config) (*Marker, error) { return newMarker(cfg, standard) }

func newMarker(cfg Config, tune tuning) (*Marker, error) {
	if cfg.Workers < 1 || cfg.OpticalDistance < 0 {
		return nil, fmt.Errorf("markdup: %d workers, optical distance %d", cfg.Workers, cfg.OpticalDistance)
	}
	if least := tune.minMem(cfg.Workers); cfg.MemBytes < least {
		return nil, &MemoryError{Have: cfg.MemBytes, Least: least}
	}
	m := &Marker{cfg: cfg, tune: tune, shares: tune.divide(cfg.Workers, cfg.MemBytes), names: newNames()}
	m.partShift = 64 - bits.TrailingZeros(uint(tune.parts))
	for range cfg.Workers {
		s, err := m.newStore(m.shares.arena)
		if err != nil {
			return nil, errors.Join(err, m.Close())
		}
		m.writers = append(m.writers, &Writer{store: s, names: nameCutter{names: m.names}, low: math.MaxUint64})
	}
	return m, nil
}

func (m *Marker) newStore(arena int64) (*store, error) {
	b, err := m.memory.alloc(arena + int64(m.tune.out))
	if err != nil {
		return nil, err
	}
	return &store{m: m, arena: b[:arena:arena], out: b[arena:], starts: make([]uint32, 2*m.tune.parts+1), spilled: make([]int64, 2*m.tune.parts)}, nil
}

// Writer is worker i's, from 0 to Config.Workers-1.
func (m *Marker) Writer(i int) *Writer { return m.writers[i] }

// SpilledBytes is what was written to files so far.
func (m *Marker) SpilledBytes() int64 { return m.spilled.Load() }

// Close gives back memory and files. What Decide returned stays valid. It may be called again.
func (m *Marker) Close() error {
	stores := m.found
	for _, w := range m.writers {
		stores = append(stores, w.store)
	}
	var errs []error
	for _, s := range stores {
		errs = append(errs, s.remove())
	}
	m.writers, m.found = nil, nil
	return errors.Join(append(errs, m.memory.release())...)
}

// remove closes the file of a store and takes it away.
func (s *store) remove() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return errors.Join(f.Close(), s.m.cfg.FS.Remove(f.Name()))
}

// partition is where a signature belongs: pairs first, then what concerns single reads.
func (m *Marker) partition(s signature) int {
	p := int(s.hash() >> m.partShift)
	if s.kind() != kindPair {
		p += m.tune.parts
	}
	return p
}

// Writer takes the records of one mapper. It is for one goroutine.
type Writer struct {
	store     *store
	names     nameCutter
	counts    counts
	held      read   // the first read of a pair whose other is yet to come
	holds     uint64 // its template, plus one; 0: none is held
	low, high uint64 // the least and the largest template
}

// counts are of records.
type counts struct {
	paired, single, nonPrimary, unmapped int64
	failed                               int64 // of the mapped primary ones, those left out for their quality
}

// Add takes a record without block_size, and its ordinal (see OrdShift; templates below
// MaxTemplates). Both mates of a pair go to one Writer, with no other primary record between them.
func (w *Writer) Add(ctx context.Context, ord uint64, rec []byte) error {
	flag := bamrec.Flag(rec)
	template := ord >> OrdShift
	w.low, w.high = min(w.low, template), max(w.high, template)
	switch {
	case flag&(bamrec.FlagSecondary|bamrec.FlagSupplementary) != 0:
		w.counts.nonPrimary++
	case flag&bamrec.FlagUnmapped != 0:
		w.counts.unmapped++
	case flag&bamrec.FlagPaired != 0 && flag&flagMateUnmapped == 0:
		return w.addMate(ctx, ord, rec)
	default:
		return w.addSingle(ctx, ord, rec)
	}
	return nil
}

// readBit is the bit of a signature's flags for the read of an ordinal.
func readBit(ord uint64) byte { return 1 << (ord >> (OrdShift - 1) & 1) }

func (w *Writer) addSingle(ctx context.Context, ord uint64, rec []byte) error {
	r := parse(rec)
	if r.fails {
		w.counts.failed++
		return nil
	}
	w.counts.single++
	sig, err := w.store.reserve(ctx, singleSize)
	if err != nil {
		return err
	}
	sig.putSingle(&r, readBit(ord), ord>>OrdShift)
	return nil
}

// addMate holds the first mate, and enters the pair with the second.
func (w *Writer) addMate(ctx context.Context, ord uint64, rec []byte) error {
	template := ord >> OrdShift
	r := parse(rec)
	if readBit(ord) == 1 {
		w.held, w.holds = r, template+1
		return nil
	}
	if w.holds != template+1 {
		return fmt.Errorf("markdup: template %d: the second mate came without the first (bug)", template)
	}
	w.holds = 0
	return w.addPair(ctx, template, &w.held, &r, bamrec.Name(rec))
}

func (w *Writer) addPair(ctx context.Context, template uint64, a, b *read, name []byte) error {
	if a.fails || b.fails {
		w.counts.failed += 2
		return nil
	}
	w.counts.paired += 2
	ka, kb := keyOf(a, b), keyOf(b, a)
	if a.reverse != b.reverse && mirrored(ka, kb) {
		if kb.tag&leftMost != 0 {
			ka = kb
		}
		return w.putPair(ctx, ka, 3, a.score+b.score, template, name)
	}
	if err := w.putRecord(ctx, a, ka, 1, a.score+b.score, template, name); err != nil {
		return err
	}
	return w.putRecord(ctx, b, kb, 2, a.score+b.score, template, name)
}

// putRecord enters one record of a pair where one signature does not do for both.
func (w *Writer) putRecord(ctx context.Context, r *read, k pairKey, reads byte, score uint32, template uint64, name []byte) error {
	if err := w.putPair(ctx, k, reads, score, template, name); err != nil {
		return err
	}
	return w.store.putEnd(ctx, place(r.ref, r.five()), r.reverse)
}

func (w *Writer) putPair(ctx context.Context, k pairKey, reads byte, score uint32, template uint64, name []byte) error {
	prefix, rest := w.names.cut(name)
	sig, err := w.store.reserve(ctx, pairFixed+len(rest))
	if err != nil {
		return err
	}
	sig.putPair(k, reads, score, template, prefix, rest)
	return nil
}

// putEnd enters the 5' end of a paired read, for single reads to meet.
func (s *store) putEnd(ctx context.Context, five uint64, reverse bool) error {
	sig, err := s.reserve(ctx, endSize)
	if err == nil {
		sig.putEnd(kindEnd, five, reverse)
	}
	return err
}
