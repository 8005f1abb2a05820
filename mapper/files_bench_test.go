package mapper

import (
	"bufio"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/reader"
)

// BenchmarkMapFiles maps real files, in memory, on one core, and reports ns per read:
//
//	MAPPER_INDEX=ref.apx MAPPER_READS="r1.fq.gz r2.fq.gz" go test -run - -bench MapFiles -benchtime 1x ./mapper
func BenchmarkMapFiles(b *testing.B) {
	if os.Getenv("MAPPER_INDEX") == "" {
		b.Skip("MAPPER_INDEX names no index")
	}
	ix, err := OpenIndex(vfs.OS, os.Getenv("MAPPER_INDEX"))
	if err != nil {
		b.Fatal(err)
	}
	defer ix.Close()
	batches, n := loadBatches(b, strings.Fields(os.Getenv("MAPPER_READS")), 200_000)
	p := DefaultParams()
	p.Insert = EstimateInsert(ix, p, batches)
	w := NewWorker(ix, p)
	b.ReportAllocs()
	for b.Loop() {
		for _, batch := range batches {
			w.Map(batch, func([]byte, int32, int32, bool, uint64) error { return nil })
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*b.N), "ns/read")
	b.ReportMetric(float64(w.opened)/float64(n*b.N), "opened/read")
}

// loadBatches reads at most that many reads of FASTQ files of four lines a record.
func loadBatches(b *testing.B, paths []string, most int) (batches []*reader.Batch, n int) {
	var scanners []*bufio.Scanner
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		var r io.Reader = f
		if strings.HasSuffix(path, ".gz") {
			if r, err = gzip.NewReader(f); err != nil {
				b.Fatal(err)
			}
		}
		scanners = append(scanners, bufio.NewScanner(r))
	}
	batch := &reader.Batch{Paired: len(paths) == 2}
	for n < most {
		for _, s := range scanners {
			var line [4][]byte
			for i := range line {
				if !s.Scan() {
					return append(batches, batch), n
				}
				line[i] = append([]byte(nil), s.Bytes()...)
			}
			name, _, _ := strings.Cut(string(line[0][1:]), "/")
			batch.Reads = append(batch.Reads, reader.Read{Name: []byte(name), Seq: line[1], Qual: line[3]})
			n++
		}
		if len(batch.Reads) >= 1000 {
			batches = append(batches, batch)
			batch = &reader.Batch{Paired: batch.Paired, First: int64(n / len(paths))}
		}
	}
	return append(batches, batch), n
}
