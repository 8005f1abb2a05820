package gather

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/inflate"
)

// edit changes a file.
func edit(t *testing.T, path string, change func(data []byte) []byte) {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	must(t, os.WriteFile(path, change(readAll(t, path)), 0o600))
	must(t, os.Chtimes(path, info.ModTime(), info.ModTime())) // its index is not older
}

// blockAfter is the address of the first block at or after the middle of a file.
func blockAfter(t *testing.T, data []byte) int {
	t.Helper()
	at := 0
	for at < len(data)/2 {
		size, _ := inflate.BlockSize(data[at:])
		if size == 0 {
			t.Fatal("not a chain of blocks")
		}
		at += size
	}
	return at
}

// withHeader writes a part with another header.
func withHeader(head, tail string, lens ...int64) func(t *testing.T, path string) {
	if len(lens) == 0 {
		lens = testRefs
	}
	return func(t *testing.T, path string) {
		must(t, errors.Join(os.Remove(path), os.Remove(path+".bai")))
		ownBAM(t, path, headerOf(lens, head, tail), lens, nil, bgzfout.BAI)
	}
}

// TestDamagedPartsAreRefused: the error names the part and says what it is; there is no output.
func TestDamagedPartsAreRefused(t *testing.T) {
	recs := distinctKeys(randomRecs(10, testRefs, 4000))
	change := func(f func(data []byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) { edit(t, path, f) }
	}
	both := []bool{false, true}
	tests := []struct {
		name   string
		ways   []bool // of parts that overlap
		change func(t *testing.T, path string)
		want   string
	}{
		{"no end-of-file block", both, change(func(d []byte) []byte { return d[:len(d)-len(inflate.EOFBlock)] }), "cut short"},
		{"cut inside a block", both, change(func(d []byte) []byte { return d[:len(d)/2] }), "cut short"},
		{"cut inside a block, with an end", both, change(func(d []byte) []byte { return append(d[:len(d)/2:len(d)/2], inflate.EOFBlock...) }), "p001.bam: "},
		{"empty", both, change(func([]byte) []byte { return nil }), "too short"},
		{"text", both, change(func([]byte) []byte { return bytes.Repeat([]byte("@r1\nACGT\n+\nIIII\n"), 50) }), "cut short, or not BAM"},
		{"BGZF of something else", both, change(func([]byte) []byte {
			b, _ := blocksOf(bytes.Repeat([]byte("@r1\nACGT\n+\nIIII\n"), 50))
			return append(b, inflate.EOFBlock...)
		}), "not a BAM file"},
		{"a block without its magic", both, func(t *testing.T, path string) {
			edit(t, path, func(d []byte) []byte { d[blockAfter(t, d)] ^= 1; return d })
		}, "block"},
		{"a block with another size", both, func(t *testing.T, path string) {
			edit(t, path, func(d []byte) []byte { d[blockAfter(t, d)+16] ^= 4; return d })
		}, "block"},
		{"a flipped bit, where it is seen", []bool{true}, func(t *testing.T, path string) {
			edit(t, path, func(d []byte) []byte { d[blockAfter(t, d)+5000] ^= 4; return d })
		}, "damaged: gzip checksum"},
		{"ends inside a record", both, func(t *testing.T, path string) {
			foreignBAM(t, path, headerOf(testRefs, testText, ""), []testRec{{data: recs[2000].data}, {data: recs[2001].data[:50]}}, 60_000)
		}, "inside a record"},
		{"a record longer than its tags", both, func(t *testing.T, path string) {
			foreignBAM(t, path, headerOf(testRefs, testText, ""), []testRec{{data: damagedTag(recs[2000].data)}}, 60_000)
		}, "record 1: bam record with a damaged tag"},
		{"a record of a reference that is not there", both, func(t *testing.T, path string) {
			d := bytes.Clone(recs[2000].data)
			d[4] = 77
			foreignBAM(t, path, headerOf(testRefs, testText, ""), []testRec{{data: d}}, 60_000)
		}, "no such"},
		{"out of order", both, func(t *testing.T, path string) {
			foreignBAM(t, path, headerOf(testRefs, testText, ""), []testRec{recs[2001], recs[2000]}, 60_000)
		}, "not in coordinate order"},
		{"an index that points between blocks", []bool{false}, func(t *testing.T, path string) {
			edit(t, path+".bai", func(d []byte) []byte { // behind chr5's windows: chr6 (8 bytes), unplaced (8)
				at := d[len(d)-16-5*8:]
				binary.LittleEndian.PutUint64(at, binary.LittleEndian.Uint64(at)-1<<16)
				return d
			})
		}, "where no block begins"},
		{"sorted by name", both, withHeader("@HD\tVN:1.6\tSO:queryname\n", ""), "does not say that it is sorted"},
		{"no @HD", both, withHeader("", ""), "does not say that it is sorted"},
		{"one reference more", both, withHeader(testText, "", append(slices.Clone(testRefs), 5)...), "7 references"},
		{"a reference of another length", both, withHeader(testText, "", append([]int64{5001}, testRefs[1:]...)...), "reference 1 is chr1 of 5001 bases"},
		{"a read group that contradicts", both, withHeader(testText, "@RG\tID:1\tSM:other\n"), "read group 1 is not what it is in an earlier part"},
	}
	for _, tt := range tests {
		for _, overlap := range tt.ways {
			t.Run(tt.name+map[bool]string{false: ", copied", true: ", merged"}[overlap], func(t *testing.T) {
				t.Parallel()
				parts := cutEvenly(recs, 3)
				if overlap {
					parts = deal(recs, 3)
				}
				paths := writeParts(t, t.TempDir(), parts, indexed(testRefs, bgzfout.BAI))
				must(t, errors.Join(os.Remove(paths[0]), os.Remove(paths[0]+".bai")))
				ownBAM(t, paths[0], headerOf(testRefs, testText, "@RG\tID:1\tSM:s\n"), testRefs, parts[0], bgzfout.BAI)
				tt.change(t, paths[1])
				dir := t.TempDir()
				_, err := Run(t.Context(), config(dir, paths...))
				var known *Error
				if !errors.As(err, &known) || known.Class != BadData || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "p001.bam: ") {
					t.Errorf("Run = %v (%+v), want %q", err, known, tt.want)
				}
				wantOnly(t, dir)
			})
		}
	}
}

