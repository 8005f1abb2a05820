package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/biogo/hts/bam"
	"github.com/biogo/hts/bgzf"
	"github.com/biogo/hts/sam"

	"github.com/alignpipe/alignpipe/sorter"
)

// sortFile runs the program on a file, with the least memory for its threads and some more.
func sortFile(in string, threads int, more int64) (out string, res result, err error) {
	out = in + ".sorted.bam"
	j := job{threads: threads, level: 1}
	memory := j.buffers() + sorter.MinMem(threads) + more
	var stdout, stderr bytes.Buffer
	args := []string{"-t", fmt.Sprint(threads), "-m", fmt.Sprint(memory), "-T", filepath.Dir(in), "-o", out, in}
	if err := run(context.Background(), args, &stdout, &stderr); err != nil {
		return out, res, err
	}
	return out, res, json.Unmarshal(stdout.Bytes(), &res)
}

// expected is the order of the records: by place, strand and number.
func expected(records []*sam.Record) []*sam.Record {
	sorted := slices.Clone(records)
	key := func(r *sam.Record) (uint32, int, sam.Flags) { return uint32(r.Ref.ID()), r.Pos, r.Flags & sam.Reverse }
	slices.SortStableFunc(sorted, func(a, b *sam.Record) int {
		refA, posA, strandA := key(a)
		refB, posB, strandB := key(b)
		if refA == refB && refA == ^uint32(0) {
			return 0
		}
		return cmp.Or(cmp.Compare(refA, refB), cmp.Compare(posA, posB), cmp.Compare(strandA, strandB))
	})
	return sorted
}

func TestSort(t *testing.T) {
	tests := []struct {
		name    string
		records int
		long    []int // lengths of further reads, in between
		write   func(testing.TB, [][]byte, int) string
		level   int
		threads int
		more    int64
		spills  bool
	}{
		{"no records", 0, nil, writeWhole, 0, 2, 0, false},
		{"all in the piece of the header", 50, nil, writeWhole, 0, 2, 0, false},
		{"stored blocks, in memory", 5000, nil, writeWhole, 0, 2, 64 << 20, false},
		{"stored blocks, one thread, spilled", 30000, nil, writeWhole, 0, 1, 0, true},
		{"compressed blocks, spilled", 30000, nil, writeWhole, 6, 2, 0, true},
		{"records cut by blocks", 5000, nil, writeCut, 0, 3, 64 << 20, false},
		{"compressed records cut by blocks", 5000, nil, writeCut, 1, 2, 64 << 20, false},
		{"records longer than blocks and pieces", 300, []int{20_000, 45_000, 100_000, 400_000, 1_500_000}, writeWhole, 0, 2, 64 << 20, false},
		{"the same, cut by blocks", 300, []int{20_000, 45_000, 100_000, 400_000, 1_500_000}, writeCut, 1, 3, 64 << 20, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMaker(1)
			var records [][]byte
			for i := range tt.records {
				if i > 0 && i%40 == 0 && i/40 <= len(tt.long) {
					records = append(records, m.add(nil, tt.long[i/40-1], crowded))
				}
				records = append(records, m.add(nil, m.rng.IntN(300), crowded*int32(i%2)))
			}
			in := tt.write(t, records, tt.level)
			out, res, err := sortFile(in, tt.threads, tt.more)
			check(t, err)
			if res.Records != int64(len(records)) || res.SpilledRuns > 0 != tt.spills {
				t.Errorf("%d records of %d, %d runs", res.Records, len(records), res.SpilledRuns)
			}
			sameRecords(t, in, out)
			indexFinds(t, out)
		})
	}
}

// sameRecords compares out with what biogo reads of in, sorted.
func sameRecords(t *testing.T, in, out string) {
	t.Helper()
	_, before := readAllRecords(t, in)
	head, after := readAllRecords(t, out)
	if head.SortOrder != sam.Coordinate {
		t.Errorf("sort order %s", head.SortOrder)
	}
	want := expected(before)
	if len(after) != len(want) {
		t.Fatalf("%d records, want %d", len(after), len(want))
	}
	for i, rec := range after {
		if number(t, rec) != number(t, want[i]) {
			t.Fatalf("record %d is number %d of the input, want %d", i, number(t, rec), number(t, want[i]))
		}
		if got, want := rec.String(), want[i].String(); got != want {
			t.Fatalf("record %d differs from the input: %.300s, want %.300s", i, got, want)
		}
	}
}

// indexFinds asks the index for the first records of each reference.
func indexFinds(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path + ".bai")
	check(t, err)
	defer f.Close()
	index, err := bam.ReadIndex(f)
	check(t, err)
	head, records := readAllRecords(t, path)
	want := map[int]uint64{}
	for _, rec := range records {
		want[rec.Ref.ID()]++
	}
	for _, ref := range head.Refs() {
		stats, ok := index.ReferenceStats(ref.ID())
		if n := stats.Mapped + stats.Unmapped; ok && n != want[ref.ID()] || !ok && want[ref.ID()] > 0 {
			t.Errorf("the index has %d records of %s, want %d", n, ref.Name(), want[ref.ID()])
		}
	}
}

