package pipeline

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/reader"
	"github.com/alignpipe/alignpipe/sorter"
)

const (
	lambda  = "../../testdata/lambda.fa.gz"
	lambda1 = "../../testdata/lambda_1.fq.gz"
	lambda2 = "../../testdata/lambda_2.fq.gz"
)

// lambdaConfig is the main job on the reads that ship with the program.
func lambdaConfig(t *testing.T) Config {
	t.Helper()
	return Config{
		FS: vfs.OS, Ref: lambda, Reads: []string{lambda1, lambda2}, Output: filepath.Join(t.TempDir(), "out.bam"),
		Level: 1, Threads: 2, Memory: 1 << 30, TempDir: t.TempDir(), Version: "test",
	}
}

func mustRun(t *testing.T, cfg Config) *Result {
	t.Helper()
	result, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// gunzip is the text of a gzip file.
func gunzip(t *testing.T, path string) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(mustRead(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// write puts text into a file of its own.
func write(t *testing.T, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// firstReads are the first n records of a FASTQ text.
func firstReads(text []byte, n int) []byte {
	at := 0
	for range 4 * n {
		at += bytes.IndexByte(text[at:], '\n') + 1
	}
	return text[:at]
}

// least is the smallest memory that the plan accepts for lambda.
func least(t *testing.T, cfg Config) int64 {
	t.Helper()
	if err := cfg.normalise(); err != nil {
		t.Fatal(err)
	}
	ix, err := loadIndex(t.Context(), &cfg, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	bound := reader.Config{Paths: cfg.Reads, Interleaved: cfg.Interleaved, BatchBases: batchBases,
		InFlight: inFlight(&cfg), InflateWorkers: cfg.Threads, InflateAlone: true}.MemoryBound()
	p, _ := planMemory(1<<40, ix.Bytes(), bound, &cfg)
	fixed := p.index + p.reader + p.workers + p.slack
	if cfg.Sort == SortNone {
		return fixed + p.records
	}
	return fixed + sorter.MinMem(cfg.Threads) + duplicateMemory(&cfg, 0)
}

// goroutinesGone fails when a run leaves goroutines behind.
func goroutinesGone(t *testing.T, before int) {
	t.Helper()
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
}

// folderHolds fails unless the folder holds these names and no others.
func folderHolds(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s holds %q, want %q", filepath.Base(dir), got, want)
	}
}

func TestLambdaIsMappedWholeAndIndexed(t *testing.T) {
	before := runtime.NumGoroutine()
	cfg := lambdaConfig(t)
	cfg.ReadGroup, _ = ParseReadGroup(`@RG\tID:l1\tSM:lambda`)
	result := mustRun(t, cfg)
	if result.Primary != 4000 || result.Mapped < 3900 || result.Proper < 3800 {
		t.Errorf("primary %d, mapped %d, proper %d of 4000 reads", result.Primary, result.Mapped, result.Proper)
	}
	if result.Insert.Pairs == 0 || result.Insert.Mean < 300 || result.Insert.Mean > 400 {
		t.Errorf("insert size %+v, the reads were drawn with 350", result.Insert)
	}
	got, err := Verify(t.Context(), Source{FS: vfs.OS, Paths: cfg.Reads, Threads: 2}, cfg.Output)
	if err != nil {
		t.Fatal(err)
	}
	if got.Reads != result.Sum || got.Records != result.Records || got.Mapped != result.Mapped {
		t.Errorf("re-reading gives %+v, the run said %+v", got, result)
	}
	for _, line := range []string{"@HD\tVN:1.6\tSO:coordinate\n", "M5:509bdb356475a21077713babc47a4a35", "@RG\tID:l1\tSM:lambda\n", "@PG\tID:alignpipe\tPN:alignpipe\tCL:alignpipe align\tVN:test"} {
		if !strings.Contains(got.header, line) {
			t.Errorf("header lacks %q:\n%s", line, got.header)
		}
	}
	folderHolds(t, filepath.Dir(cfg.Output), "out.bam", "out.bam.bai")
	folderHolds(t, cfg.TempDir)
	goroutinesGone(t, before)
}

func TestBytesDependOnNothingElse(t *testing.T) {
	base := lambdaConfig(t)
	mustRun(t, base)
	bam, bai := mustRead(t, base.Output), mustRead(t, base.Output+".bai")
	for _, tt := range otherWays() {
		t.Run(tt.name, func(t *testing.T) {
			cfg := lambdaConfig(t)
			tt.change(t, &cfg)
			mustRun(t, cfg)
			if !bytes.Equal(mustRead(t, cfg.Output), bam) {
				t.Error("the BAM differs")
			}
			if !bytes.Equal(mustRead(t, cfg.Output+".bai"), bai) {
				t.Error("the index differs")
			}
			folderHolds(t, cfg.TempDir)
		})
	}
	t.Run("stream", func(t *testing.T) {
		cfg := lambdaConfig(t)
		var out bytes.Buffer
		cfg.Output, cfg.Stdout = "-", &out
		mustRun(t, cfg)
		if !bytes.Equal(out.Bytes(), bam) {
			t.Error("the BAM differs")
		}
	})
}

func TestSpillsDoNotChangeTheBytes(t *testing.T) {
	one, two := gunzip(t, lambda1), gunzip(t, lambda2)
	const copies = 12
	paths := []string{write(t, "1.fq", many(one, copies)), write(t, "2.fq", many(two, copies))}
	roomy := lambdaConfig(t)
	roomy.Reads = paths
	if got := mustRun(t, roomy); got.Sort.SpilledRuns != 0 {
		t.Fatalf("%d runs spilled with 1 GiB", got.Sort.SpilledRuns)
	}
	tight := lambdaConfig(t)
	tight.Reads = paths
	tight.Memory = least(t, tight)
	if got := mustRun(t, tight); got.Sort.SpilledRuns == 0 {
		t.Errorf("nothing spilled with %s", FormatSize(tight.Memory))
	}
	if !bytes.Equal(mustRead(t, tight.Output), mustRead(t, roomy.Output)) {
		t.Error("the BAM differs")
	}
	folderHolds(t, tight.TempDir)
}

func TestShardsHoldTheSameRecordsInTheSameOrder(t *testing.T) {
	for _, n := range []int{1, 13} {
		cfg := lambdaConfig(t)
		cfg.Shards, cfg.Output = n, filepath.Join(t.TempDir(), "shards")
		mustRun(t, cfg)
		got, err := Verify(t.Context(), Source{FS: vfs.OS, Paths: cfg.Reads, Threads: 2}, cfg.Output)
		if err != nil {
			t.Fatalf("%d shards: %v", n, err)
		}
		if got.Reads.Count != 4000 {
			t.Errorf("%d shards: %d reads", n, got.Reads.Count)
		}
		var joined []byte
		files, err := bamFiles(vfs.OS, cfg.Output)
		if err != nil || len(files) != n {
			t.Fatalf("%d files, %v, want %d", len(files), err, n)
		}
		for _, f := range files {
			joined = append(joined, recordBytes(t, f)...)
		}
		whole := lambdaConfig(t)
		mustRun(t, whole)
		if !bytes.Equal(joined, recordBytes(t, whole.Output)) {
			t.Errorf("%d shards: records differ from those of one file", n)
		}
	}
}

func TestTooLittleMemoryIsRefusedBeforeWork(t *testing.T) {
	for _, order := range []SortOrder{SortCoordinate, SortNone} {
		cfg := lambdaConfig(t)
		cfg.Sort = order
		cfg.Memory = least(t, cfg) - 1
		_, err := Run(t.Context(), cfg)
		if ExitCode(err) != ExitMisuse || !strings.Contains(Hint(err), FormatSize(cfg.Memory+1)) {
			t.Errorf("order %d: error %v, hint %q, want misuse that names %s", order, err, Hint(err), FormatSize(cfg.Memory+1))
		}
		folderHolds(t, filepath.Dir(cfg.Output))
	}
}

func TestSAMHoldsTheRecordsOfTheBAM(t *testing.T) {
	cfg := lambdaConfig(t)
	cfg.Output = filepath.Join(t.TempDir(), "out.sam")
	mustRun(t, cfg)
	text := mustRead(t, cfg.Output)
	if n := bytes.Count(text, []byte("\n")); n != 4000+3 {
		t.Errorf("%d lines, want 4000 and 3 of header", n)
	}
	if !bytes.HasPrefix(text, []byte("@HD\tVN:1.6\tSO:coordinate\n")) {
		t.Errorf("starts with %q", text[:40])
	}
	folderHolds(t, filepath.Dir(cfg.Output), "out.sam")
}

func TestBadInputLeavesNothing(t *testing.T) {
	text := gunzip(t, lambda1)
	tests := []struct {
		name  string
		reads func(t *testing.T) []string
		code  int
		place string
	}{
		{"a record cut short", func(t *testing.T) []string {
			return []string{write(t, "r.fq", text[:len(text)-30])}
		}, ExitData, "record 2000 (line 8001"},
		{"a slipped mate", func(t *testing.T) []string {
			cut := bytes.Index(text[10:], []byte("\n@sim")) + 11
			return []string{write(t, "r.fq", text[cut:]), lambda2}
		}, ExitData, "record 1 "},
		{"a truncated gzip", func(t *testing.T) []string {
			z := mustRead(t, lambda1)
			return []string{write(t, "r.fq.gz", z[:len(z)-4]), lambda2}
		}, ExitData, "r.fq.gz"},
		{"a missing file", func(t *testing.T) []string { return []string{"no-such.fq"} }, ExitFailed, "no-such.fq"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			cfg := lambdaConfig(t)
			cfg.Reads = tt.reads(t)
			_, err := Run(t.Context(), cfg)
			if ExitCode(err) != tt.code || !strings.Contains(err.Error(), tt.place) {
				t.Errorf("error %v (exit %d), want exit %d and %q", err, ExitCode(err), tt.code, tt.place)
			}
			folderHolds(t, filepath.Dir(cfg.Output))
			folderHolds(t, cfg.TempDir)
			goroutinesGone(t, before)
		})
	}
}

// stuck is an input that never comes.
type stuck struct{ release chan struct{} }

func (s stuck) Read([]byte) (int, error) { <-s.release; return 0, io.EOF }

func TestAStoppedRunReturnsThoughItsInputIsStuck(t *testing.T) {
	t.Run("sorted", func(t *testing.T) { stopWhileStuck(t, SortCoordinate) })
	t.Run("in input order", func(t *testing.T) { stopWhileStuck(t, SortNone) })
}

func stopWhileStuck(t *testing.T, order SortOrder) {
	cfg := lambdaConfig(t)
	cfg.Sort = order
	input := stuck{make(chan struct{})}
	defer close(input.release)
	cfg.Reads, cfg.Stdin = []string{"-"}, input
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := Run(ctx, cfg)
	if err == nil || time.Since(begun) > 1500*time.Millisecond {
		t.Errorf("Run = %v after %v", err, time.Since(begun))
	}
	folderHolds(t, filepath.Dir(cfg.Output))
	folderHolds(t, cfg.TempDir)
}