// damagedTag appends the beginning of a tag to a record.
func damagedTag(rec []byte) []byte {
	rec = append(bytes.Clone(rec), "XXi\x01"...)
	binary.LittleEndian.PutUint32(rec, uint32(len(rec)-4))
	return rec
}

func TestMisuse(t *testing.T) {
	recs := randomRecs(11, testRefs, 100)
	dir := t.TempDir()
	paths := writeParts(t, dir, cutEvenly(recs, 2), indexed(testRefs, bgzfout.BAI))
	must(t, os.Link(paths[0], filepath.Join(dir, "link.bam")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	for _, tt := range []struct {
		name   string
		change func(c *Config)
		want   string
	}{
		{"no parts", func(c *Config) { c.Parts = nil }, "no parts"},
		{"no output", func(c *Config) { c.Output = "" }, "no output"},
		{"a folder as output", func(c *Config) { c.Output = dir }, "is a folder"},
		{"an output that is a part", func(c *Config) { c.Output = paths[1] }, "one of the parts"},
		{"an output that is a part by another name", func(c *Config) { c.Output = filepath.Join(dir, "link.bam") }, "one of the parts"},
		{"a part twice", func(c *Config) { c.Parts = append(c.Parts, paths[0]) }, "given twice"},
		{"a part twice by another name", func(c *Config) { c.Parts = append(c.Parts, filepath.Join(dir, "link.bam")) }, "given twice"},
		{"a stream as a part", func(c *Config) { c.Parts = append(c.Parts, filepath.Join(dir, "fifo")) }, "is a stream"},
		{"an index of a stream", func(c *Config) { c.Output, c.Index = Stdout, IndexBAI }, "cannot have an index"},
		{"no such level", func(c *Config) { c.Level = 10 }, "level 10"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config(t.TempDir(), paths...)
			tt.change(&cfg)
			_, err := Run(t.Context(), cfg)
			var known *Error
			if !errors.As(err, &known) || known.Class != BadCall || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Run = %v, want %q", err, tt.want)
			}
		})
	}
	t.Run("a bai index of long references", func(t *testing.T) {
		cfg := config(t.TempDir(), writeParts(t, t.TempDir(), [][]testRec{nil}, indexed(longRefs, bgzfout.CSI))...)
		cfg.Index = IndexBAI
		if _, err := Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "too long for a bai") {
			t.Errorf("Run = %v", err)
		}
	})
	t.Run("too little memory to merge", func(t *testing.T) {
		cfg := config(t.TempDir(), writeParts(t, t.TempDir(), deal(recs, 2), indexed(testRefs, bgzfout.BAI))...)
		cfg.Memory = 20 << 20
		_, err := Run(t.Context(), cfg)
		var known *Error
		if !errors.As(err, &known) || known.Class != BadCall || !strings.Contains(known.Hint, "give -m") {
			t.Errorf("Run = %v", err)
		}
	})
}

