package pipeline

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// repeated appends the first n reads of a FASTQ once more, under other names, one base shorter at the end for every
// third, so that their qualities differ.
func repeated(fastq string, n int) string {
	var b strings.Builder
	b.WriteString(fastq)
	lines := strings.Split(fastq, "\n")
	for i := range n {
		name, seq, qual := lines[4*i], lines[4*i+1], lines[4*i+3]
		if i%3 == 0 {
			qual = qual[:len(qual)-1] + "#"
		}
		fmt.Fprintf(&b, "@again%d:%s\n%s\n+\n%s\n", i%7, name[1:], seq, qual)
	}
	return b.String()
}

func duplicatesConfig(t *testing.T) Config {
	t.Helper()
	cfg := lambdaConfig(t)
	cfg.MarkDuplicates = true
	cfg.Reads = []string{write(t, "1.fq", []byte(repeated(string(gunzip(t, lambda1)), 400))), write(t, "2.fq", []byte(repeated(string(gunzip(t, lambda2)), 400)))}
	return cfg
}

// TestDuplicatesDependOnTheReadsAlone: not on threads, memory, or how the output is cut or ordered.
func TestDuplicatesDependOnTheReadsAlone(t *testing.T) {
	reads := duplicatesConfig(t).Reads
	var file, metrics []byte
	var byRecord [][]byte
	for _, threads := range []int{1, 2, 5} {
		cfg := duplicatesConfig(t)
		cfg.Reads, cfg.Threads = reads, threads
		for _, memory := range []int64{0, least(t, cfg)} {
			cfg.Memory = memory
			result := mustRun(t, cfg)
			if result.Duplicates == nil || result.Duplicates.ReadPairDuplicates < 390 || result.Duplicates.ReadPairsExamined < 2300 {
				t.Fatalf("metrics %+v", result.Duplicates)
			}
			got, text := mustRead(t, cfg.Output), mustRead(t, cfg.Output+duplicatesExt)
			if file == nil {
				file, metrics, byRecord = got, text, records(t, cfg.Output)
			}
			if !bytes.Equal(got, file) || !bytes.Equal(text, metrics) {
				t.Errorf("threads=%d memory=%d: another file", threads, memory)
			}
		}
	}
	slices.SortFunc(byRecord, bytes.Compare)
	for name, change := range map[string]func(*Config){
		"by name": func(c *Config) { c.Sort = SortName },
		"shards":  func(c *Config) { c.Shards = 3; c.Output = filepath.Join(t.TempDir(), "shards") },
	} {
		cfg := duplicatesConfig(t)
		cfg.Reads = reads
		change(&cfg)
		mustRun(t, cfg)
		files, err := bamFiles(vfs.OS, cfg.Output)
		if err != nil {
			t.Fatal(err)
		}
		var got [][]byte
		for _, f := range files {
			got = append(got, records(t, f)...)
		}
		slices.SortFunc(got, bytes.Compare)
		if !slices.EqualFunc(got, byRecord, bytes.Equal) {
			t.Errorf("%s: other records, or other flags", name)
		}
	}
	if samtools, err := exec.LookPath("samtools"); err == nil {
		cfg := duplicatesConfig(t)
		cfg.Reads, cfg.MarkDuplicates = reads, false
		mustRun(t, cfg)
		theirs := filepath.Join(t.TempDir(), "theirs.bam")
		if out, err := exec.Command(samtools, "markdup", cfg.Output, theirs).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		got := records(t, theirs)
		slices.SortFunc(got, bytes.Compare)
		if !slices.EqualFunc(got, byRecord, bytes.Equal) {
			t.Error("samtools markdup sets other flags")
		}
	}
}

// TestNoDuplicatesUnlessAsked: the same reads without the option.
func TestNoDuplicatesUnlessAsked(t *testing.T) {
	cfg := duplicatesConfig(t)
	cfg.MarkDuplicates = false
	if result := mustRun(t, cfg); result.Duplicates != nil {
		t.Errorf("metrics %+v", result.Duplicates)
	}
	for _, rec := range records(t, cfg.Output) {
		if bamrec.Flag(rec)&flagDuplicate != 0 {
			t.Fatal("a record is marked")
		}
	}
	if matches, _ := filepath.Glob(cfg.Output + duplicatesExt); len(matches) > 0 {
		t.Error("there is a file of metrics")
	}
}

func TestDuplicatesRefuseWhatCannotBe(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"input order":                   func(c *Config) { c.Sort = SortNone },
		"a distance below zero":         func(c *Config) { c.OpticalDistance = -1 },
		"a distance without duplicates": func(c *Config) { c.MarkDuplicates, c.OpticalDistance = false, 100 },
	} {
		cfg := duplicatesConfig(t)
		change(&cfg)
		if _, err := Run(t.Context(), cfg); ExitCode(err) != ExitMisuse {
			t.Errorf("%s: %v", name, err)
		}
	}
}
