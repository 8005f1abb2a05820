// Deflate measures what compressing the blocks of a BAM costs, and saves.
//
//	deflate [-mb 64] [-rounds 5] [-levels 1,2,3,4,5,6,7,8,9] [-encoders own,klauspost,std] [-rows] BAM
//
// It takes the first -mb megabytes of what the BAM holds, cuts them into payloads of 65,280 bytes,
// and compresses them with each encoder at each level, on one thread, all of them once a round.
// The table has the MB/s of CPU (uncompressed; the median of the rounds, and the best), and the
// bytes with the framing of BGZF. CRC-32 is part of the time. With -rows it prints, tab separated,
// encoder, level, CPU seconds, uncompressed and compressed bytes of each measurement instead.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/klauspost/compress/gzip"

	"github.com/alignpipe/alignpipe/internal/deflate"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "deflate: error:", err)
		}
		os.Exit(1)
	}
}

type options struct {
	mb, rounds int
	rows       bool
	levels     []int
	encoders   []string
}

func run(args []string, stdout, stderr io.Writer) error {
	o := options{}
	flags := flag.NewFlagSet("deflate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.mb, "mb", 64, "megabytes to take")
	flags.IntVar(&o.rounds, "rounds", 5, "measurements of each")
	flags.BoolVar(&o.rows, "rows", false, "print each measurement")
	levels := flags.String("levels", "1,2,3,4,5,6,7,8,9", "")
	encoders := flags.String("encoders", "own,klauspost,std", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 || o.mb < 1 || o.rounds < 1 {
		return errors.New("needs one BAM, and at least one megabyte and round; -h tells more")
	}
	for _, s := range strings.Split(*levels, ",") {
		level, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("levels: %w", err)
		}
		o.levels = append(o.levels, level)
	}
	o.encoders = strings.Split(*encoders, ",")
	data, err := load(flags.Arg(0), o.mb)
	if err != nil {
		return err
	}
	results, err := measure(data, o)
	if err != nil {
		return err
	}
	if o.rows {
		return printRows(stdout, results, len(data))
	}
	return printTable(stdout, results, len(data))
}

// load returns the first megabytes that a BGZF file holds.
func load(name string, mb int) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var data bytes.Buffer
	if _, err := io.Copy(&data, io.LimitReader(z, int64(mb)*1e6)); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if data.Len() < deflate.MaxInput {
		return nil, fmt.Errorf("%s holds less than one full block", name)
	}
	return data.Bytes(), nil
}

// result is one encoder at one level.
type result struct {
	encoder string
	level   int
	seconds []float64 // CPU, by round
	bytes   int
}

func measure(data []byte, o options) ([]*result, error) {
	var results []*result
	var encode []encoder
	for _, name := range o.encoders {
		for _, level := range o.levels {
			e, err := newEncoder(name, level)
			if err != nil {
				return nil, err
			}
			encode = append(encode, e)
			results = append(results, &result{encoder: name, level: level})
		}
	}
	for range o.rounds {
		for i, r := range results {
			seconds, size, err := encodeAll(encode[i], data)
			if err != nil {
				return nil, err
			}
			if r.bytes != 0 && r.bytes != size {
				return nil, fmt.Errorf("%s %d: %d bytes, then %d", r.encoder, r.level, r.bytes, size)
			}
			r.bytes = size
			r.seconds = append(r.seconds, seconds)
		}
	}
	return results, nil
}

func printRows(w io.Writer, results []*result, input int) error {
	for _, r := range results {
		for _, s := range r.seconds {
			if _, err := fmt.Fprintf(w, "%s\t%d\t%.4f\t%d\t%d\n", r.encoder, r.level, s, input, r.bytes); err != nil {
				return err
			}
		}
	}
	return nil
}

func printTable(w io.Writer, results []*result, input int) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "encoder\tlevel\tMB/s\tbest\tbytes\tratio\t")
	for _, r := range results {
		slices.Sort(r.seconds)
		rate := func(s float64) float64 { return float64(input) / 1e6 / s }
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%.0f\t%d\t%.3f\t\n", r.encoder, r.level, rate(r.seconds[len(r.seconds)/2]), rate(r.seconds[0]),
			r.bytes, float64(input)/float64(r.bytes))
	}
	return t.Flush()
}
