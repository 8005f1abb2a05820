package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biogo/hts/bam"
)

// shardsAndWhole maps the lambda reads twice: into shards, and into one file.
func shardsAndWhole(t *testing.T, shards string) (folder, whole string) {
	t.Helper()
	dir := t.TempDir()
	folder, whole = filepath.Join(dir, "shards"), filepath.Join(dir, "whole.bam")
	reads := []string{data + "lambda.fa.gz", data + "lambda_1.fq.gz", data + "lambda_2.fq.gz"}
	for _, args := range [][]string{{"align", "-q", "-o", whole}, {"align", "-q", "--shards", shards, "-o", folder}} {
		if code, _, stderr := call(t, "", append(args, reads...)...); code != 0 {
			t.Fatal(stderr)
		}
	}
	return folder, whole
}

// records are the header and all records of a BAM, as biogo/hts reads them.
func records(t *testing.T, content []byte) string {
	t.Helper()
	r, err := bam.NewReader(bytes.NewReader(content), 1)
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.Header().MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.Write(text)
	for {
		rec, err := r.Read()
		if err != nil {
			break
		}
		line, err := rec.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

func file(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestGatheredShardsAreTheUnshardedFile(t *testing.T) {
	for _, shards := range []string{"1", "2", "7"} {
		folder, whole := shardsAndWhole(t, shards)
		out := filepath.Join(t.TempDir(), "out.bam")
		code, stdout, stderr := call(t, "", "gather", "-o", out, folder)
		if want := "alignpipe: gathered " + shards + " parts: 4000 records, "; code != 0 || stdout != "" || !strings.HasPrefix(stderr, want) || !strings.HasSuffix(stderr, ", blocks copied\n") {
			t.Fatalf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
		}
		want := records(t, file(t, whole))
		if records(t, file(t, out)) != want {
			t.Errorf("%s shards: other records", shards)
		}
		if len(file(t, out+".bai")) == 0 {
			t.Error("no index")
		}
		code, stdout, stderr = call(t, "", "gather", "-q", "-o", "-", folder)
		if code != 0 || stderr != "" || records(t, []byte(stdout)) != want {
			t.Errorf("%s shards, streamed: exit %d, stderr %q", shards, code, stderr)
		}
	}
}

func TestGatherCommandLine(t *testing.T) {
	folder, whole := shardsAndWhole(t, "2")
	dir := t.TempDir()
	out, cut, fifth := filepath.Join(dir, "o.bam"), filepath.Join(dir, "cut.bam"), filepath.Join(folder, "shard-00001.bam")
	if err := os.WriteFile(cut, file(t, fifth)[:20_000], 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, args string // blanks separate
		code       int
		stderr     string
	}{
		{"no output", "gather " + whole, 64, "no output was given\nalignpipe: hint: -o out.bam"},
		{"no parts", "gather -o " + out, 64, "0 files were given, at least 1"},
		{"no threads", "gather -t 0 -o " + out + " " + whole, 64, "--threads 0"},
		{"a bad size", "gather -m 1X -o " + out + " " + whole, 64, "--memory"},
		{"a bad word", "gather --index tbi -o " + out + " " + whole, 64, `--index cannot be "tbi"`},
		{"an index for a stream", "gather --index csi -o - " + whole, 64, "cannot have an index"},
		{"the output as a part", "gather -o " + whole + " " + fifth + " " + whole, 64, "is one of the parts\nalignpipe: hint: "},
		{"a part that is not there", "gather -o " + out + " no.bam", 1, "no.bam"},
		{"a part that is cut short", "gather -o " + out + " " + cut, 65, "alignpipe: error: " + cut + ": cut short"},
		{"a part that is no BAM", "gather -o " + out + " " + data + "lambda_1.fq.gz", 65, "lambda_1.fq.gz: "},
		{"a folder that is not there", "gather -o " + dir + "/no/o.bam " + whole, 74, "/no: no such file"},
		{"parts that overlap", "gather -l 0 --index csi -o " + out + " " + fifth + " " + whole, 0, ", merged\n"},
		{"too little memory", "gather -m 10M -o " + out + " " + fifth + " " + whole, 64, "hint: give -m "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := call(t, "", strings.Fields(tt.args)...)
			if code != tt.code || stdout != "" || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("exit %d, stdout %.100q, stderr %q\nwant %d, %q", code, stdout, stderr, tt.code, tt.stderr)
			}
		})
	}
}
