package bgzfout

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/biogo/hts/bam"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/internal/vfs/faultfs"
)

// evenCuts returns n-1 keys that cut recs into n parts of about one size.
func evenCuts(recs []testRec, n int) (cuts []uint64) {
	for i := 1; i < n; i++ {
		cuts = append(cuts, recs[len(recs)*i/n].key)
	}
	return cuts
}

// writeShards does a whole run, one shard after the other so that faults hit the same operation each time.
func writeShards(fsys vfs.FS, dir string, recs []testRec, cuts []uint64, kind IndexKind, cfg Config) (*ShardSet, error) {
	s, err := NewShardSet(fsys, dir, testHeader(testRefs), testRefs, len(cuts)+1, kind, cfg)
	if err != nil {
		return nil, err
	}
	for n := range len(cuts) + 1 {
		if err := writeShard(s, n, partOf(recs, cuts, n)); err != nil {
			s.Abort(err)
			return s, err
		}
	}
	return s, s.Commit("3:00ff")
}

func writeShard(s *ShardSet, n int, recs []testRec) error {
	f, err := s.Open(n, nil)
	if err != nil {
		return err
	}
	for _, r := range recs {
		if err := f.Add(Record{Data: r.data}); err != nil {
			return err
		}
	}
	return f.Close()
}

// partOf returns the records from cut n-1 to below cut n.
func partOf(recs []testRec, cuts []uint64, n int) (part []testRec) {
	for _, r := range recs {
		if (n == 0 || r.key >= cuts[n-1]) && (n == len(cuts) || r.key < cuts[n]) {
			part = append(part, r)
		}
	}
	return part
}

// TestShardsSideBySide: who writes which shard when does not matter.
func TestShardsSideBySide(t *testing.T) {
	recs := randomRecords(61, testRefs, 2000)
	cuts := evenCuts(recs, 6)
	one, many := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "many")
	mustWriteShards(t, one, recs, cuts, BAI)
	s, err := NewShardSet(vfs.OS, many, testHeader(testRefs), testRefs, len(cuts)+1, BAI, Config{})
	if err != nil {
		t.Fatal(err)
	}
	var g errgroup.Group
	for n := range len(cuts) + 1 {
		g.Go(func() error { return writeShard(s, n, partOf(recs, cuts, n)) })
	}
	if err := errors.Join(g.Wait(), s.Commit("3:00ff")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(folder(t, one), folder(t, many)); diff != "" {
		t.Errorf("(-one by one, +side by side)\n%s", diff)
	}
}

