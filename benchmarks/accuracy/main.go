// Accuracy compares where alignpipe places simulated reads with where bwa mem does, on many
// kinds of sets, and says whether it is as good.
//
//	accuracy -cache DIR -alignpipe PROGRAM [-quick] [-sets LIST] [-seeds LIST] [-list FILE] [-calibrate]
//	accuracy -cache DIR -fill [-calibrate]     makes the sets and runs the peers, ahead of time
//
// A set is a reference and a shape, as chr20-2x150 or fly-1x100-snp0.01-err0.01; campaign.go
// lists those that run when -sets does not choose. Seeds are pooled. The table goes to
// standard output in Markdown:
//
//	right %        of all reads; benchmarks/internal/truth has the rule
//	only it right  reads that the other tool does not have right; at MAPQ 0 a coin decided
//	MAPQ>=20 %     share of all reads placed at MAPQ 20 or above
//	errors         wrong ones among these
//	verdict        verdict.go has the conditions
//
// It fails, after the table, when a set does. -list writes the reads behind it: list.go.
// -calibrate compares each MAPQ with what it claims, and also runs minimap2 and, where there
// is one, strobealign: calibration.go.
//
// simulate.sh makes what sets are missing. What the peers did is kept in DIR and done again
// when version, options or truth change; programs are found by name or by the variables BWA,
// MINIMAP2 and STROBEALIGN.
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
			fmt.Fprintln(os.Stderr, "accuracy: error:", err)
		}
		os.Exit(1)
	}
}

// options are the flags, and what they come to.
type options struct {
	cache, alignpipe, simulate, yeast, list string
	quick, fillOnly, calibrate              bool
	threads                                 int
	sets                                    []set
	seeds                                   []int
	stderr                                  io.Writer
}

// say reports progress.
func (o *options) say(format string, args ...any) {
	fmt.Fprintf(o.stderr, format+"\n", args...)
}

func parseOptions(args []string, stderr io.Writer) (*options, error) {
	o := &options{stderr: stderr}
	var sets, seeds string
	fs := flag.NewFlagSet("accuracy", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.cache, "cache", "", "folder for sets, indexes and what the peers did, several GB for all sets")
	fs.StringVar(&o.alignpipe, "alignpipe", "", "the program to judge")
	fs.BoolVar(&o.quick, "quick", false, "few sets, one seed: about a minute")
	fs.StringVar(&sets, "sets", "", "names and patterns, as 'chr20-*,ecoli-2x50' (default: the campaign)")
	fs.StringVar(&seeds, "seeds", "", "numbers, as 1,2,3 (default: these; 1 with -quick)")
	fs.StringVar(&o.list, "list", "", "write the reads that count against the program to this file")
	fs.BoolVar(&o.calibrate, "calibrate", false, "compare each MAPQ with what it claims")
	fs.BoolVar(&o.fillOnly, "fill", false, "only make the sets and run the peers")
	fs.StringVar(&o.simulate, "simulate", "benchmarks/simulate.sh", "the script that makes sets")
	fs.StringVar(&o.yeast, "yeast", "", "FASTA of yeast, needed once for its sets")
	fs.IntVar(&o.threads, "threads", 2, "of each aligner")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 || o.cache == "" || (o.alignpipe == "") != o.fillOnly {
		return nil, errors.New("-cache and one of -alignpipe and -fill are needed; nothing goes without a flag")
	}
	return o, o.choose(sets, seeds)
}

// choose settles on sets and seeds.
func (o *options) choose(sets, seeds string) (err error) {
	known := campaign()
	if o.quick {
		known = quickSets
	}
	if seeds == "" {
		seeds = "1,2,3"
		if o.quick {
			seeds = "1"
		}
	}
	if o.seeds, err = parseSeeds(seeds); err != nil {
		return err
	}
	if sets != "" {
		o.sets, err = chooseSets(sets, known)
	} else {
		o.sets, err = parseSets(known)
	}
	return err
}

func run(args []string, stdout, stderr io.Writer) error {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	peers, err := findPeers(o)
	if err != nil {
		return err
	}
	if o.fillOnly {
		return fillCache(o, peers)
	}
	work, err := os.MkdirTemp("", "accuracy")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	c := newComparison(o, &alignpipe{path: o.alignpipe, work: work}, peers, stdout)
	if o.list == "" {
		err = c.run(io.Discard)
	} else {
		err = replaceFile(o.list, func(f *os.File) error { return c.run(f) })
	}
	if err != nil {
		return err
	}
	return c.conclude()
}

// findPeers returns bwa and, for a calibration, the others.
func findPeers(o *options) ([]*found, error) {
	first, err := bwa.find()
	if err != nil {
		return nil, err
	}
	peers := []*found{first}
	if !o.calibrate {
		return peers, nil
	}
	second, err := minimap2.find()
	if err != nil {
		return nil, err
	}
	peers = append(peers, second)
	third, err := strobealign.find()
	if err != nil {
		o.say("without strobealign: %v", err)
		return peers, nil
	}
	return append(peers, third), nil
}

// fillCache does without the program what takes longest.
func fillCache(o *options, peers []*found) error {
	for _, set := range o.sets {
		for _, seed := range o.seeds {
			s, err := loadSample(o, set, seed)
			if err != nil {
				return err
			}
			if _, err := peerOutcomes(o, peers, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func peerOutcomes(o *options, peers []*found, s *sample) ([]outcomes, error) {
	all := make([]outcomes, len(peers))
	for i, p := range peers {
		var err error
		if all[i], err = p.outcomes(o, s); err != nil {
			return nil, err
		}
	}
	return all, nil
}
