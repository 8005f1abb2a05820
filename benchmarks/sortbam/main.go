// Sortbam sorts a BAM file by coordinate with the packages sorter and bgzfout, and says
// what that took.
//
//	sortbam [-t 2] [-m 4G] [-T DIR] [-l 1] [-writers 1] [-cpuprofile FILE] -o OUT.bam IN.bam
//
// It is what benchmarks/sort.sh holds against samtools sort and sambamba sort. It writes
// OUT.bam and OUT.bam.bai (.csi where a reference is too long): records by reference, position, strand and place in the input, the
// header with SO:coordinate. -m is for the whole program; what does not fit into it is
// spilled to a private folder in DIR. One line of JSON goes to standard output:
//
//	records, input_bytes, output_bytes          of the files as they are
//	wall_seconds, user_seconds, system_seconds  of the process
//	read_seconds, merge_seconds                 wall time of the two halves: until all records are in slabs or runs; the rest
//	cpu_us_per_record                           user and system
//	peak_rss_bytes, sorter_peak_bytes           of the process; of slabs and merge buffers in it
//	spilled_runs, merged_runs, spilled_bytes
//	write_call_seconds, write_cpu_seconds       in write calls, of all -writers; what of it was on a CPU: the
//	                                            rest they waited, for the device, a core, or one another
//
// The input may be compressed at any level. On its way are a goroutine that cuts the file into
// pieces of whole BGZF blocks (blocks.go) and -t that inflate a piece, cut it into records and
// add those to a slab each (records.go); then the merge, and -t compressors (sort.go).
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "sortbam: error:", err)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var j job
	fs := flag.NewFlagSet("sortbam", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&j.out, "o", "", "BAM to write")
	fs.IntVar(&j.threads, "t", 2, "threads")
	fs.StringVar(&j.temp, "T", os.TempDir(), "folder for what does not fit in memory")
	fs.IntVar(&j.level, "l", 1, "level of compression, 0 to 9")
	fs.IntVar(&j.writers, "writers", 1, "goroutines that write the file")
	memory := fs.String("m", "4G", "memory of the program, in bytes or with K, M or G")
	profile := fs.String("cpuprofile", "", "file to write a CPU profile to")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if j.out == "" || fs.NArg() != 1 || j.threads < 1 {
		return errors.New("-o and one BAM are needed, and one thread or more")
	}
	j.in = fs.Arg(0)
	var err error
	if j.memory, err = parseSize(*memory); err != nil {
		return err
	}
	if *profile != "" {
		stop, err := startProfile(*profile)
		if err != nil {
			return err
		}
		defer stop()
	}
	res, err := j.run(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(res)
}

// startProfile returns what ends the profile.
func startProfile(path string) (stop func(), err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { pprof.StopCPUProfile(); f.Close() }, nil
}

// parseSize reads bytes, with a power of 1024 behind them if there is one.
func parseSize(s string) (int64, error) {
	shift := 0
	digits := s
	if i := strings.IndexAny(s, "KMG"); i > 0 && i == len(s)-1 {
		shift = 10 * (1 + strings.IndexByte("KMG", s[i]))
		digits = s[:i]
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > 1<<62>>shift {
		return 0, fmt.Errorf("no size: %q", s)
	}
	return n << shift, nil
}