// Shards of ShardSet are gathered by the name of their folder, and held to their manifest.
func TestFolderOfShards(t *testing.T) {
	recs := randomRecs(12, testRefs, 3000)
	header := headerOf(testRefs, testText, "")
	dir := filepath.Join(t.TempDir(), "shards")
	cuts := []uint64{uint64(recs[10].key), uint64(recs[10].key), uint64(recs[1000].key), uint64(recs[2500].key)}
	set, err := bgzfout.NewShardSet(config("").FS, dir, header, testRefs, len(cuts)+1, bgzfout.BAI, bgzfout.Config{})
	must(t, err)
	for n := range len(cuts) + 1 {
		f, err := set.Open(n, nil)
		must(t, err)
		for _, r := range recs {
			if (n == 0 || uint64(r.key) >= cuts[n-1]) && (n == len(cuts) || uint64(r.key) < cuts[n]) {
				must(t, f.Add(bgzfout.Record{Data: r.data}))
			}
		}
		must(t, f.Close())
	}
	must(t, set.Commit(""))
	cfg := config(t.TempDir(), dir)
	got, err := Run(t.Context(), cfg)
	must(t, err)
	if !got.Copied || got.Parts != 5 || got.Scanned != 0 {
		t.Errorf("result %+v", got)
	}
	wantRecords(t, cfg.Output, header, recs)

	shard := filepath.Join(dir, "shard-00002.bam")
	ownBAM(t, shard, header, testRefs, recs[11:1000], bgzfout.BAI) // without the first
	var known *Error
	if _, err := Run(t.Context(), cfg); !errors.As(err, &known) || known.Class != BadData || !strings.Contains(err.Error(), "the manifest says") {
		t.Errorf("Run on a shard of another size = %v", err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "manifest.json"), bytes.ReplaceAll(readAll(t, filepath.Join(dir, "manifest.json")),
		[]byte("shard-00002.bam"), []byte("../shard-00002.bam")), 0o600))
	if _, err := Run(t.Context(), cfg); !errors.As(err, &known) || known.Class != BadData {
		t.Errorf("Run on a shard elsewhere = %v", err)
	}
	must(t, os.Remove(filepath.Join(dir, "manifest.json")))
	if _, err := Run(t.Context(), cfg); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Run without a manifest = %v", err)
	}
}

// A stream gets the same bytes, and no index.
func TestStream(t *testing.T) {
	recs := randomRecs(13, testRefs, 1000)
	for name, parts := range map[string][][]testRec{"copied": cutEvenly(recs, 3), "merged": deal(recs, 3)} {
		paths := writeParts(t, t.TempDir(), parts, indexed(testRefs, bgzfout.BAI))
		cfg := config(t.TempDir(), paths...)
		_, err := Run(t.Context(), cfg)
		must(t, err)
		var stream bytes.Buffer
		dir := t.TempDir()
		to := config(dir, paths...)
		to.Output, to.Stdout = Stdout, &stream
		_, err = Run(t.Context(), to)
		must(t, err)
		if !bytes.Equal(stream.Bytes(), readAll(t, cfg.Output)) {
			t.Errorf("%s: other bytes", name)
		}
		to.Output = "/dev/null"
		_, err = Run(t.Context(), to)
		must(t, err)
		wantOnly(t, dir)
	}
}

// The bytes depend on the parts alone.
func TestSameForAnyThreads(t *testing.T) {
	recs := randomRecs(14, testRefs, 3000)
	for name, parts := range map[string][][]testRec{"copied": cutEvenly(recs, 7), "merged": deal(recs, 7)} {
		paths := writeParts(t, t.TempDir(), parts, mixed(testRefs))
		var first []byte
		for _, threads := range []int{1, 2, 7} {
			cfg := config(t.TempDir(), paths...)
			cfg.Threads = threads
			_, err := Run(t.Context(), cfg)
			must(t, err)
			if got := append(readAll(t, cfg.Output), readAll(t, cfg.Output+".bai")...); first == nil {
				first = got
			} else if !bytes.Equal(got, first) {
				t.Errorf("%s: other bytes with %d threads", name, threads)
			}
		}
	}
}

// Records larger than blocks and than batches go through whole.
func TestLongRecords(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	var recs []testRec
	for i, n := range []uint32{50, 100_000, 900_000, 10, 65_280, 2_000_000, 1} {
		recs = append(recs, newRec(rng, "long"+string(rune('a'+i)), 1, int32(i)*10, 0, n<<4))
	}
	for _, write := range []writer{indexed(longRefs, bgzfout.CSI), foreign(longRefs, 9000)} {
		for _, parts := range [][][]testRec{cutEvenly(recs, 3), deal(recs, 3)} {
			cfg := config(t.TempDir(), writeParts(t, t.TempDir(), parts, write)...)
			_, err := Run(t.Context(), cfg)
			must(t, err)
			wantRecords(t, cfg.Output, headerOf(longRefs, testText, ""), recs)
		}
	}
	if bamrec.Validate(recs[5].data[4:]) != nil {
		t.Error("not a record")
	}
}
