package mapper_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/alignpipe/alignpipe/mapper"
	"github.com/alignpipe/alignpipe/reader"
)

// The mates of a fragment of 300 bases of phage lambda are placed on its genome.
func Example() {
	ix, err := mapper.Load(context.Background(), "../testdata/lambda.fa.gz", 1)
	if err != nil {
		log.Fatal(err)
	}
	defer ix.Close()

	mate1 := []byte("GCAGCGCAACACCCTTATCTGGTTGCCGACGGATGGTGATGCCGAGAACTTTATGAAAACCCACGTTGAG")
	mate2 := []byte("CCCAGGAACGTCGGAGAGCCTTCCTGTTCAATATCATCATCAAAAGCAGCAAGTTCATCATAACCCGCCA")
	batch := &reader.Batch{Paired: true, Reads: []reader.Read{
		{Name: []byte("pair"), Seq: mate1, Qual: bytes.Repeat([]byte("I"), len(mate1))},
		{Name: []byte("pair"), Seq: mate2, Qual: bytes.Repeat([]byte("I"), len(mate2))},
	}}

	worker := mapper.NewWorker(ix, mapper.DefaultParams()) // one for each goroutine
	err = worker.Map(batch, func(record []byte, ref, pos int32, reverse bool, ordinal uint64) error {
		fmt.Println(ix.Names()[ref], pos+1, reverse) // record is the BAM record, with block_size
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// NC_001416.1 1001 false
	// NC_001416.1 1231 true
}
