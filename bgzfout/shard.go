package bgzfout

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"path/filepath"
	"slices"
	"sync"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// ShardSet writes a folder of shards, each a complete indexed BAM: shard-00000.bam,
// shard-00000.bam.bai, ..., manifest.json. Everything has temporary names until Commit. Shards
// are independent: each may be written by its own goroutine. Commit or Abort must be called, when no
// shard is in use any more.
//
// Two files per shard stay open until then, since they are committed together.
type ShardSet struct {
	fs       vfs.FS
	dir      string
	made     bool // dir is ours to remove
	header   []byte
	names    []string
	refLens  []int64
	kind     IndexKind
	cfg      Config
	manifest Manifest
	stale    []string // left over from earlier runs

	mu    sync.Mutex
	files [][]*vfs.Atomic // by shard, then the manifest's: in the order they are committed
	open  map[*ShardFile]struct{}
	err   error // first error
	ended bool  // committed or aborted
}

// ShardFile is one shard. It belongs to one goroutine.
type ShardFile struct {
	set *ShardSet
	n   int
	bam *BAM
	sum hash.Hash // of the file
}

// NewShardSet starts a folder of so many shards in dir, which is made when it is not there. header,
// refLens, kind and cfg are as for [NewBAM], cfg for each shard; header must stay unchanged until the end.
func NewShardSet(fsys vfs.FS, dir string, header []byte, refLens []int64, shards int, kind IndexKind, cfg Config) (*ShardSet, error) {
	names, err := headerNames(header)
	switch {
	case err != nil:
		return nil, err
	case len(names) != len(refLens):
		return nil, fmt.Errorf("shards: header has %d references, not %d", len(names), len(refLens))
	case shards < 1:
		return nil, fmt.Errorf("shards: %d of them", shards)
	}
	if err := checkBAM(header, refLens, kind, cfg); err != nil {
		return nil, fmt.Errorf("shards: %w", err)
	}
	s := &ShardSet{
		fs: fsys, dir: dir, header: header, names: names, refLens: refLens, kind: kind, cfg: cfg,
		manifest: Manifest{SchemaVersion: ManifestVersion, Shards: make([]Shard, shards)},
		files:    make([][]*vfs.Atomic, shards+1), open: map[*ShardFile]struct{}{},
	}
	if s.made, err = openFolder(fsys, dir); err != nil {
		return nil, fmt.Errorf("shards: %w", err)
	}
	return s, nil
}