func mustWriteShards(t *testing.T, dir string, recs []testRec, cuts []uint64, kind IndexKind) *ShardSet {
	t.Helper()
	s, err := writeShards(vfs.OS, dir, recs, cuts, kind, Config{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// folder returns what is in dir, by name; nil where there is no dir.
func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(data)
	}
	return files
}

// payloadOf returns the records of a BAM, encoded, after checking that biogo reads it.
func payloadOf(t *testing.T, file []byte) []byte {
	t.Helper()
	r, err := bam.NewReader(bytes.NewReader(file), 1)
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := r.Read(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.HasSuffix(file, eofBlock) {
		t.Error("no EOF block")
	}
	return bytes.TrimPrefix(gunzip(t, file), testHeader(testRefs))
}

// The shards hold the records of the single file in its order, whatever their number.
func TestShardsHoldTheSameRecords(t *testing.T) {
	recs := randomRecords(51, testRefs, 3000)
	var want []byte
	for _, r := range recs {
		want = append(want, r.data...)
	}
	for _, n := range []int{1, 2, 13} {
		dir := filepath.Join(t.TempDir(), "out")
		mustWriteShards(t, dir, recs, evenCuts(recs, n), BAI)
		files := folder(t, dir)
		m, err := ParseManifest([]byte(files[ManifestName]))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != 2*n+1 || len(m.Shards) != n || m.Records != int64(len(recs)) || m.ReadSum != "3:00ff" {
			t.Errorf("n=%d: %d files, manifest %+v", n, len(files), m)
		}
		var got []byte
		for i, s := range m.Shards {
			file := []byte(files[s.Name])
			got = append(got, payloadOf(t, file)...)
			checkShard(t, s, files)
			if i < n-1 && s.UnplacedRecords != 0 {
				t.Errorf("n=%d: shard %d has records without a place", n, i)
			}
		}
		if !bytes.Equal(got, want) {
			t.Errorf("n=%d: other records, or another order", n)
		}
	}
}

func checkShard(t *testing.T, s Shard, files map[string]string) {
	t.Helper()
	sum := func(name string) string {
		h := sha256.Sum256([]byte(files[name]))
		return hex.EncodeToString(h[:])
	}
	if s.Bytes != int64(len(files[s.Name])) || s.SHA256 != sum(s.Name) {
		t.Errorf("%s: manifest tells another size or checksum", s.Name)
	}
	if s.IndexBytes != int64(len(files[s.Index])) || s.IndexSHA256 != sum(s.Index) {
		t.Errorf("%s: manifest tells another size or checksum", s.Index)
	}
}

func TestShardManifest(t *testing.T) {
	recs := randomRecords(52, testRefs, 500)
	firstUnplaced := slices.IndexFunc(recs, func(r testRec) bool { return r.key == ^uint64(0) })
	cuts := []uint64{0, recs[200].key, recs[200].key, ^uint64(0)}
	dir := t.TempDir()
	s := mustWriteShards(t, dir, recs, cuts, CSI)
	shards := s.Manifest().Shards
	at := func(key uint64) *Place {
		return &Place{"chr" + strconv.Itoa(int(key>>32)+1), int64(uint32(key)>>1) + 1}
	}
	from := slices.IndexFunc(recs, func(r testRec) bool { return r.key == recs[200].key })
	want := []Shard{
		{Name: "shard-00000.bam"},
		{Name: "shard-00001.bam", Records: int64(from), First: at(recs[0].key), Last: at(recs[from-1].key)},
		{Name: "shard-00002.bam"},
		{Name: "shard-00003.bam", Records: int64(firstUnplaced - from), First: at(recs[from].key), Last: at(recs[firstUnplaced-1].key)},
		{Name: "shard-00004.bam", Records: int64(500 - firstUnplaced), UnplacedRecords: int64(500 - firstUnplaced)},
	}
	for i := range want {
		want[i].Index = want[i].Name + ".csi"
		want[i].Bytes, want[i].SHA256 = shards[i].Bytes, shards[i].SHA256
		want[i].IndexBytes, want[i].IndexSHA256 = shards[i].IndexBytes, shards[i].IndexSHA256
	}
	if diff := cmp.Diff(want, shards); diff != "" {
		t.Errorf("shards (-want +got):\n%s", diff)
	}
	if _, err := ParseManifest([]byte(`{"schema_version": 2}`)); err == nil {
		t.Error("an unknown version was taken")
	}
	if _, err := ParseManifest([]byte(`{`)); err == nil {
		t.Error("half a manifest was taken")
	}
}

func TestShardsAreGoodForSamtools(t *testing.T) {
	needSamtools(t)
	recs := randomRecords(53, testRefs, 2000)
	dir := t.TempDir()
	s := mustWriteShards(t, dir, recs, evenCuts(recs, 3), BAI)
	rest := recs
	for _, shard := range s.Manifest().Shards {
		path := filepath.Join(dir, shard.Name)
		samtools(t, "quickcheck", path)
		checkIdxstats(t, samtools(t, "idxstats", path), testRefs, rest[:shard.Records])
		rest = rest[shard.Records:]
	}
}

// A folder of an earlier run is overwritten, and its extra shards and indexes go; files of
// others stay.
func TestShardsReplaceEarlierRun(t *testing.T) {
	recs := randomRecords(54, testRefs, 400)
	dir := t.TempDir()
	mustWriteShards(t, dir, recs, evenCuts(recs, 5), BAI)
	os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("mine"), 0o600)
	os.WriteFile(filepath.Join(dir, "shard-1.bam"), []byte("mine"), 0o600)
	s := mustWriteShards(t, dir, recs, evenCuts(recs, 2), CSI)
	if len(s.Stale()) != 0 {
		t.Errorf("Stale = %v", s.Stale())
	}
	var names []string
	for name := range folder(t, dir) {
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{"manifest.json", "notes.txt", "shard-00000.bam", "shard-00000.bam.csi", "shard-00001.bam", "shard-00001.bam.csi", "shard-1.bam"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestShardsReapDeadRuns(t *testing.T) {
	recs := randomRecords(55, testRefs, 10)
	dir := t.TempDir()
	f, err := vfs.CreateAtomic(vfs.OS, filepath.Join(dir, "shard-00007.bam"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abort()
	var living string
	for name := range folder(t, dir) {
		living = name
	}
	pid := strconv.Itoa(os.Getpid())
	dead := strings.Replace(living, "-"+pid+"-", "-"+strconv.Itoa(1<<30)+"-", 1)
	os.WriteFile(filepath.Join(dir, dead), nil, 0o600)
	mustWriteShards(t, dir, recs, nil, None)
	files := folder(t, dir)
	if _, ok := files[dead]; ok {
		t.Errorf("%s of a dead run is left", dead)
	}
	if _, ok := files[living]; !ok {
		t.Errorf("%s of a living run is gone", living)
	}
}

func TestShardsAbort(t *testing.T) {
	recs := randomRecords(56, testRefs, 300)
	for _, earlier := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "out")
		if earlier {
			mustWriteShards(t, dir, recs[:50], evenCuts(recs[:50], 3), BAI)
		}
		before := folder(t, dir)
		s, err := NewShardSet(vfs.OS, dir, testHeader(testRefs), testRefs, 3, BAI, Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := writeShard(s, 1, recs[100:200]); err != nil {
			t.Fatal(err)
		}
		f, err := s.Open(0, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range recs[:100] {
			if err := f.Add(Record{Data: r.data}); err != nil {
				t.Fatal(err)
			}
		}
		s.Abort(nil)
		s.Abort(nil)
		if err := f.Add(Record{Data: recs[200].data}); !errors.Is(err, ErrAborted) {
			t.Errorf("Add after Abort = %v", err)
		}
		if _, err := s.Open(2, nil); !errors.Is(err, ErrAborted) {
			t.Errorf("Open after Abort = %v", err)
		}
		if err := s.Commit(""); err != ErrAborted {
			t.Errorf("Commit after Abort = %v", err)
		}
		if diff := cmp.Diff(before, folder(t, dir)); diff != "" {
			t.Errorf("earlier=%v: folder changed (-before +after):\n%s", earlier, diff)
		}
	}
}

func TestShardsMisuse(t *testing.T) {
	recs := randomRecords(57, testRefs, 100)
	dir := filepath.Join(t.TempDir(), "out")
	header := testHeader(testRefs)
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o600)
	for name, try := range map[string]func() (*ShardSet, error){
		"no shards": func() (*ShardSet, error) {
			return NewShardSet(vfs.OS, dir, header, testRefs, 0, BAI, Config{})
		},
		"lengths of other references": func() (*ShardSet, error) {
			return NewShardSet(vfs.OS, dir, header, testRefs[1:], 1, BAI, Config{})
		},
		"half a header": func() (*ShardSet, error) {
			return NewShardSet(vfs.OS, dir, header[:len(header)-5], testRefs, 1, BAI, Config{})
		},
		"a level": func() (*ShardSet, error) {
			return NewShardSet(vfs.OS, dir, header, testRefs, 1, BAI, Config{Level: 11})
		},
		"a file for a folder": func() (*ShardSet, error) {
			return NewShardSet(vfs.OS, file, header, testRefs, 1, BAI, Config{})
		},
		"a folder in no folder": func() (*ShardSet, error) {
			return NewShardSet(vfs.OS, filepath.Join(dir, "sub"), header, testRefs, 1, BAI, Config{})
		},
	} {
		if s, err := try(); err == nil || s != nil {
			t.Errorf("%s: taken", name)
		}
		if folder(t, dir) != nil {
			t.Fatalf("%s: a folder is left", name)
		}
	}
	s, err := NewShardSet(vfs.OS, dir, header, testRefs, 1, BAI, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := writeShard(s, 0, []testRec{recs[9], recs[0]}); !errors.Is(err, ErrOrder) {
		t.Errorf("records out of order: %v", err)
	}
	if err := s.Commit(""); !errors.Is(err, ErrOrder) {
		t.Errorf("Commit after an error = %v", err)
	}
	if folder(t, dir) != nil {
		t.Error("a folder is left after a failed Commit")
	}
}

func TestShardsMustAllBeThere(t *testing.T) {
	recs := randomRecords(62, testRefs, 100)
	dir := filepath.Join(t.TempDir(), "out")
	s, err := NewShardSet(vfs.OS, dir, testHeader(testRefs), testRefs, 3, BAI, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(writeShard(s, 0, recs), writeShard(s, 2, nil)); err != nil {
		t.Fatal(err)
	}
	if s.Commit("") == nil || folder(t, dir) != nil {
		t.Error("committed without shard 1")
	}
}

// Every operation of a run fails once, before, in the middle, or after it was done: the error comes back, or the
// operation did not matter, and the folder is the old one or the new one, never a mixture.
func TestShardsFaults(t *testing.T) {
	old, recs := randomRecords(58, testRefs, 40), randomRecords(59, testRefs, 60)
	run := func(fsys vfs.FS, dir string) error {
		_, err := writeShards(fsys, dir, recs, evenCuts(recs, 2), BAI, Config{})
		return err
	}
	for _, earlier := range []bool{false, true} {
		prepare := func() string {
			dir := filepath.Join(t.TempDir(), "out")
			if earlier {
				mustWriteShards(t, dir, old, evenCuts(old, 3), BAI)
			}
			return dir
		}
		dir := prepare()
		before := folder(t, dir)
		count := faultfs.New(vfs.OS, nil)
		if err := run(count, dir); err != nil {
			t.Fatal(err)
		}
		after := folder(t, dir)
		for index := range count.Ops() {
			for _, fault := range []error{syscall.EIO, faultfs.Short(7, syscall.ENOSPC), faultfs.After(syscall.EIO)} {
				var op faultfs.Op
				plan := faultfs.Once(index, fault)
				dir := prepare()
				err := run(faultfs.New(vfs.OS, func(o faultfs.Op) error {
					if o.Index == index {
						op = o
					}
					return plan(o)
				}), dir)
				got := folder(t, dir)
				switch {
				case err != nil && !errors.Is(err, syscall.EIO) && !errors.Is(err, syscall.ENOSPC):
					t.Errorf("earlier=%v %s %s: %v does not tell the cause", earlier, op.Kind, op.Path, err)
				case err != nil && !cmp.Equal(got, before):
					t.Errorf("earlier=%v %s %s failed with %v, and left %v", earlier, op.Kind, op.Path, err, keys(got))
				case err == nil && !holds(got, after):
					t.Errorf("earlier=%v %s %s: no error, and there is %v", earlier, op.Kind, op.Path, keys(got))
				case err == nil && strings.Contains("create mkdir write sync close rename", op.Kind):
					t.Errorf("earlier=%v %s %s failed without an error", earlier, op.Kind, op.Path)
				}
			}
		}
	}
}

// The disk fills and stays full: all writes from some point on fail.
func TestShardsDiskFull(t *testing.T) {
	recs := randomRecords(60, testRefs, 200)
	count := faultfs.New(vfs.OS, nil)
	if _, err := writeShards(count, filepath.Join(t.TempDir(), "out"), recs, evenCuts(recs, 3), BAI, Config{}); err != nil {
		t.Fatal(err)
	}
	for index := range count.Ops() {
		dir := filepath.Join(t.TempDir(), "out")
		full := false
		_, err := writeShards(faultfs.New(vfs.OS, func(o faultfs.Op) error {
			if o.Index >= index && (o.Kind == "write" || o.Kind == "create") {
				full = true
				return faultfs.Short(100, syscall.ENOSPC)
			}
			return nil
		}), dir, recs, evenCuts(recs, 3), BAI, Config{})
		if full && !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("full from operation %d: %v", index, err)
		}
		if err != nil && folder(t, dir) != nil {
			t.Errorf("full from operation %d: %v is left", index, keys(folder(t, dir)))
		}
	}
}

// holds tells whether all of want is in got.
func holds(got, want map[string]string) bool {
	for name, data := range want {
		if got[name] != data {
			return false
		}
	}
	return true
}

func keys(m map[string]string) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
