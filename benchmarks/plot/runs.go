package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// measured is one run of one tool. Times are in seconds, start-up taken off.
type measured struct {
	tool, set          string
	bases, reads       float64
	threads            float64
	round              int
	wall, user, system float64
	start              float64 // wall of the run on one pair
	rss                float64 // MiB
}

// readRuns reads a line of names and then, separated by tabs,
//
//	tool set bases reads threads round wall user system rss_mib start_wall start_user start_system
//
// where the last three are of the run on one pair.
func readRuns(r io.Reader) (runs []measured, err error) {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		if n == 1 {
			continue
		}
		m, err := parseRun(strings.Split(lines.Text(), "\t"))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		runs = append(runs, m)
	}
	if len(runs) == 0 && lines.Err() == nil {
		return nil, errors.New("no runs")
	}
	return runs, lines.Err()
}

func parseRun(fields []string) (m measured, err error) {
	const columns = 13
	if len(fields) != columns {
		return m, fmt.Errorf("%d columns, want %d", len(fields), columns)
	}
	var v [columns]float64
	for i := 2; i < columns; i++ {
		if v[i], err = strconv.ParseFloat(fields[i], 64); err != nil {
			return m, err
		}
	}
	m = measured{tool: fields[0], set: fields[1], bases: v[2], reads: v[3], threads: v[4], round: int(v[5]),
		wall: v[6] - v[10], user: v[7] - v[11], system: max(v[8]-v[12], 0), rss: v[9], start: v[10]}
	if m.bases <= 0 || m.reads <= 0 || m.threads <= 0 {
		return m, errors.New("bases, reads and threads must be above 0")
	}
	if m.wall <= 0 || m.user <= 0 {
		return m, fmt.Errorf("%s on %s takes no longer than on one pair: give more pairs", m.tool, m.set)
	}
	return m, nil
}

// spread is median, least and most over the rounds.
type spread struct{ median, least, most float64 }

func spreadOf(v []float64) spread {
	if len(v) == 0 {
		return spread{}
	}
	v = slices.Sorted(slices.Values(v))
	m := len(v) / 2
	s := spread{v[m], v[0], v[len(v)-1]}
	if len(v)%2 == 0 {
		s.median = (v[m-1] + v[m]) / 2
	}
	return s
}

// result is a tool on a genome, over all rounds.
type result struct {
	tool, set    string
	bases        float64
	threads      float64
	rounds       int
	perThread    spread // reads per second and thread
	user, system spread // microseconds per read
	ratio        spread // wall time over that of the first tool in the same round
	start        spread // seconds
	rss          float64
}

// summarize orders genomes by size, and tools as they come.
func summarize(runs []measured) []result {
	first := runs[0].tool
	type key struct {
		set   string
		round int
	}
	reference := map[key]float64{}
	var tools, sets []string
	for _, r := range slices.SortedStableFunc(slices.Values(runs), bySize) {
		if r.tool == first {
			reference[key{r.set, r.round}] = r.wall
		}
		if !slices.Contains(sets, r.set) {
			sets = append(sets, r.set)
		}
	}
	for _, r := range runs {
		if !slices.Contains(tools, r.tool) {
			tools = append(tools, r.tool)
		}
	}
	var out []result
	for _, set := range sets {
		for _, tool := range tools {
			var perThread, user, system, ratio, start []float64
			res := result{tool: tool, set: set}
			for _, r := range runs {
				if r.tool != tool || r.set != set {
					continue
				}
				res.bases, res.threads, res.rss = r.bases, r.threads, max(res.rss, r.rss)
				perThread = append(perThread, r.reads/r.wall/r.threads)
				user, system = append(user, r.user/r.reads*1e6), append(system, r.system/r.reads*1e6)
				start = append(start, r.start)
				if w := reference[key{r.set, r.round}]; w > 0 {
					ratio = append(ratio, r.wall/w)
				}
			}
			if res.rounds = len(perThread); res.rounds == 0 {
				continue // too large for it
			}
			res.perThread, res.user, res.system = spreadOf(perThread), spreadOf(user), spreadOf(system)
			res.ratio, res.start = spreadOf(ratio), spreadOf(start)
			out = append(out, res)
		}
	}
	return out
}

func bySize(a, b measured) int {
	switch {
	case a.bases < b.bases:
		return -1
	case a.bases > b.bases:
		return 1
	}
	return 0
}
