package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

func sample(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "sample.gz")
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for i := range 20_000 {
		fmt.Fprintf(z, "line %d of %d\n", i, i*i)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTableHasARowPerEncoderAndLevel(t *testing.T) {
	var out, talk strings.Builder
	if err := run([]string{"-rounds", "2", "-levels", "1,6", sample(t)}, &out, &talk); err != nil {
		t.Fatal(err, talk.String())
	}
	if n := strings.Count(out.String(), "\n"); n != 7 {
		t.Errorf("%d lines, want a title and 6 rows:\n%s", n, out.String())
	}
}

func TestRowsHaveEachMeasurement(t *testing.T) {
	var out, talk strings.Builder
	if err := run([]string{"-rounds", "3", "-levels", "1", "-encoders", "own", "-rows", sample(t)}, &out, &talk); err != nil {
		t.Fatal(err, talk.String())
	}
	if n := strings.Count(out.String(), "own\t1\t"); n != 3 {
		t.Errorf("%d rows, want 3:\n%s", n, out.String())
	}
}

func TestRunRefuses(t *testing.T) {
	for _, args := range [][]string{{}, {"-levels", "x", "f"}, {"-encoders", "none", sample(t)}, {"-rounds", "0", "f"}, {"/no/such/file"}} {
		var out, talk strings.Builder
		if run(args, &out, &talk) == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
