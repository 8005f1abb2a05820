package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"
)

// measure lets each decoder inflate each input once a round. What comes back is by input, decoder
// and round.
func measure(decoders []decoder, inputs []input, rounds int, progress io.Writer) ([][][]took, error) {
	results := make([][][]took, len(inputs))
	for i := range inputs {
		results[i] = make([][]took, len(decoders))
	}
	for round := range rounds {
		for i, in := range inputs {
			for d := range decoders {
				runtime.GC() // so that nobody sweeps for the one before
				t, err := decoders[d].time(in)
				if err != nil {
					return nil, err
				}
				results[i][d] = append(results[i][d], t)
			}
		}
		fmt.Fprintf(progress, "round %d of %d\n", round+1, rounds)
	}
	return results, nil
}

// spread is the median of some numbers, the least, and the most.
type spread struct{ median, least, most float64 }

func spreadOf(v []float64) spread {
	v = slices.Sorted(slices.Values(v))
	return spread{v[len(v)/2], v[0], v[len(v)-1]}
}

// writeTable writes a line for each input and decoder.
func writeTable(w io.Writer, decoders []decoder, inputs []input, results [][][]took) error {
	base := slices.IndexFunc(decoders, func(d decoder) bool { return d.name == baseline })
	out := "| file | decoder | MB/s of CPU time | least to most | times " + baseline + " | least to most | MB/s of wall time |\n|---|---|--:|--:|--:|--:|--:|\n"
	for i, in := range inputs {
		for d := range decoders {
			var cpu, wall, times []float64
			for round, t := range results[i][d] {
				cpu = append(cpu, rate(in.plain, t.cpu))
				wall = append(wall, rate(in.plain, t.wall))
				times = append(times, float64(results[i][base][round].cpu)/float64(max(1, t.cpu)))
			}
			c, x, e := spreadOf(cpu), spreadOf(times), spreadOf(wall)
			out += fmt.Sprintf("| %s | %s | %.0f | %.0f-%.0f | %.2f | %.2f-%.2f | %.0f |\n",
				in.name, decoders[d].name, c.median, c.least, c.most, x.median, x.least, x.most, e.median)
		}
	}
	_, err := io.WriteString(w, out)
	return err
}

// rate is in millions of plain bytes a second.
func rate(bytes int64, d time.Duration) float64 { return float64(bytes) / 1e6 / max(1e-9, d.Seconds()) }
