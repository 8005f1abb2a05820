package gather

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/biogo/hts/bam"
	"github.com/biogo/hts/bgzf"
	"github.com/biogo/hts/bgzf/index"
	"github.com/biogo/hts/csi"
	"github.com/biogo/hts/sam"

	"github.com/alignpipe/alignpipe/internal/bamrec"
)

// region is half-open, 0-based.
type region struct {
	ref      int
	beg, end int64
}

// randomRegions are mostly short, and some lie where the records are that recs names.
func randomRegions(seed uint64, lens []int64, recs []testRec, n int) []region {
	rng := rand.New(rand.NewPCG(seed, 3))
	regions := make([]region, n)
	for i := range regions {
		ref := []int{1, 2, 4, rng.IntN(len(lens))}[rng.IntN(4)]
		beg := rng.Int64N(lens[ref])
		if r := recs[rng.IntN(len(recs))]; i%3 == 0 && r.key.Ref() >= 0 {
			ref = int(r.key.Ref())
			beg = max(0, int64(r.key.Pos())-rng.Int64N(40_000))
		}
		end := min(lens[ref], beg+1+rng.Int64N(60_000))
		if i%10 == 0 {
			end = beg + 1 + rng.Int64N(lens[ref]-beg)
		}
		regions[i] = region{ref, beg, end}
	}
	return regions
}

// scan finds the names of the records in a region by looking at all.
func (g region) scan(recs []testRec) (names []string) {
	for _, r := range recs {
		body := r.data[4:]
		if int(bamrec.Ref(body)) == g.ref && int64(bamrec.Pos(body)) < g.end && int64(bamrec.End(body)) > g.beg {
			names = append(names, string(bamrec.Name(body)))
		}
	}
	return names
}

// wantAnswers asks biogo's reading of the index for regions, and compares with a scan.
func wantAnswers(t *testing.T, path string, lens []int64, recs []testRec) {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	r, err := bam.NewReader(f, 1)
	must(t, err)
	defer r.Close()
	chunks := chunksOf(t, path, r.Header())
	for _, g := range randomRegions(1, lens, recs, 40) {
		got := query(t, r, chunks(g), g)
		if want := g.scan(recs); !slices.Equal(got, want) {
			t.Fatalf("%v: %d records, want %d", g, len(got), len(want))
		}
	}
}

// chunksOf reads the index of path, of either kind.
func chunksOf(t *testing.T, path string, h *sam.Header) func(region) []bgzf.Chunk {
	t.Helper()
	if data, err := os.ReadFile(path + ".bai"); err == nil {
		x, err := bam.ReadIndex(bytes.NewReader(data))
		must(t, err)
		return func(g region) []bgzf.Chunk {
			c, err := x.Chunks(h.Refs()[g.ref], int(g.beg), int(g.end))
			if err != nil && !errors.Is(err, index.ErrNoReference) && !errors.Is(err, index.ErrInvalid) {
				t.Fatal(err)
			}
			return c
		}
	}
	x, err := csi.ReadFrom(bytes.NewReader(gunzip(t, readAll(t, path+".csi"))))
	must(t, err)
	return func(g region) []bgzf.Chunk { return x.Chunks(g.ref, int(g.beg), int(g.end)) }
}

func query(t *testing.T, r *bam.Reader, chunks []bgzf.Chunk, g region) (names []string) {
	t.Helper()
	if len(chunks) == 0 {
		return nil
	}
	it, err := bam.NewIterator(r, chunks)
	must(t, err)
	defer it.Close()
	for it.Next() {
		rec := it.Record()
		if rec.Ref.ID() == g.ref && int64(rec.Start()) < g.end && max(int64(rec.End()), int64(rec.Start())+1) > g.beg {
			names = append(names, rec.Name)
		}
	}
	if err := it.Error(); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return names
}

// wantSamtools compares the answers of samtools through our index with those through its own, all
// records of all regions, and the counts.
func wantSamtools(t *testing.T, path, ext string, lens []int64, recs []testRec) {
	t.Helper()
	if _, err := exec.LookPath("samtools"); err != nil {
		return // biogo has been asked
	}
	theirs := filepath.Join(t.TempDir(), "theirs.bam")
	must(t, os.WriteFile(theirs, readAll(t, path), 0o600))
	samtools(t, "index", map[string]string{".bai": "-b", ".csi": "-c"}[ext], theirs)
	samtools(t, "quickcheck", path)
	if ours, theirs := samtools(t, "idxstats", path), samtools(t, "idxstats", theirs); ours != theirs {
		t.Errorf("idxstats:\n%s\nwant\n%s", ours, theirs)
	}
	args := []string{"view", "--no-PG", path}
	for _, g := range randomRegions(2, lens, recs, 200) {
		args = append(args, fmt.Sprintf("chr%d:%d-%d", g.ref+1, g.beg+1, g.end))
	}
	ours := samtools(t, args...)
	args[2] = theirs
	if ours != samtools(t, args...) {
		t.Error("samtools finds other records through this index than through its own")
	}
}

func samtools(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("samtools", args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("samtools %s: %v\n%s", args[0], err, stderr.String())
	}
	return string(out)
}
