package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestBytesDoNotDependOnMeasuring builds the program without its accounts and has it write the same file.
func TestBytesDoNotDependOnMeasuring(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	dir := t.TempDir()
	bare := filepath.Join(dir, "alignpipe")
	if text, err := exec.Command("go", "build", "-buildvcs=false", "-tags", "nometer", "-o", bare, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, order := range []string{"coordinate", "none"} {
		out := filepath.Join(dir, order+".bam")
		args := []string{"align", "-t", "2", "--sort", order, "-o", out, data + "lambda.fa.gz", data + "lambda_1.fq.gz", data + "lambda_2.fq.gz"}
		if code, _, stderr := call(t, "", args...); code != 0 {
			t.Fatal(stderr)
		}
		want, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := exec.Command(bare, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, want) {
			t.Errorf("--sort %s: %d bytes, %d with the accounts, %v", order, len(got), len(want), err)
		}
	}
}
