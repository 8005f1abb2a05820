package markdup

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alignpipe/alignpipe/internal/bamrec"
)

// TestNumbersArePicards has what Picard's MarkDuplicates 2.27.5 wrote for two files in which it
// found the same duplicates.
func TestNumbersArePicards(t *testing.T) {
	tests := []struct {
		name     string
		metrics  Metrics // before finish: pairs by record
		line     string
		coverage []string
	}{
		{
			"100,000 pairs of yeast", Metrics{UnpairedReadsExamined: 110, ReadPairsExamined: 94193, SecondaryOrSupplementary: 2,
				UnmappedReads: 11504, UnpairedReadDuplicates: 7, ReadPairDuplicates: 60},
			"lib1\t110\t94193\t2\t11504\t7\t30\t0\t0.000355\t147840621",
			[]string{"1.0\t1", "2.0\t1.999363", "3.0\t2.99809", "4.0\t3.99618"},
		},
		{
			"300,000 simulated pairs, a fifth of them duplicates", Metrics{UnpairedReadsExamined: 5917, ReadPairsExamined: 294075,
				UnmappedReads: 5933, UnpairedReadDuplicates: 1266, ReadPairDuplicates: 2 * 57672},
			"lib1\t5917\t294075\t0\t5933\t1266\t57672\t0\t0.196291\t648142",
			[]string{"1.0\t1", "2.0\t1.63526", "3.0\t2.038816"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.metrics.finish()
			lines := picardLines(t, &tt.metrics)
			if lines[5] != tt.line {
				t.Errorf("metrics are\n%q, Picard wrote\n%q", lines[5], tt.line)
			}
			at := slices.Index(lines, "BIN\tCoverageMult") + 1
			if got := lines[at : at+len(tt.coverage)]; !slices.Equal(got, tt.coverage) {
				t.Errorf("coverage is %q, Picard wrote %q", got, tt.coverage)
			}
			if len(lines)-at != coverageBins+2 {
				t.Errorf("%d lines of coverage", len(lines)-at)
			}
		})
	}
}

func picardLines(t *testing.T, m *Metrics) []string {
	t.Helper()
	var b strings.Builder
	if err := m.WritePicard(&b, "alignpipe 1.0", "my sample.bam", "lib1"); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if lines[1] != "# picard.sam.markduplicates.MarkDuplicates INPUT=[my_sample.bam] (written by alignpipe 1.0, not by Picard)" {
		t.Errorf("MultiQC finds no sample in %q", lines[1])
	}
	if len(lines) < 7 || lines[3] != "## METRICS CLASS\tpicard.sam.DuplicationMetrics" || lines[4] != columns || lines[6] != "" {
		t.Fatalf("not Picard's layout: %q", lines)
	}
	return lines
}

func TestASizeThatCannotBeKnownIsLeftOut(t *testing.T) {
	for name, m := range map[string]Metrics{
		"no reads":               {},
		"no duplicates":          {ReadPairsExamined: 1000},
		"optical ones only":      {ReadPairsExamined: 1000, ReadPairDuplicates: 20, ReadPairOpticalDups: 20},
		"nothing but duplicates": {ReadPairsExamined: 10, ReadPairDuplicates: 20},
	} {
		m.finish()
		lines := picardLines(t, &m)
		if m.EstimatedLibrarySize != nil || m.EstimatedLibrarySizeReason == "" || !strings.HasSuffix(lines[5], "\t") || slices.Contains(lines, "BIN\tCoverageMult") {
			t.Errorf("%s: %q", name, lines)
		}
	}
}

// TestSizeOfTheLibraryAsSamtools compares the estimate, optical duplicates taken off.
func TestSizeOfTheLibraryAsSamtools(t *testing.T) {
	needSamtools(t)
	c := crowds["many places, few duplicates"]
	c.span, c.seed = 300, 11
	records := encode(0, c.make())
	dir := t.TempDir()
	text := []byte("@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:a\tLN:9999\n@SQ\tSN:b\tLN:9999\n@SQ\tSN:c\tLN:9999\n@SQ\tSN:d\tLN:9999\n")
	for _, r := range sorted(records) {
		text = bamrec.AppendSAM(text, r.data, []string{"a", "b", "c", "d"})
	}
	in, stats := filepath.Join(dir, "in.sam"), filepath.Join(dir, "stats")
	if err := os.WriteFile(in, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("samtools", "markdup", "-d", "500", "-f", stats, in, os.DevNull).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got, err := os.ReadFile(stats)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(got), "ESTIMATED_LIBRARY_SIZE: ")
	want, err := strconv.ParseInt(strings.TrimSpace(after), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	_, m := decide(t, Config{Workers: 1, MemBytes: ample, OpticalDistance: 500}, standard, records)
	if m.EstimatedLibrarySize == nil || *m.EstimatedLibrarySize != want || m.ReadPairOpticalDups == 0 {
		t.Errorf("%+v, samtools estimates %d", m, want)
	}
}
