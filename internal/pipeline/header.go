package pipeline

import (
	"fmt"
	"strconv"
	"strings"
)

// contigs is what a header says of the reference; the mapper's index gives it.
type contigs interface {
	Names() []string
	Lens() []int64
	MD5s() []string
}

// headerText is the SAM header. It names nothing that does not change the records: no
// paths, no thread count, no time, so that equal results are equal files.
func headerText(cfg *Config, ref contigs) string {
	var b strings.Builder
	order := map[SortOrder]string{SortCoordinate: "SO:coordinate", SortName: "SO:queryname\tSS:queryname:natural",
		SortNone: "SO:unsorted\tGO:query"}
	fmt.Fprintf(&b, "@HD\tVN:1.6\t%s\n", order[cfg.Sort])
	names, lens, sums := ref.Names(), ref.Lens(), ref.MD5s()
	for i := range names { // may be a million
		b.WriteString("@SQ\tSN:" + names[i] + "\tLN:" + strconv.FormatInt(lens[i], 10) + "\tM5:" + sums[i] + "\n")
	}
	if cfg.ReadGroup.Line != "" {
		b.WriteString(cfg.ReadGroup.Line + "\n")
	}
	fmt.Fprintf(&b, "@PG\tID:alignpipe\tPN:alignpipe\tVN:%s\tCL:alignpipe align", cfg.Version)
	if cfg.Comments {
		b.WriteString(" --comments")
	}
	for word, o := range Orientations() {
		if o == cfg.Orientation && word != "fr" {
			b.WriteString(" --orientation " + word)
		}
	}
	if cfg.MarkDuplicates {
		b.WriteString(" --mark-duplicates")
	}
	switch cfg.Sort {
	case SortName:
		b.WriteString(" --sort name")
	case SortNone:
		b.WriteString(" --sort none")
	}
	b.WriteString("\n")
	return b.String()
}
