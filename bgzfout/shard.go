package bgzfout

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path/filepath"
	"slices"

	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// ShardSet writes a folder of coordinate ranges, each a complete indexed BAM:
// shard-00000.bam, shard-00000.bam.bai, ..., manifest.json. Everything has temporary
// names until Commit. One goroutine may use it at a time. Commit or Abort must be called.
//
// Two files per shard stay open until then, since they are committed together.
type ShardSet struct {
	fs       vfs.FS
	dir      string
	made     bool // dir is ours to remove
	header   []byte
	names    []string
	refLens  []int64
	cuts     []uint64
	kind     IndexKind
	cfg      Config
	manifest Manifest

	files []*vfs.Atomic // in the order they are committed
	cur   *BAM          // nil before the first shard and when failed
	sum   hash.Hash     // of cur's file
	last  uint64        // key of the last record
	err   error         // first error
	ended bool          // committed or aborted
	stale []string      // left over from earlier runs
}

// NewShardSet starts the shards in dir, which is made when it is not there. Shard i
// holds the keys k with cuts[i-1] <= k < cuts[i]; a cut is the first key of a shard,
// cuts ascend, and there is one shard more than cuts, empty ones included. header,
// refLens, kind and cfg are as for [NewBAM]; header must stay unchanged until the end.
func NewShardSet(fsys vfs.FS, dir string, header []byte, refLens []int64, cuts []uint64, kind IndexKind, cfg Config) (*ShardSet, error) {
	names, err := headerNames(header)
	switch {
	case err != nil:
		return nil, err
	case len(names) != len(refLens):
		return nil, fmt.Errorf("shards: header has %d references, not %d", len(names), len(refLens))
	case !slices.IsSorted(cuts):
		return nil, errors.New("shards: cuts are not in order")
	}
	s := &ShardSet{
		fs: fsys, dir: dir, header: header, names: names, refLens: refLens, cuts: cuts,
		kind: kind, cfg: cfg, manifest: Manifest{SchemaVersion: ManifestVersion, Shards: []Shard{}},
	}
	if s.made, err = openFolder(fsys, dir); err != nil {
		return nil, fmt.Errorf("shards: %w", err)
	}
	if err := s.startShard(); err != nil {
		s.Abort(err)
		return nil, err
	}
	return s, nil
}

// Add appends one record with block_size to the shard that key belongs to. Keys must
// not descend; those of records without a place are above all cuts. After an error
// only Abort makes sense.
func (s *ShardSet) Add(key uint64, rec []byte) error {
	if err := s.usable(); err != nil {
		return err
	}
	if key < s.last {
		return s.fail(fmt.Errorf("shards: %w", ErrOrder))
	}
	s.last = key
	for n := len(s.manifest.Shards) - 1; n < len(s.cuts) && key >= s.cuts[n]; n++ {
		if err := s.nextShard(); err != nil {
			return err
		}
	}
	if err := s.cur.Add(rec); err != nil {
		return s.fail(s.shardError(err))
	}
	s.notePlace(rec[4:])
	return nil
}

// notePlace keeps the first and the last place of the shard, without allocating per
// record.
func (s *ShardSet) notePlace(body []byte) {
	ref := bamrec.Ref(body)
	if ref < 0 {
		return
	}
	shard := s.shard()
	if shard.First == nil {
		shard.First, shard.Last = &Place{}, &Place{}
		*shard.First = Place{s.names[ref], int64(bamrec.Pos(body)) + 1}
	}
	*shard.Last = Place{s.names[ref], int64(bamrec.Pos(body)) + 1}
}

// Commit ends the last shards, writes the manifest with readSum (may be empty), makes
// everything durable, and only then gives the files their names, the manifest last.
// On an error nothing of this run is left and what was there before still is.
//
// After success it removes shard files of earlier runs that the manifest does not
// name; [ShardSet.Stale] tells which of them would not go.
func (s *ShardSet) Commit(readSum string) error {
	if err := s.usable(); err != nil {
		s.Abort(err)
		return err
	}
	if err := s.finish(readSum); err != nil {
		s.Abort(err)
		return err
	}
	s.ended = true
	if err := vfs.Commit(s.files...); err != nil {
		s.removeFolder()
		s.err = fmt.Errorf("shards: %w", err)
		return s.err
	}
	s.stale = removeStale(s.fs, s.dir, &s.manifest)
	return nil
}

