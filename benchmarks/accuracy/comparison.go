package main

import (
	"fmt"
	"io"
	"path/filepath"
)

// A comparison goes through the sets, and remembers what failed.
type comparison struct {
	o           *options
	ours        *alignpipe
	peers       []*found // bwa first
	stdout      io.Writer
	calibration *calibration
	failed      int
}

func newComparison(o *options, ours *alignpipe, peers []*found, stdout io.Writer) *comparison {
	return &comparison{o: o, ours: ours, peers: peers, stdout: stdout, calibration: newCalibration()}
}

// run writes the table row by row, and the reads behind failures to reads.
func (c *comparison) run(reads io.Writer) error {
	if _, err := io.WriteString(reads, listHead); err != nil {
		return err
	}
	if err := writeTableHead(c.stdout); err != nil {
		return err
	}
	for _, set := range c.o.sets {
		if err := c.runSet(set, reads); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) runSet(set set, reads io.Writer) error {
	var ours, theirs tally
	for _, seed := range c.o.seeds {
		s, err := loadSample(c.o, set, seed)
		if err != nil {
			return err
		}
		peers, err := peerOutcomes(c.o, c.peers, s)
		if err != nil {
			return err
		}
		out, err := c.ours.outcomes(c.o, s)
		if err != nil {
			return err
		}
		addAll(&ours, &theirs, out, peers[0])
		c.calibration.add(out, peers)
		if err := list(reads, s, out, peers[0]); err != nil {
			return err
		}
	}
	if faults(ours, theirs) != nil {
		c.failed++
	}
	return writeRows(c.stdout, set.name, c.label(), c.peers[0].label(), ours, theirs)
}

// label tells builds apart by the name of the program.
func (c *comparison) label() string { return filepath.Base(c.ours.path) }

// conclude sums up, and is an error when a condition is not met.
func (c *comparison) conclude() error {
	passed := len(c.o.sets) - c.failed
	if _, err := fmt.Fprintf(c.stdout, "\n%d of %d sets pass.\n", passed, len(c.o.sets)); err != nil {
		return err
	}
	var misleading []string
	if c.o.calibrate {
		if err := c.calibration.write(c.stdout, c.label()); err != nil {
			return err
		}
		misleading = c.calibration.faults()
		fmt.Fprintln(c.stdout)
		for _, m := range misleading {
			fmt.Fprintln(c.stdout, "FAIL: "+m)
		}
		if misleading == nil {
			fmt.Fprintln(c.stdout, "PASS: each MAPQ keeps its promise.")
		}
	}
	if c.failed > 0 || misleading != nil {
		return fmt.Errorf("%d sets fail, and %d promises of MAPQ", c.failed, len(misleading))
	}
	return nil
}
