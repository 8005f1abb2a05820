// Mapeval scores a BAM file of simulated reads against their true places.
//
//	mapeval -truth truth.bam|truth.tsv[.gz] -bam out.bam [-label NAME] [-single]
//
// The truth is a BAM with the true alignments, as mason_simulator writes it with -oa, or
// the table that readsim writes: table.go has its columns. benchmarks/internal/truth has the
// rule that calls an alignment right. One line goes to standard output:
//
//	NAME reads=N right=% wrong=% unmapped=% missing=N doubled=N alien=N q1:%/errE q10:... q20:... q30:...
//
// All shares are of the reads in the truth. missing are reads without a primary record,
// doubled are second primary records, alien are records of reads the truth does not know.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/biogo/hts/bam"

	"github.com/alignpipe/alignpipe/benchmarks/internal/truth"
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
	want := fs.String("truth", "", "BAM with the true alignments, or readsim's table")
	out := fs.String("bam", "", "BAM to score")
	label := fs.String("label", "", "name at the start of the row")
	single := fs.Bool("single", false, "only first mates were given to the aligner")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *want == "" || *out == "" || fs.NArg() > 0 {
		return errors.New("-truth and -bam are needed, and nothing else")
	}
	ev := newEval(*single)
	var err error
	if isTable(*want) {
		err = eachRow(*want, ev.learnRow)
	} else {
		err = truth.EachPrimary(*want, bam.AllVariableLengthData, ev.learn)
	}
	if err != nil {
		return err
	}
	if err := truth.EachPrimary(*out, bam.AllVariableLengthData, ev.score); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%-18s %s\n", *label, ev)
	return err
}
