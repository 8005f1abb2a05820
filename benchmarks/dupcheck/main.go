// Dupcheck compares the duplicate marking of alignpipe with that of samtools on one file.
//
//	dupcheck [-d N] [-m BYTES] [-t WORKERS] [-tmp DIR] [-samtools samtools] FILE.bam
//
// FILE.bam is sorted by coordinate and has MC and ms tags, as alignpipe's output. Its records go
// through internal/markdup, templates in the order in which they appear, and through samtools
// markdup 1.16. Dupcheck prints both counts, the CPU time that our half took, and the records that
// differ, of which there should be none; if there are, or the optical pairs under -d differ in
// number, it exits with 1. It keeps a number for each name in memory.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "dupcheck: error:", err)
		}
		os.Exit(1)
	}
}

// job is the command line.
type job struct {
	path, samtools, temp string
	distance, workers    int
	memory               int64
}

func run(args []string, stdout, stderr io.Writer) error {
	var j job
	fs := flag.NewFlagSet("dupcheck", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&j.distance, "d", 0, "optical distance")
	fs.Int64Var(&j.memory, "m", 256<<20, "bytes for the signatures")
	fs.IntVar(&j.workers, "t", 2, "workers")
	fs.StringVar(&j.temp, "tmp", "", "parent of the temporary folder")
	fs.StringVar(&j.samtools, "samtools", "samtools", "the program")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return errors.New("one BAM file is needed")
	}
	j.path = fs.Arg(0)
	return j.compare(stdout)
}
