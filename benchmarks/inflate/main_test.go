package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reads.fq.gz")
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, strings.Repeat("@name\nACGTACCA\n+\nFFFF:FFF\n", 5000))
	z.Close()
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run([]string{"-rounds", "1", "-bytes", "1", "-ahead", "4", path}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"| alignpipe |", "| alignpipe, 4 workers |", "| klauspost |", "| compress/gzip |"} {
		if !strings.Contains(out.String(), "| reads.fq.gz "+name) {
			t.Errorf("no line for %s in\n%s", name, &out)
		}
	}
}

func TestDamagedInputIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reads.fq.gz")
	os.WriteFile(path, []byte("\x1f\x8b\x08 and no more"), 0o666)
	if err := run([]string{"-bytes", "1", path}, io.Discard, io.Discard); err == nil {
		t.Error("a damaged file was measured")
	}
}

func TestTable(t *testing.T) {
	decoders := []decoder{{name: "alignpipe"}, {name: baseline}}
	results := [][][]took{{
		{{cpu: 100 * time.Millisecond, wall: time.Second}, {cpu: 50 * time.Millisecond, wall: time.Second}, {cpu: 200 * time.Millisecond, wall: time.Second}},
		{{cpu: 200 * time.Millisecond, wall: time.Second}, {cpu: 200 * time.Millisecond, wall: time.Second}, {cpu: 200 * time.Millisecond, wall: time.Second}},
	}}
	var b strings.Builder
	if err := writeTable(&b, decoders, []input{{name: "x", plain: 100e6}}, results); err != nil {
		t.Fatal(err)
	}
	if want := "| x | alignpipe | 1000 | 500-2000 | 2.00 | 1.00-4.00 | 100 |\n"; !strings.Contains(b.String(), want) {
		t.Errorf("got\n%swant\n%s", &b, want)
	}
}
