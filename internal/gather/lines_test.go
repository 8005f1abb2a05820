package gather

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alignpipe/alignpipe/bgzfout"
)

func TestHeadersAreJoined(t *testing.T) {
	const (
		hd  = "@HD\tVN:1.6\tSO:coordinate\n"
		sq  = "@SQ\tSN:chr1\tLN:5\n"
		sum = "@SQ\tSN:chr1\tLN:5\tM5:aa\n"
	)
	tests := []struct {
		name  string
		texts []string
		want  string // or the error
	}{
		{"the same", []string{hd + sq + "@PG\tID:x\n", hd + sq + "@PG\tID:x\n"}, hd + sq + "@PG\tID:x\n"},
		{"the first @HD counts", []string{hd + sq, "@HD\tVN:1.5\tSO:coordinate\n" + sq}, hd + sq},
		{"the first @SQ counts", []string{hd + sq, hd + sum}, hd + sq},
		{"a checksum in other letters", []string{hd + sum, hd + "@SQ\tSN:chr1\tLN:5\tM5:AA\n"}, hd + sum},
		{"other bases", []string{hd + sum, hd + "@SQ\tSN:chr1\tLN:5\tM5:bb\n"}, "the bases of chr1 are not those of the first part: M5 bb, not aa"},
		{"other bases, which the first part does not name", []string{hd + sq, hd + sum, hd + "@SQ\tSN:chr1\tLN:5\tM5:bb\n"}, "the bases of chr1"},
		{"read groups of lanes", []string{hd + "@RG\tID:1\tSM:s\n", hd + "@RG\tID:2\tSM:s\n", hd + "@RG\tID:1\tSM:s\n"}, hd + "@RG\tID:1\tSM:s\n@RG\tID:2\tSM:s\n"},
		{"a read group of two samples", []string{hd + "@RG\tID:1\tSM:s\n", hd + "@RG\tID:1\tSM:t\n"}, "read group 1 is not what it is"},
		{"a program with other settings", []string{hd + "@PG\tID:x\tCL:1\n", hd + "@PG\tID:x\tCL:2\n", hd + "@PG\tID:x\tCL:1\n", hd + "@PG\tID:x\tCL:3\n"},
			hd + "@PG\tID:x\tCL:1\n@PG\tID:x.1\tCL:2\n@PG\tID:x.2\tCL:3\n"},
		{"a chain of programs", []string{hd + "@PG\tID:a\tCL:1\n@PG\tID:b\tPP:a\n", hd + "@PG\tID:a\tCL:2\n@PG\tID:b\tPP:a\n"},
			hd + "@PG\tID:a\tCL:1\n@PG\tID:b\tPP:a\n@PG\tID:a.1\tCL:2\n@PG\tID:b.1\tPP:a.1\n"},
		{"a chain that is shared to its middle", []string{hd + "@PG\tID:a\n@PG\tID:b\tPP:a\tCL:1\n", hd + "@PG\tID:a\n@PG\tID:b\tPP:a\tCL:2\n"},
			hd + "@PG\tID:a\n@PG\tID:b\tPP:a\tCL:1\n@PG\tID:b.1\tPP:a\tCL:2\n"},
		{"a chain told backwards", []string{hd + "@PG\tID:x\n", hd + "@PG\tID:b\tPP:a\n@PG\tID:a\n"}, hd + "@PG\tID:x\n@PG\tID:a\n@PG\tID:b\tPP:a\n"},
		{"a chain in a circle", []string{hd + "@PG\tID:x\n", hd + "@PG\tID:a\tPP:b\n@PG\tID:b\tPP:a\n"}, hd + "@PG\tID:x\n@PG\tID:b\tPP:a\n@PG\tID:a\tPP:b\n"},
		{"an ID that a new one would take", []string{hd + "@PG\tID:x.1\n@PG\tID:x\tCL:1\n", hd + "@PG\tID:x\tCL:2\n"}, hd + "@PG\tID:x.1\n@PG\tID:x\tCL:1\n@PG\tID:x.2\tCL:2\n"},
		{"comments, and what is of no known kind", []string{hd + "@CO\tone\n@xx\ty\n", hd + "@CO\ttwo\n@CO\tone\n@xx\ty\n"}, hd + "@CO\tone\n@CO\ttwo\n@xx\ty\n"},
		{"line ends of Windows", []string{hd + "@CO\tone\r\n", hd + "@CO\tone\n"}, hd + "@CO\tone\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLines()
			var err error
			for _, text := range tt.texts {
				err = errors.Join(err, l.add(text))
			}
			switch {
			case err != nil && !strings.HasPrefix(err.Error(), tt.want):
				t.Errorf("error %q, want %q", err, tt.want)
			case err == nil:
				if diff := cmp.Diff(tt.want, l.text()); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			}
		})
	}
}

// The joined header is that of the output, and the order of the records does not show in it.
func TestJoinedHeaderIsWritten(t *testing.T) {
	recs := randomRecs(20, testRefs, 600)
	dir := t.TempDir()
	var paths []string
	for i, part := range cutEvenly(recs, 3) {
		path := filepath.Join(dir, string(rune('c'-i))+".bam")
		tail := "@RG\tID:" + string(rune('1'+i)) + "\tSM:s\n@PG\tID:p\n"
		ownBAM(t, path, headerOf(testRefs, testText, tail), testRefs, part, bgzfout.BAI)
		paths = append(paths, path)
	}
	cfg := config(t.TempDir(), paths...)
	_, err := Run(t.Context(), cfg)
	must(t, err)
	wantRecords(t, cfg.Output, headerOf(testRefs, testText, "@RG\tID:1\tSM:s\n@RG\tID:2\tSM:s\n@RG\tID:3\tSM:s\n@PG\tID:p\n"), recs)
}
