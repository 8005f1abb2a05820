package pipeline

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biogo/hts/bam"
	"github.com/biogo/hts/sam"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// rewrite copies a BAM with another program's writer; change returns the records to write
// in place of one.
func rewrite(t *testing.T, path string, change func(n int, r *sam.Record) []*sam.Record) string {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r, err := bam.NewReader(in, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out, err := os.Create(filepath.Join(t.TempDir(), "changed.bam"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w, err := bam.NewWriter(out, r.Header(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		rec, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range change(n, rec) {
			if err := w.Write(c); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Name()
}

func TestVerifyFindsEveryKindOfDamage(t *testing.T) {
	cfg := lambdaConfig(t)
	mustRun(t, cfg)
	src := Source{FS: vfs.OS, Paths: cfg.Reads, Threads: 2}
	var held *sam.Record
	tests := []struct {
		name   string
		change func(n int, r *sam.Record) []*sam.Record
		want   string // empty: all is well
	}{
		{"a faithful copy", func(_ int, r *sam.Record) []*sam.Record { return []*sam.Record{r} }, ""},
		{"a lost record", func(n int, r *sam.Record) []*sam.Record {
			if n == 17 {
				return nil
			}
			return []*sam.Record{r}
		}, "holds 3999 reads"},
		{"one record lost, another one twice", func(n int, r *sam.Record) []*sam.Record {
			switch n {
			case 17:
				return nil
			case 18:
				return []*sam.Record{r, r}
			}
			return []*sam.Record{r}
		}, "not the same"},
		{"a changed quality", func(n int, r *sam.Record) []*sam.Record {
			if n == 2000 {
				r.Qual[3] ^= 1
			}
			return []*sam.Record{r}
		}, "not the same"},
		{"a changed base", func(n int, r *sam.Record) []*sam.Record {
			if n == 2000 {
				r.Seq.Seq[3] ^= 0x60
			}
			return []*sam.Record{r}
		}, "not the same"},
		{"a changed strand", func(n int, r *sam.Record) []*sam.Record {
			if n == 2000 {
				r.Flags ^= sam.Reverse
			}
			return []*sam.Record{r}
		}, "not the same"},
		{"a wrong mate position", func(n int, r *sam.Record) []*sam.Record {
			if n == 2000 {
				r.MatePos++
			}
			return []*sam.Record{r}
		}, "mates disagree"},
		{"two records exchanged", func(n int, r *sam.Record) []*sam.Record {
			switch n {
			case 1000:
				held = r
				return nil
			case 1100:
				return []*sam.Record{r, held}
			}
			return []*sam.Record{r}
		}, "out of coordinate order"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Verify(t.Context(), src, rewrite(t, cfg.Output, tt.change))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("Verify = %v, want %q", err, tt.want)
			}
			if err != nil && ExitCode(err) != ExitData {
				t.Errorf("exit code %d", ExitCode(err))
			}
		})
	}
}

func TestVerifyWantsTheWholeFile(t *testing.T) {
	cfg := lambdaConfig(t)
	mustRun(t, cfg)
	whole := mustRead(t, cfg.Output)
	for name, text := range map[string][]byte{
		"without its end-of-file block": whole[:len(whole)-28],
		"cut in the middle":             whole[:len(whole)/2],
		"empty":                         nil,
		"with a flipped bit":            append(append(append([]byte(nil), whole[:70000]...), whole[70000]^4), whole[70001:]...),
	} {
		t.Run(name, func(t *testing.T) {
			src := Source{FS: vfs.OS, Paths: cfg.Reads, Threads: 2}
			if _, err := Verify(t.Context(), src, write(t, "o.bam", text)); err == nil || ExitCode(err) != ExitData {
				t.Errorf("Verify = %v, exit code %d", err, ExitCode(err))
			}
		})
	}
}
