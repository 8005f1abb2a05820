// Mapeval scores a BAM file of simulated reads against their true places.
//
//	mapeval -truth truth.bam|truth.tsv[.gz] -bam out.bam [-label NAME] [-single]
//
// The truth is a BAM with the true alignments, as mason_simulator writes it with -oa, or
// the table that readsim writes: table.go has its columns.
// eval.go has the rule that calls an alignment right. One line goes to standard output:
//
//	NAME reads=N right=% wrong=% unmapped=% missing=N doubled=N alien=N q1:%/errE q10:... q20:... q30:...
//
// All shares are of the reads in the truth. missing are reads without a primary record,
// doubled are second primary records, alien are records of reads the truth does not know.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/biogo/hts/bam"
	"github.com/biogo/hts/sam"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "mapeval: error:", err)
		}
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("mapeval", flag.ContinueOnError)
	fs.SetOutput(stderr)
	truth := fs.String("truth", "", "BAM with the true alignments, or readsim's table")
	out := fs.String("bam", "", "BAM to score")
	label := fs.String("label", "", "name at the start of the row")
	single := fs.Bool("single", false, "only first mates were given to the aligner")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *truth == "" || *out == "" || fs.NArg() > 0 {
		return errors.New("-truth and -bam are needed, and nothing else")
	}
	ev := newEval(*single)
	var err error
	if isTable(*truth) {
		err = eachRow(*truth, ev.learnRow)
	} else {
		err = eachPrimary(*truth, ev.learn)
	}
	if err != nil {
		return err
	}
	if err := eachPrimary(*out, ev.score); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%-18s %s\n", *label, ev)
	return err
}

// eachPrimary calls f for every record of a BAM file that is neither secondary nor supplementary.
func eachPrimary(path string, f func(*sam.Record)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	br, err := bam.NewReader(bufio.NewReaderSize(file, 1<<20), 1)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer br.Close()
	br.Omit(bam.AllVariableLengthData) // names and CIGARs remain
	for {
		rec, err := br.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if rec.Flags&(sam.Secondary|sam.Supplementary) == 0 {
			f(rec)
		}
	}
}
