// Genome writes a made-up genome with the repeats of a mammal's, as FASTA.
//
//	genome [-size 3.1e9] [-seed 1] [-o FILE]
//
// The same size and seed give the same bytes. It has the chromosomes of human, in its
// proportions, and per genome about
//
//	10 %    Alu-like elements of 300 bases, 5 to 20 % from their consensus
//	17 %    L1-like elements of up to 6 kb, most of them cut at the 5' end, 3 to 25 %
//	17 %    some seventy older families of 150 bases to 7 kb, 10 to 30 %
//	3 %     segmental duplications of 10 to 200 kb, 1 to 5 % from where they came from
//	2 %     satellites: 171-base monomers in higher-order repeats, others for each chromosome
//	1.5 %   micro- and minisatellites
//	3.5 %   N: telomeres, centromeres, short arms, gaps
//
// and for the rest bases without memory, whose share of G and C changes every few hundred
// kilobases. Repeats are in lower case. What it does not have: genes, CpG depletion, and
// sequence that evolved. It says how mappers cope with size and repeats, not how well they
// do on human reads.
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
			fmt.Fprintln(os.Stderr, "genome: error:", err)
		}
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) (err error) {
	fs := flag.NewFlagSet("genome", flag.ContinueOnError)
	fs.SetOutput(stderr)
	size := fs.Float64("size", 3.1e9, "bases, N included")
	seed := fs.Uint64("seed", 1, "another seed gives another genome")
	name := fs.String("o", "", "FASTA file (default: standard output)")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 || *size < minSize || *size > 1e12 {
		return fmt.Errorf("give a size between %d and 1e12, and no other arguments", minSize)
	}
	out := stdout
	if *name != "" {
		file, err := os.Create(*name)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	return newMaker(out, int64(*size), *seed).genome()
}
