package main

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const listHead = "kind\tsample\tread\tmate\ttruth\tbwa\tbwa_mapq\tbwa_AS\tbwa_XS\tours\tours_mapq\tours_AS\tours_XS\n"

// kinds names the conditions of [faults] that a read counts against:
//
//	errors  ours is wrong at MAPQ 20 or above; bwa is right, or not sure
//	right   bwa is right and ours is not
//	placed  bwa is right at MAPQ 20 or above, and ours is not sure
func kinds(ours, bwa outcome) []string {
	var found []string
	if ours.Class == wrong && ours.placedAt(sure) && (bwa.Class == right || !bwa.placedAt(sure)) {
		found = append(found, "errors")
	}
	if bwa.Class == right && ours.Class != right {
		found = append(found, "right")
	}
	if bwa.Class == right && bwa.placedAt(sure) && !ours.placedAt(sure) {
		found = append(found, "placed")
	}
	return found
}

// list writes a line for each read behind a failure. Positions count from 1.
func list(w io.Writer, s *sample, ours, bwa outcomes) error {
	bw := bufio.NewWriter(w)
	refs := s.refNames()
	for i := range ours {
		found := kinds(ours[i], bwa[i])
		if found == nil {
			continue
		}
		name, mate := s.readName(i)
		want := s.want[i]
		fmt.Fprintf(bw, "%s\t%s\t%s\t%d\t%s:%d-%d:%s\t%s\t%s\n", strings.Join(found, ","), s.name(), name, mate,
			refs[want.Ref], want.Start+1, want.End, strand(want.reverse), columns(bwa[i], refs), columns(ours[i], refs))
	}
	return bw.Flush()
}

// columns are place, MAPQ, AS and XS.
func columns(o outcome, refs []string) string {
	switch o.Class {
	case missing:
		return "missing\t.\t.\t."
	case unmapped:
		return "unmapped\t.\t.\t."
	}
	return fmt.Sprintf("%s:%d:%s\t%d\t%s\t%s", refs[o.Ref], o.Pos+1, strand(o.Reverse), o.MapQ, scoreText(o.AS), scoreText(o.XS))
}

func scoreText(score int32) string {
	if score == noScore {
		return "."
	}
	return strconv.Itoa(int(score))
}

func strand(reverse bool) string {
	if reverse {
		return "-"
	}
	return "+"
}
