package main

import (
	"fmt"
	"io"
	"strings"
)

// writeTable has a row for each genome and tool. It needs one result or more.
func writeTable(w io.Writer, results []result) error {
	var b strings.Builder
	first, _, _ := strings.Cut(results[0].tool, " ") // without its version
	fmt.Fprintf(&b, "| genome | size | tool | reads/s | reads/s per thread | time against %s | user us/read | system us/read | start-up s | RSS MiB |\n", first)
	b.WriteString("|---|--:|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s | %s | %.0f | %.0f (%.0f to %.0f) | %.2f (%.2f to %.2f) | %.2f | %.2f | %.2f | %.0f |\n",
			r.set, sizeName(r.bases), r.tool, r.perThread.median*r.threads, r.perThread.median, r.perThread.least, r.perThread.most,
			r.ratio.median, r.ratio.least, r.ratio.most, r.user.median, r.system.median, r.start.median, r.rss)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// sizeName has two digits or more: 4.9 Mb, 63 Mb, 3.1 Gb.
func sizeName(bases float64) string {
	unit := "kb"
	switch bases /= 1e3; {
	case bases >= 999.5e3:
		bases, unit = bases/1e6, "Gb"
	case bases >= 999.5:
		bases, unit = bases/1e3, "Mb"
	}
	if bases < 9.95 {
		return fmt.Sprintf("%.1f %s", bases, unit)
	}
	return fmt.Sprintf("%.0f %s", bases, unit)
}
