package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biogo/hts/bam"
	"github.com/biogo/hts/sam"
)

// writeBAM writes SAM text as a BAM file and returns its path.
func writeBAM(t *testing.T, name, text string) string {
	t.Helper()
	sr, err := sam.NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	bw, err := bam.NewWriter(f, sr.Header(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for {
		rec, err := sr.Read()
		if err != nil {
			break // the end: the text is ours
		}
		if err := bw.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := bw.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func lines(rows ...string) string {
	return strings.ReplaceAll(strings.Join(rows, "\n"), " ", "\t") + "\n"
}

var truthText = lines(
	"@HD VN:1.6", "@SQ SN:a LN:10000", "@SQ SN:b LN:10000",
	"p1 99 a 101 60 10M = 301 210 ACGTACGTAC *", "p1 147 a 301 60 10M = 101 -210 ACGTACGTAC *",
	"p2 99 a 1101 60 10M = 1301 210 ACGTACGTAC *", "p2 147 a 1301 60 10M = 1101 -210 ACGTACGTAC *",
	"p3 99 b 101 60 10M = 301 210 ACGTACGTAC *", "p3 147 b 301 60 10M = 101 -210 ACGTACGTAC *",
)

func TestRowCountsEachKindOfRead(t *testing.T) {
	out := lines(
		"@HD VN:1.6", "@SQ SN:b LN:10000", "@SQ SN:a LN:10000", // another order of references
		"p1 99 a 104 60 3S7M = 301 210 ACGTACGTAC *", "p1 147 a 301 25 10M = 101 -210 ACGTACGTAC *", // right, right
		"p2 99 a 5101 30 10M = 1301 210 ACGTACGTAC *", "p2 147 b 1301 0 10M = 1101 -210 ACGTACGTAC *", // wrong place, wrong reference
		"p3 77 * 0 0 * * 0 0 ACGTACGTAC *",                                                       // unmapped; its mate is missing
		"p1 99 a 101 60 10M = 301 210 ACGTACGTAC *", "p1 2147 a 700 60 10M = 301 0 ACGTACGTAC *", // doubled; supplementary does not count
		"x9 0 a 101 60 10M * 0 0 ACGTACGTAC *", // alien
	)
	var row bytes.Buffer
	args := []string{"-truth", writeBAM(t, "truth.bam", truthText), "-bam", writeBAM(t, "out.bam", out), "-label", "x"}
	if err := run(args, &row, &row); err != nil {
		t.Fatal(err)
	}
	want := "x reads=6 right=33.3333% wrong=33.3333% unmapped=16.6667% missing=1 doubled=1 alien=1" +
		" q1:50.000%/err3.33e-01 q10:50.000%/err3.33e-01 q20:50.000%/err3.33e-01 q30:33.333%/err5.00e-01"
	if got := strings.Join(strings.Fields(row.String()), " "); got != want {
		t.Errorf("row\n got %s\nwant %s", got, want)
	}
}

// TestTableOfTruthScoresAsItsBAM gives the same truth in both forms.
func TestTableOfTruthScoresAsItsBAM(t *testing.T) {
	out := writeBAM(t, "out.bam", lines("@HD VN:1.6", "@SQ SN:b LN:10000", "@SQ SN:a LN:10000",
		"p1 99 a 104 60 3S7M = 301 210 ACGTACGTAC *", "p1 147 a 301 25 10M = 101 -210 ACGTACGTAC *",
		"p2 99 a 5101 30 10M = 1301 210 ACGTACGTAC *", "p2 147 b 1301 0 10M = 1101 -210 ACGTACGTAC *"))
	table := strings.ReplaceAll("p1 a 100 110 300 310\np2 a 1100 1110 1300 1310\np3 b 100 110 300 310\n", " ", "\t")
	plain, packed := filepath.Join(t.TempDir(), "truth.tsv"), filepath.Join(t.TempDir(), "truth.tsv.gz")
	var gz bytes.Buffer
	zw := gzip.NewWriter(&gz)
	zw.Write([]byte(table))
	zw.Close()
	os.WriteFile(plain, []byte(table), 0o666)
	os.WriteFile(packed, gz.Bytes(), 0o666)
	for _, single := range []string{"-single=false", "-single"} {
		var rows []string
		for _, truth := range []string{writeBAM(t, "truth.bam", truthText), plain, packed} {
			var row bytes.Buffer
			if err := run([]string{"-truth", truth, "-bam", out, single}, &row, &row); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row.String())
		}
		if rows[1] != rows[0] || rows[2] != rows[0] {
			t.Errorf("%s: rows differ:\n%s", single, strings.Join(rows, ""))
		}
	}
	for name, text := range map[string]string{"too few columns": "p1\ta\t1\t2\n", "a number that is none": "p1\ta\t1\t2\t3\tx\n"} {
		os.WriteFile(plain, []byte(text), 0o666)
		if err := run([]string{"-truth", plain, "-bam", out}, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSingleIgnoresSecondMates(t *testing.T) {
	out := lines("@HD VN:1.6", "@SQ SN:a LN:10000", "@SQ SN:b LN:10000", "p1 0 a 101 60 10M * 0 0 ACGTACGTAC *",
		"p2 0 a 1101 60 10M * 0 0 ACGTACGTAC *", "p3/1 0 b 101 60 10M * 0 0 ACGTACGTAC *")
	var row bytes.Buffer
	args := []string{"-truth", writeBAM(t, "truth.bam", truthText), "-bam", writeBAM(t, "out.bam", out), "-single"}
	if err := run(args, &row, &row); err != nil {
		t.Fatal(err)
	}
	if got := row.String(); !strings.Contains(got, "reads=3 right=100.0000%") {
		t.Errorf("row = %s", got)
	}
}

func TestBrokenInputIsAnError(t *testing.T) {
	whole := writeBAM(t, "whole.bam", truthText)
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.bam")
	if err := os.WriteFile(cut, data[:60], 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{}, {"-truth", whole}, {"-truth", whole, "-bam", cut}, {"-truth", whole, "-bam", cut + ".none"}} {
		if err := run(args, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
			t.Errorf("run(%q) gave no error", args)
		}
	}
}
