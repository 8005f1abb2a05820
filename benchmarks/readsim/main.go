// Readsim simulates read pairs from a genome of any size, and says where they come from.
//
//	readsim -ref FASTA -o PREFIX [-pairs 1000000] [-len 150] [-frag 400] [-sd 80]
//	        [-snp 0.0012] [-indel 0.0002] [-err 0.004] [-seed 1] [-plain]
//	        [-duplicates 0] [-optical 0] [-chimeras 0] [-junk 0] [-overhangs 0] [-adapters]
//
// It writes PREFIX_1.fq.gz, PREFIX_2.fq.gz, and PREFIX_truth.tsv.gz for mapeval -truth
// (without .gz under -plain). The same reference and flags give the same reads.
//
//   - Fragments lie anywhere but on N, on either strand; lengths are normal, and at least
//     that of a read. Mates face each other.
//   - Variants belong to the genome, not to the read: whether a place differs, and how,
//     follows from its position and the seed, so reads agree on it. Indels have 1 to 12
//     bases, half of them 1.
//   - Errors are substitutions. Their rate rises along the read to five times that of its
//     start, and the second mate has half as many again as the first; the mean is -err.
//     Qualities are of four bins, and mean what they say.
//
// For the marking of duplicates, all off by default:
//
//   - -duplicates is the share of pairs that repeat one of the last few thousand fragments, with
//     errors and qualities of their own; -optical is the share of those whose clusters lie beside
//     each other. Names are then as Illumina's, with a place on the flow cell.
//   - -chimeras is the share of fragments joined from two, mostly of different contigs, and -junk
//     that of fragments with one end of no genome. The truth leaves both out.
//   - -overhangs is the share of reads that begin with up to 12 bases of no genome, and -adapters
//     lets fragments be shorter than reads, which then run into the adapter: both get clipped.
//
// It takes a quarter of a byte per base of the reference, and a few microseconds per pair.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "readsim: error:", err)
		}
		os.Exit(1)
	}
}

// model is what the reads are to be like.
type model struct {
	pairs      int
	length     int     // bases of a read
	mean, sd   float64 // of the fragments' lengths
	snp, indel float64 // variants per base of the genome
	err        float64 // errors per base of the reads
	seed       uint64
	library    library
}

func run(args []string, stderr io.Writer) error {
	var m model
	fs := flag.NewFlagSet("readsim", flag.ContinueOnError)
	fs.SetOutput(stderr)
	ref := fs.String("ref", "", "FASTA file, plain or gzip")
	prefix := fs.String("o", "", "start of the names of the files")
	plain := fs.Bool("plain", false, "do not compress")
	fs.IntVar(&m.pairs, "pairs", 1_000_000, "number of pairs")
	fs.IntVar(&m.length, "len", 150, "bases of a read")
	fs.Float64Var(&m.mean, "frag", 400, "mean length of a fragment")
	fs.Float64Var(&m.sd, "sd", 80, "its standard deviation")
	fs.Float64Var(&m.snp, "snp", .0012, "substitutions per base of the genome")
	fs.Float64Var(&m.indel, "indel", .0002, "insertions and deletions per base of the genome")
	fs.Float64Var(&m.err, "err", .004, "errors per base of the reads")
	fs.Uint64Var(&m.seed, "seed", 1, "another seed gives other variants and reads")
	fs.Float64Var(&m.library.duplicates, "duplicates", 0, "share of the pairs that are duplicates")
	fs.Float64Var(&m.library.optical, "optical", 0, "share of the duplicates that are optical")
	fs.Float64Var(&m.library.chimeras, "chimeras", 0, "share of the fragments that are two, joined")
	fs.Float64Var(&m.library.junk, "junk", 0, "share of the fragments with an end of no genome")
	fs.Float64Var(&m.library.overhangs, "overhangs", 0, "share of the reads that begin with bases of no genome")
	fs.BoolVar(&m.library.adapters, "adapters", false, "let fragments be shorter than reads")
	if err := fs.Parse(args); err != nil {
		return err
	}
	switch {
	case *ref == "" || *prefix == "" || fs.NArg() > 0:
		return errors.New("-ref and -o are needed, and nothing that is no flag")
	case !m.library.valid():
		return errors.New("shares lie between 0 and 1")
	case m.pairs < 0 || m.length < 20 || m.mean < float64(m.length) && !m.library.adapters || m.library.adapters && m.mean < shortest || m.sd < 0:
		return errors.New("reads have 20 bases or more, fragments at least as many as reads")
	case m.snp < 0 || m.indel < 0 || m.snp+m.indel > .3 || m.err < 0 || m.err > .02:
		return errors.New("at most 0.3 variants and 0.02 errors per base")
	}
	g, err := loadGenome(*ref)
	if err != nil {
		return fmt.Errorf("%s: %w", *ref, err)
	}
	out, err := createOutputs(*prefix, *plain)
	if err != nil {
		return err
	}
	return errors.Join(newSimulator(g, m).run(out), out.close())
}
