package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alignpipe/alignpipe/reader"
)

// The sample ends at the same pair wherever batches end.
func TestTheSampleDoesNotDependOnBatches(t *testing.T) {
	seq := []byte(strings.Repeat("ACGT", 150))
	tests := []struct {
		story   string
		read    reader.Read
		samples int // pairs
	}{
		{"short reads: so many pairs", reader.Read{Name: []byte("r"), Seq: seq[:150], Qual: seq[:150]}, samplePairs},
		{"long reads: so many bases", reader.Read{Name: []byte("r"), Seq: seq, Qual: seq}, (sampleBases + 1199) / 1200},
		{"long comments: so many bytes", reader.Read{Name: []byte("r"), Comment: make([]byte, 4000), Seq: seq[:50], Qual: seq[:50]}, (sampleBytes + 8201) / 8202},
	}
	for _, tt := range tests {
		for _, batch := range []int{1, 7, 870, 5000} {
			var n sampled
			pairs := 0
			for !n.enough() {
				b := &reader.Batch{Paired: true}
				for range 2 * batch {
					b.Reads = append(b.Reads, tt.read)
				}
				pairs += len(n.take(b).Reads) / 2
			}
			if pairs != tt.samples || pairs != n.pairs {
				t.Errorf("%s, batches of %d: %d pairs, counted %d, want %d", tt.story, batch, pairs, n.pairs, tt.samples)
			}
		}
	}
}

// Batches that are full of comments hold so few pairs that all of them were in the sample, and the parser waited for one.
func TestPairsWithLongCommentsPass(t *testing.T) {
	dir := t.TempDir()
	comment := "XC:Z:" + strings.Repeat("c", 2500)
	var text strings.Builder
	for i := range 4500 {
		fmt.Fprintf(&text, "@r%d %s\n%s\n+\n%s\n", i, comment, strings.Repeat("ACGTT", 10), strings.Repeat("I", 50))
	}
	var reads []string
	for _, name := range []string{"1.fq", "2.fq"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		reads = append(reads, path)
	}
	res, err := Run(t.Context(), Config{Ref: "../../testdata/lambda.fa.gz", Reads: reads, Comments: true, Threads: 1, Sort: SortNone,
		Output: filepath.Join(dir, "out.bam"), Memory: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	if res.Primary != 9000 {
		t.Errorf("%d reads came through", res.Primary)
	}
}
