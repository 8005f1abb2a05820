package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/alignpipe/alignpipe/internal/pipeline"
)

const helpHead = `alignpipe maps sequencing reads to a reference and writes sorted, indexed BAM.

Usage: alignpipe COMMAND [flags] FILES

`

const helpTail = `
Examples:
  alignpipe align -o out.bam ref.fa reads_1.fq.gz reads_2.fq.gz
  alignpipe verify --bam out.bam reads_1.fq.gz reads_2.fq.gz

alignpipe help COMMAND tells more. Exit codes: 0 done, 1 failed, 64 misuse,
65 bad input data, 74 output failed; a signal ends the program by that signal.
`

func helpCommand(ctx context.Context, args []string, std stdio) error {
	switch {
	case len(args) > 1:
		return pipeline.Misuse("alignpipe help align", "help takes one command")
	case len(args) == 1 && args[0] != "help" && args[0] != "version":
		return dispatch(ctx, []string{args[0], "--help"}, std)
	}
	var b strings.Builder
	b.WriteString(helpHead)
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-9s %s\n", c.name, c.about)
	}
	b.WriteString(helpTail)
	_, err := std.out.Write([]byte(b.String()))
	return err
}
