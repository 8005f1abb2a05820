package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alignpipe/alignpipe/internal/pipeline"
)

// repeated writes the reads of a FASTQ file, some of them again later on with other qualities, and
// all with a place on the flow cell in their names. Both mates draw alike.
func repeated(t *testing.T, from, to string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	rng := rand.New(rand.NewPCG(4, 4))
	lines := bufio.NewScanner(z)
	for n := 0; lines.Scan(); n++ {
		lines.Scan()
		seq := lines.Text()
		lines.Scan()
		lines.Scan()
		x := rng.IntN(1000)
		for copy := range 1 + max(rng.IntN(5)-2, 0) {
			quality := byte(33 + 20 + rng.IntN(20))
			fmt.Fprintf(&out, "@m:1:F:1:1101:%d:%d\n%s\n+\n%s\n", x+copy*60, n, seq, strings.Repeat(string(quality), len(seq)))
		}
	}
	if err := os.WriteFile(to, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestMappedReadsAreMarkedAsBySamtools(t *testing.T) {
	version, err := exec.Command("samtools", "--version").Output()
	if err != nil || !bytes.HasPrefix(version, []byte("samtools 1.16")) {
		t.Skip("no samtools 1.16")
	}
	dir, data := t.TempDir(), "../../testdata"
	var reads []string
	for _, name := range []string{"lambda_1.fq", "lambda_2.fq"} {
		reads = append(reads, filepath.Join(dir, name))
		repeated(t, filepath.Join(data, name+".gz"), filepath.Join(dir, name))
	}
	bam := filepath.Join(dir, "out.bam")
	_, err = pipeline.Run(context.Background(), pipeline.Config{
		Ref: filepath.Join(data, "lambda.fa.gz"), Reads: reads, Output: bam, Threads: 2, Memory: 512 << 20, TempDir: dir,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, distance := range []string{"0", "100"} {
		var out bytes.Buffer
		if err := run([]string{"-d", distance, "-tmp", dir, bam}, &out, &out); err != nil {
			t.Errorf("distance %s: %v\n%s", distance, err, out.String())
		}
		if strings.Contains(out.String(), "ours: 0 records") || distance == "100" && strings.Contains(out.String(), " 0 pairs are optical") {
			t.Errorf("distance %s: there was nothing to find\n%s", distance, out.String())
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "dupcheck-*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}