// finish writes all that is still missing, under temporary names.
func (s *ShardSet) finish(readSum string) error {
	for len(s.manifest.Shards) <= len(s.cuts) {
		if err := s.nextShard(); err != nil {
			return err
		}
	}
	if err := s.endShard(); err != nil {
		return err
	}
	for i := range s.manifest.Shards {
		s.manifest.Records += s.manifest.Shards[i].Records
	}
	s.manifest.ReadSum = readSum
	text, err := s.manifest.encode()
	if err != nil {
		return s.fail(fmt.Errorf("shards: manifest: %w", err))
	}
	f, err := s.create(ManifestName)
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
	if s.cur != nil {
		s.cur.Abort(err)
	}
	for _, f := range s.files {
		f.Abort() // best effort: the reason for stopping is what the caller needs
	}
	s.removeFolder()
}

// Err returns the first error. The goroutine that adds may ask.
func (s *ShardSet) Err() error { return s.err }

// Stale returns the shard files of earlier runs that Commit could not remove.
func (s *ShardSet) Stale() []string { return s.stale }

// Manifest returns what was written; complete after Commit.
func (s *ShardSet) Manifest() *Manifest { return &s.manifest }

// shard is the entry of the shard being written.
func (s *ShardSet) shard() *Shard { return &s.manifest.Shards[len(s.manifest.Shards)-1] }

func (s *ShardSet) usable() error {
	if s.err != nil {
		return s.err
	}
	if s.ended {
		return ErrClosed
	}
	return nil
}

func (s *ShardSet) fail(err error) error {
	if s.err == nil {
		s.err = err
	}
	return err
}

func (s *ShardSet) shardError(err error) error {
	return fmt.Errorf("shards: %s: %w", s.shard().Name, err)
}

func (s *ShardSet) nextShard() error {
	if err := s.endShard(); err != nil {
		return err
	}
	return s.startShard()
}

func (s *ShardSet) startShard() error {
	name := fmt.Sprintf("shard-%05d.bam", len(s.manifest.Shards))
	f, err := s.create(name)
	if err != nil {
		return err
	}
	s.manifest.Shards = append(s.manifest.Shards, Shard{Name: name})
	s.sum = sha256.New()
	s.cur, err = newBAM(f, s.header, s.refLens, s.kind, s.cfg, s.sum)
	if err != nil {
		return s.fail(s.shardError(err))
	}
	return nil
}

// endShard closes the current shard and writes its index.
func (s *ShardSet) endShard() error {
	bam, shard := s.cur, s.shard()
	s.cur = nil
	if err := bam.Close(); err != nil {
		return s.fail(s.shardError(err))
	}
	shard.Bytes, shard.Records, shard.UnplacedRecords = bam.Bytes(), bam.Records(), bam.unplaced
	shard.SHA256 = hex.EncodeToString(s.sum.Sum(nil))
	if s.kind == None {
		return nil
	}
	shard.Index = shard.Name + s.kind.Ext()
	f, err := s.create(shard.Index)
	if err != nil {
		return err
	}
	sum := &sumWriter{w: f, sum: sha256.New()}
	if err := bam.WriteIndex(sum); err != nil {
		return s.fail(s.shardError(err))
	}
	shard.IndexBytes, shard.IndexSHA256 = sum.n, hex.EncodeToString(sum.sum.Sum(nil))
	return nil
}

func (s *ShardSet) create(name string) (*vfs.Atomic, error) {
	f, err := vfs.CreateAtomic(s.fs, filepath.Join(s.dir, name))
	if err != nil {
		return nil, s.fail(fmt.Errorf("shards: %s: %w", name, err))
	}
	s.files = append(s.files, f)
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
