package markdup

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/alignpipe/alignpipe/internal/bamrec"
)

// needSamtools skips the test without samtools 1.16, whose decisions are ours.
func needSamtools(t *testing.T) {
	t.Helper()
	out, err := exec.Command("samtools", "--version").Output()
	if err != nil || !bytes.HasPrefix(out, []byte("samtools 1.16")) {
		t.Skip("no samtools 1.16")
	}
}

// samtoolsMarks sorts records, and returns the ordinals that samtools markdup marks, and its count of
// optical duplicates among pairs, by record.
func samtoolsMarks(t *testing.T, records []record, args ...string) (map[uint64]bool, int64) {
	t.Helper()
	records = sorted(records)
	names := []string{"a", "b", "c", "d"}
	text := []byte("@HD\tVN:1.6\tSO:coordinate\n")
	for _, n := range names {
		text = fmt.Appendf(text, "@SQ\tSN:%s\tLN:2147483000\n", n)
	}
	for _, r := range records {
		text = bamrec.AppendSAM(text, r.data, names)
	}
	dir := t.TempDir()
	in, stats := filepath.Join(dir, "in.sam"), filepath.Join(dir, "stats")
	if err := os.WriteFile(in, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("samtools", append(append([]string{"markdup", "-f", stats, "-O", "sam", "--no-PG"}, args...), in, "-")...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.Bytes())
	}
	return readMarks(t, out, records), readOptical(t, stats)
}

func readMarks(t *testing.T, sam []byte, records []record) map[uint64]bool {
	t.Helper()
	marks := map[uint64]bool{}
	i := 0
	for line := range strings.Lines(string(sam)) {
		if line[0] == '@' {
			continue
		}
		fields := strings.SplitN(line, "\t", 3)
		flag, _ := strconv.Atoi(fields[1])
		if i == len(records) || fields[0] != string(bamrec.Name(records[i].data)) || uint16(flag)&^0x400 != records[i].flag() {
			t.Fatalf("samtools' record %d is %q", i, line)
		}
		if flag&0x400 != 0 {
			marks[records[i].ord] = true
		}
		i++
	}
	if i != len(records) {
		t.Fatalf("samtools wrote %d of %d records", i, len(records))
	}
	return marks
}

func readOptical(t *testing.T, stats string) int64 {
	t.Helper()
	text, err := os.ReadFile(stats)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "DUPLICATE PAIR OPTICAL: ")
	n, err := strconv.ParseInt(strings.TrimSpace(after[:strings.IndexByte(after, '\n')]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// compareMarks reports the first differences, in words.
func compareMarks(t *testing.T, records []record, got, want map[uint64]bool) {
	t.Helper()
	bad := 0
	for _, r := range records {
		if got[r.ord] == want[r.ord] {
			continue
		}
		if bad++; bad <= 10 {
			t.Errorf("template %d record %#x: marked %t, samtools %t\n%s", r.ord>>OrdShift, r.ord&0xff, got[r.ord], want[r.ord],
				bamrec.AppendSAM(nil, r.data, []string{"a", "b", "c", "d"}))
		}
	}
	if bad > 0 {
		t.Fatalf("%d of %d records differ", bad, len(records))
	}
}

var crowds = map[string]crowd{
	"all on one spot":                   {seed: 1, templates: 3000, refs: 1, span: 4, quals: "#05?I"},
	"two references, equal qualities":   {seed: 2, templates: 6000, refs: 2, span: 30, quals: "I"},
	"many places, few duplicates":       {seed: 3, templates: 20000, refs: 4, span: 3000, quals: "#.0F"},
	"names come twice":                  {seed: 4, templates: 4000, refs: 2, span: 20, quals: "I", sameName: 0.2},
	"mostly single reads":               {seed: 5, templates: 8000, refs: 3, span: 200, quals: "#9", single: 0.9},
	"single reads and pairs, half each": {seed: 6, templates: 8000, refs: 2, span: 400, quals: "/0", single: 0.5},
	"reads whose qualities never count": {seed: 7, templates: 3000, refs: 2, span: 40, quals: "#./", single: 0.3},
	"one template":                      {seed: 8, templates: 1, refs: 1, span: 4, quals: "I"},
	"single reads only, dense":          {seed: 9, templates: 3000, refs: 1, span: 15, quals: "0123I", single: 1},
}

func TestSameDecisionsAsSamtools(t *testing.T) {
	needSamtools(t)
	for name, c := range crowds {
		t.Run(name, func(t *testing.T) {
			records := encode(5, c.make())
			want, _ := samtoolsMarks(t, records)
			got, metrics := decide(t, Config{Workers: 2, MemBytes: ample}, standard, records)
			compareMarks(t, records, got, want)
			if int64(len(want)) != metrics.Records() && c.sameName == 0 && !oddPairs(records, got) {
				t.Errorf("metrics speak of %d records, %d are marked: %+v", metrics.Records(), len(want), metrics)
			}
		})
	}
}

// oddPairs tells whether an odd number of paired records is marked.
func oddPairs(records []record, marks map[uint64]bool) bool {
	n := 0
	for _, r := range records {
		if f := r.flag(); marks[r.ord] && f&bamrec.FlagPaired != 0 && f&flagMateUnmapped == 0 {
			n++
		}
	}
	return n%2 != 0
}

func TestSameOpticalDuplicatesAsSamtools(t *testing.T) {
	needSamtools(t)
	for name, c := range crowds {
		for _, distance := range []int{1, 100, 2500} {
			t.Run(fmt.Sprintf("%s, distance=%d", name, distance), func(t *testing.T) {
				records := encode(0, c.make())
				want, optical := samtoolsMarks(t, records, "-d", strconv.Itoa(distance))
				got, metrics := decide(t, Config{Workers: 2, MemBytes: ample, OpticalDistance: distance}, standard, records)
				compareMarks(t, records, got, want)
				if metrics.ReadPairOpticalDups != optical/2 {
					t.Errorf("%d optical pairs, samtools has %d records", metrics.ReadPairOpticalDups, optical)
				}
			})
		}
	}
}