// Open starts shard n, counted from 0; once for each n. visit, when not nil, takes the place of Config.Visit.
// Goroutines may open shards at the same time.
func (s *ShardSet) Open(n int, visit func(worker int, tag uint64, rec []byte)) (*ShardFile, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	shard := &s.manifest.Shards[n]
	if shard.Name != "" {
		return nil, s.fail(fmt.Errorf("shards: shard %d is opened twice", n))
	}
	shard.Name = ShardName(n)
	f, err := s.create(n, shard.Name)
	if err != nil {
		return nil, err
	}
	cfg := s.cfg
	if visit != nil {
		cfg.Visit = visit
	}
	sf := &ShardFile{set: s, n: n, sum: sha256.New()}
	if sf.bam, err = newBAM(f, s.header, s.refLens, s.kind, cfg, sf.sum); err != nil {
		return nil, s.shardError(n, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[sf] = struct{}{}
	return sf, nil
}

// Add appends one record, as [BAM.AddRecord] does. After an error only Abort makes sense.
func (sf *ShardFile) Add(r Record) error {
	if err := sf.bam.AddRecord(r); err != nil {
		return sf.set.shardError(sf.n, err)
	}
	return nil
}

// Close ends the shard and writes its index.
func (sf *ShardFile) Close() error {
	s, bam := sf.set, sf.bam
	if err := bam.Close(); err != nil {
		return s.shardError(sf.n, err)
	}
	s.mu.Lock()
	delete(s.open, sf)
	s.mu.Unlock()
	shard := &s.manifest.Shards[sf.n]
	shard.Bytes, shard.Records, shard.UnplacedRecords = bam.Bytes(), bam.Records(), bam.unplaced
	shard.First, shard.Last = s.place(bam.first), s.place(bam.last)
	shard.SHA256 = hex.EncodeToString(sf.sum.Sum(nil))
	if s.kind == None {
		return nil
	}
	shard.Index = shard.Name + s.kind.Ext()
	f, err := s.create(sf.n, shard.Index)
	if err != nil {
		return err
	}
	sum := &sumWriter{w: f, sum: sha256.New()}
	if err := bam.WriteIndex(sum); err != nil {
		return s.shardError(sf.n, err)
	}
	shard.IndexBytes, shard.IndexSHA256 = sum.n, hex.EncodeToString(sum.sum.Sum(nil))
	return nil
}

// place is what the manifest says of a record, nil without one.
func (s *ShardSet) place(m *mark) *Place {
	if m == nil {
		return nil
	}
	return &Place{s.names[m.ref], int64(m.beg) + 1}
}

// Commit writes the manifest with readSum (may be empty), makes everything durable, and only then
// gives the files their names, the manifest last. All shards must have been closed. On an error
// nothing of this run is left and what was there before still is.
//
// After success it removes shard files of earlier runs that the manifest does not
// name; [ShardSet.Stale] tells which of them would not go.
func (s *ShardSet) Commit(readSum string) error {
	err := s.usable()
	if err == nil {
		err = s.finish(readSum)
	}
	if err != nil {
		s.Abort(err)
		return err
	}
	s.ended = true
	if err := vfs.Commit(slices.Concat(s.files...)...); err != nil {
		s.removeFolder()
		s.err = fmt.Errorf("shards: %w", err)
		return s.err
	}
	s.stale = removeStale(s.fs, s.dir, &s.manifest)
	return nil
}

// finish writes the manifest under a temporary name.
func (s *ShardSet) finish(readSum string) error {
	s.manifest.Records = 0
	for i := range s.manifest.Shards {
		shard := &s.manifest.Shards[i]
		if shard.SHA256 == "" {
			return s.fail(fmt.Errorf("shards: shard %d was not written", i))
		}
		s.manifest.Records += shard.Records
	}
	s.manifest.ReadSum = readSum
	text, err := s.manifest.encode()
	if err != nil {
		return s.fail(fmt.Errorf("shards: manifest: %w", err))
	}
	f, err := s.create(len(s.manifest.Shards), ManifestName)
	if err != nil {
		return err
	}
	if err := writeAll(f, text); err != nil {
		return s.fail(fmt.Errorf("shards: %s: %w", ManifestName, err))
	}
	return syncParent(s.fs, s.dir, s.made)
}

// Abort removes everything this run made, and the folder when it was made for it. err
// is the reason, or nil. After Commit, or again, it does nothing.
func (s *ShardSet) Abort(err error) {
	if s.ended {
		return
	}
	s.ended = true
	if err == nil {
		err = ErrAborted
	}
	s.fail(err)
	for sf := range s.open {
		sf.bam.Abort(err)
	}
	for _, f := range slices.Concat(s.files...) {
		f.Abort() // best effort: the reason for stopping is what the caller needs
	}
	s.removeFolder()
}

// Extra makes one more file in the folder, which Commit names with the others, before the manifest.
func (s *ShardSet) Extra(name string) (*vfs.Atomic, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	return s.create(len(s.manifest.Shards), name)
}

// Err returns the first error. Any goroutine may ask.
func (s *ShardSet) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Stale returns the shard files of earlier runs that Commit could not remove.
func (s *ShardSet) Stale() []string { return s.stale }

// Manifest returns what was written; complete after Commit.
func (s *ShardSet) Manifest() *Manifest { return &s.manifest }

func (s *ShardSet) usable() error {
	if err := s.Err(); err != nil {
		return err
	}
	if s.ended {
		return ErrClosed
	}
	return nil
}

// fail keeps the first error.
func (s *ShardSet) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	return err
}

func (s *ShardSet) shardError(n int, err error) error {
	return s.fail(fmt.Errorf("shards: %s: %w", s.manifest.Shards[n].Name, err))
}

// create makes a file of one shard, or the manifest.
func (s *ShardSet) create(n int, name string) (*vfs.Atomic, error) {
	f, err := vfs.CreateAtomic(s.fs, filepath.Join(s.dir, name))
	if err != nil {
		return nil, s.fail(fmt.Errorf("shards: %s: %w", name, err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[n] = append(s.files[n], f)
	return f, nil
}

// removeFolder removes the folder if it was made here. Where something else has been put
// into it since, it stays.
func (s *ShardSet) removeFolder() {
	if s.made && s.fs.Remove(s.dir) != nil {
		s.fs.Remove(s.dir) // once more, as for the files
	}
}

// sumWriter hashes and counts what goes through it.
type sumWriter struct {
	w   io.Writer
	sum hash.Hash
	n   int64
}

func (s *sumWriter) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.sum.Write(p[:n])
	s.n += int64(n)
	return n, err
}

// ShardName is the file of a shard in its folder. Shards count from 0.
func ShardName(n int) string { return fmt.Sprintf("shard-%05d.bam", n) }
