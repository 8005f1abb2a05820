package pipeline

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alignpipe/alignpipe/internal/bamrec"
)

// TestNameOrderIsTheInputSorted: the records of a run by name are those of one in input order, stably sorted
// by name, and the file does not depend on threads and memory.
func TestNameOrderIsTheInputSorted(t *testing.T) {
	reads := []string{write(t, "1.fq", chimeric(gunzip(t, lambda1), 10)), write(t, "2.fq", gunzip(t, lambda2))}
	input := unsortedConfig(t)
	input.Reads = reads
	mustRun(t, input)
	want := records(t, input.Output)
	slices.SortStableFunc(want, func(a, b []byte) int { return bytes.Compare(padded(a), padded(b)) })
	var file []byte
	for _, threads := range []int{1, 3} {
		cfg := lambdaConfig(t)
		cfg.Reads, cfg.Sort, cfg.Threads = reads, SortName, threads
		for _, memory := range []int64{0, least(t, cfg)} {
			cfg.Memory = memory
			mustRun(t, cfg)
			if got := records(t, cfg.Output); !slices.EqualFunc(got, want, bytes.Equal) {
				t.Errorf("threads=%d memory=%d: not the records of the input by name", threads, memory)
			}
			got := mustRead(t, cfg.Output)
			if file == nil {
				file = got
			}
			if !bytes.Equal(got, file) {
				t.Errorf("threads=%d memory=%d: other bytes", threads, memory)
			}
			if matches, _ := filepath.Glob(cfg.Output + ".*"); len(matches) > 0 {
				t.Errorf("an index by name: %v", matches)
			}
		}
	}
	if samtools, err := exec.LookPath("samtools"); err == nil {
		theirs := filepath.Join(t.TempDir(), "theirs.bam")
		if out, err := exec.Command(samtools, "sort", "-n", "-o", theirs, input.Output).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if got := records(t, theirs); !slices.EqualFunc(got, want, bytes.Equal) {
			t.Error("samtools sort -n has another order")
		}
	}
}

// padded is a record's name, whose numbers have no leading zeros, such that bytes compare as numbers do.
func padded(rec []byte) []byte {
	var out, run []byte
	for _, c := range append(bytes.Clone(bamrec.Name(rec)), 0) {
		if c >= '0' && c <= '9' {
			run = append(run, c)
			continue
		}
		if len(run) > 0 {
			out = append(append(out, strings.Repeat("0", 20-len(run))...), run...)
			run = run[:0]
		}
		out = append(out, c)
	}
	return out
}
