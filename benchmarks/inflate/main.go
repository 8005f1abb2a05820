// Inflate measures how fast gzip files are inflated, by this project's decoder and by others, and
// prints a Markdown table.
//
//	inflate [-rounds 7] [-bytes 64] [-ahead 4,8] [-no-tools] FILE.fq.gz...
//
// Each file is repeated, as members of one gzip file, to about -bytes MiB, so that starting a
// program is little of its time, and decoding ahead, which begins at 4 MiB, most of it. In a round
// every decoder inflates every file once, one after the other, so that a change of the machine's
// clock or load meets them all.
//
// What counts is CPU time, user and system, of all threads. The Go decoders run in this process,
// from memory; they check the CRC-32, as the programs do. Programs read a file that was just
// written, so that it is in the page cache, and write to /dev/null.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "inflate: error:", err)
		}
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("inflate", flag.ContinueOnError)
	fs.SetOutput(stderr)
	rounds := fs.Int("rounds", 7, "how often each decoder inflates each file; odd, so that the median is one of them")
	mib := fs.Int("bytes", 64, "MiB that files are repeated to")
	ahead := fs.String("ahead", "", "numbers of workers, 4 or more, to show decoding ahead with, as 4,8")
	noTools := fs.Bool("no-tools", false, "leave out other programs")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() == 0 || *rounds < 1 {
		return errors.New("give gzip files and a number of rounds")
	}
	decoders, err := decodersFor(*ahead, !*noTools)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "inflate-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var inputs []input
	for _, path := range fs.Args() {
		in, err := newInput(path, dir, *mib<<20)
		if err != nil {
			return err
		}
		inputs = append(inputs, in)
	}
	results, err := measure(decoders, inputs, *rounds, stderr)
	if err != nil {
		return err
	}
	return writeTable(stdout, decoders, inputs, results)
}

// decodersFor is what to compare: those in Go, ours with so many workers, and what is installed.
func decodersFor(ahead string, tools bool) ([]decoder, error) {
	decoders := goDecoders()
	for _, s := range strings.FieldsFunc(ahead, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-ahead %s: not a number of workers", s)
		}
		decoders = append(decoders, ownDecoder(n))
	}
	if tools {
		decoders = append(decoders, installed()...)
	}
	return decoders, nil
}

// input is a gzip file, repeated.
type input struct {
	name  string
	path  string // of the repeated file
	data  []byte // what is in it
	plain int64  // bytes it inflates to
}

// newInput repeats the file at path to size bytes, in dir.
func newInput(path, dir string, size int) (input, error) {
	one, err := os.ReadFile(path)
	if err != nil {
		return input{}, err
	}
	if !bytes.HasPrefix(one, []byte("\x1f\x8b")) {
		return input{}, fmt.Errorf("%s is no gzip file", path)
	}
	in := input{name: filepath.Base(path), data: bytes.Repeat(one, max(1, size/len(one)))}
	in.path = filepath.Join(dir, fmt.Sprintf("%d-%s", len(one), in.name))
	if err := os.WriteFile(in.path, in.data, 0o666); err != nil {
		return input{}, err
	}
	in.plain, err = ownDecoder(1).inflate(in)
	return in, err
}