func TestSortAsSamtoolsDoes(t *testing.T) {
	if _, err := exec.LookPath("samtools"); err != nil {
		t.Skip("no samtools")
	}
	m := newMaker(2)
	var records [][]byte
	for i := range 20000 {
		records = append(records, m.add(nil, 100, crowded*int32(i%2)))
	}
	in := writeWhole(t, records, 0)
	out, _, err := sortFile(in, 2, 0)
	check(t, err)
	theirs := in + ".samtools.bam"
	samtools(t, "sort", "-o", theirs, in)
	samtools(t, "quickcheck", out)
	places := func(path string) (places, lines []string) {
		lines = strings.SplitAfter(samtools(t, "view", path), "\n")
		for _, line := range lines {
			if f := strings.SplitN(line, "\t", 5); len(f) == 5 {
				places = append(places, f[2]+":"+f[3])
			}
		}
		slices.Sort(lines)
		return places, lines
	}
	gotPlaces, gotLines := places(out)
	wantPlaces, wantLines := places(theirs)
	if len(gotPlaces) != len(records) || !slices.Equal(gotPlaces, wantPlaces) {
		t.Errorf("places are not in the order of samtools sort")
	}
	if !slices.Equal(gotLines, wantLines) {
		t.Errorf("records are not those of samtools sort")
	}
	if got, want := samtools(t, "idxstats", out), samtools(t, "idxstats", theirs); got != want {
		t.Errorf("idxstats %q, want %q", got, want)
	}
}

func samtools(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("samtools", args...).Output()
	if err != nil {
		t.Fatalf("samtools %v: %v", args, err)
	}
	return string(out)
}

func TestRefuseDamagedInput(t *testing.T) {
	m := newMaker(3)
	var records [][]byte
	for range 4000 {
		records = append(records, m.add(nil, 150, 0))
	}
	whole, err := os.ReadFile(writeWhole(t, records, 0))
	check(t, err)
	eof := whole[len(whole)-28:]
	wrongSize := slices.Clone(records[0])
	binary.LittleEndian.PutUint32(wrongSize, 31)
	ofBlock := func(plain ...[]byte) []byte {
		var b bytes.Buffer
		w := bgzf.NewWriter(&b, 1)
		w.Write(bytes.Join(plain, nil))
		check(t, w.Close())
		return b.Bytes()
	}
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"no end-of-file block", whole[:len(whole)-28], "no end-of-file block"},
		{"cut within a block", append(slices.Clone(whole[:len(whole)-5000]), eof...), ""},
		{"a byte changed", func() []byte { b := slices.Clone(whole); b[len(b)/2] ^= 4; return b }(), "checksum"},
		{"text instead of blocks", append([]byte("@HD\tVN:1.6\n"), eof...), "not BGZF"},
		{"text after the header", append(append(ofBlock(testHeader()), "more than one header of gzip"...), eof...), "not BGZF"},
		{"not BAM", ofBlock([]byte("@HD\tVN:1.6\tSO:unsorted\n")), "header"},
		{"the header cut short", ofBlock(testHeader()[:90]), "header"},
		{"the last record cut short", ofBlock(testHeader(), records[0], records[1][:99]), "within a record"},
		{"the last size cut short", ofBlock(testHeader(), records[0], records[1][:3]), "within a record"},
		{"a record without room for its fields", ofBlock(testHeader(), records[1], wrongSize), "a record of 31 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := filepath.Join(t.TempDir(), "bad.bam")
			check(t, os.WriteFile(in, tt.file, 0o600))
			out, _, err := sortFile(in, 2, 0)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			left, err := filepath.Glob(filepath.Join(filepath.Dir(in), "*"))
			check(t, err)
			if len(left) != 1 {
				t.Errorf("%s: left %q", out, left)
			}
		})
	}
}

func TestStoppedRunLeavesNothing(t *testing.T) {
	m := newMaker(5)
	in := writeWhole(t, [][]byte{m.add(nil, 150, 0)}, 0)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	args := []string{"-T", filepath.Dir(in), "-o", in + ".sorted.bam", in}
	if err := run(ctx, args, new(bytes.Buffer), new(bytes.Buffer)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(in), "*")); len(left) != 1 {
		t.Errorf("left %q", left)
	}
}

func TestCommandLine(t *testing.T) {
	tests := []struct {
		name string
		args []string
	}{
		{"no output", []string{"in.bam"}},
		{"no input", []string{"-o", "out.bam"}},
		{"two inputs", []string{"-o", "out.bam", "a.bam", "b.bam"}},
		{"no threads", []string{"-t", "0", "-o", "out.bam", "in.bam"}},
		{"no size", []string{"-m", "many", "-o", "out.bam", "in.bam"}},
		{"an input that is not there", []string{"-o", filepath.Join(t.TempDir(), "out.bam"), filepath.Join(t.TempDir(), "in.bam")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := run(context.Background(), tt.args, new(bytes.Buffer), new(bytes.Buffer)); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "123": 123, "2K": 2048, "3M": 3 << 20, "1G": 1 << 30} {
		if got, err := parseSize(text); got != want || err != nil {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "K", "1KK", "-1", "1.5G", "9000000000G", "2k"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q: %d, want an error", text, got)
		}
	}
}
