package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biogo/hts/bam"
	"github.com/biogo/hts/sam"
)

const header = "@HD VN:1.6\n@SQ SN:a LN:10000\n@SQ SN:b LN:10000\n"

// bench is a cache and programs that play the aligners.
type bench struct {
	t   *testing.T
	dir string
}

// newBench has one pair, p1, at a:101 and a:301.
func newBench(t *testing.T) *bench {
	b := &bench{t, t.TempDir()}
	pair := tabs("p1 99 a 101 255 10M = 301 210 * *", "p1 147 a 301 255 10M = 101 -210 * *")
	b.write("ref.fa.fai", "a\t10000\t0\t60\t61\nb\t10000\t0\t60\t61\n")
	b.writeBAM("truth.bam", pair)
	b.script("simulate.sh", `echo "$@" >>DIR/simulated; printf '%s\n' DIR/ref.fa DIR/r1 DIR/r2 DIR/truth.bam`)
	b.peer("BWA", pair)
	b.peer("MINIMAP2", pair)
	b.peer("STROBEALIGN", pair)
	return b
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

func (b *bench) write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(b.path(name), []byte(text), 0o700); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) script(name, body string) {
	b.t.Helper()
	b.write(name, "#!/usr/bin/env bash\n"+strings.ReplaceAll(body, "DIR", b.dir)+"\n")
}

// peer plays an aligner: it says a version, and writes rows when it is given reads.
func (b *bench) peer(env, rows string) {
	b.t.Helper()
	b.write(env+".sam", strings.ReplaceAll(header, " ", "\t")+rows)
	b.script(env, "case \"$*\" in */r1*) echo "+env+" >>DIR/ran; cat DIR/"+env+".sam ;; *index*) ;; *) echo Version: 0.7.17-r1188 >&2; exit 1 ;; esac")
	b.t.Setenv(env, b.path(env))
}

// ours plays alignpipe.
func (b *bench) ours(rows ...string) {
	b.t.Helper()
	b.writeBAM("ours.bam", tabs(rows...))
	b.script("alignpipe", `out=; while [ $# -gt 0 ]; do [ "$1" != -o ] || out=$2; shift; done; cp DIR/ours.bam "$out"`)
}

func (b *bench) writeBAM(name, rows string) {
	b.t.Helper()
	sr, err := sam.NewReader(strings.NewReader(strings.ReplaceAll(header, " ", "\t") + rows))
	if err != nil {
		b.t.Fatal(err)
	}
	var data bytes.Buffer
	bw, err := bam.NewWriter(&data, sr.Header(), 1)
	if err != nil {
		b.t.Fatal(err)
	}
	for {
		rec, err := sr.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = bw.Write(rec)
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
	if err := bw.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.write(name, data.String())
}

// run returns the table and the error.
func (b *bench) run(more ...string) (string, error) {
	var out bytes.Buffer
	args := append([]string{"-cache", b.path("cache"), "-simulate", b.path("simulate.sh"), "-sets", "chr20-2x50", "-seeds", "1,2"}, more...)
	err := run(args, &out, io.Discard)
	return out.String(), err
}

func (b *bench) content(name string) string {
	b.t.Helper()
	data, err := os.ReadFile(b.path(name))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(data)
}

func TestAMapperAsGoodAsBwaPasses(t *testing.T) {
	b := newBench(t)
	b.ours("p1 99 a 103 60 2S8M = 301 210 * *", "p1 147 a 301 60 10M = 101 -210 * *")
	for range 2 { // the second time from the cache
		out, err := b.run("-alignpipe", b.path("alignpipe"))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range []string{
			"| chr20-2x50 | bwa 0.7.17-r1188 | 4 | 100.0000 | 0 (0) | 100.0000 | 0 |  |",
			"| chr20-2x50 | alignpipe | 4 | 100.0000 | 0 (0) | 100.0000 | 0 | PASS |",
			"1 of 1 sets pass.",
		} {
			if !strings.Contains(out, row+"\n") {
				t.Errorf("output lacks %q:\n%s", row, out)
			}
		}
	}
	if got, want := b.content("ran"), "BWA\nBWA\n"; got != want {
		t.Errorf("peers ran: %q, want each seed once", got)
	}
}

func TestAFailureIsAnErrorAndItsReadsAreListed(t *testing.T) {
	b := newBench(t)
	b.ours("p1 99 b 5001 33 10M = 301 210 * * AS:i:10 XS:i:8", "p1 147 a 301 12 10M = 101 -210 * *")
	out, err := b.run("-alignpipe", b.path("alignpipe"), "-list", b.path("list"))
	if err == nil {
		t.Error("no error")
	}
	if want := "| chr20-2x50 | alignpipe | 4 | 50.0000 | 0 (0) | 50.0000 | 2 | FAIL: right -50.0000 (z -1.4), placed -50.0000 |"; !strings.Contains(out, want) {
		t.Errorf("output lacks %q:\n%s", want, out)
	}
	want := listHead
	for _, seed := range []string{"1", "2"} {
		want += tabs("errors,right chr20-2x50-s"+seed+" p1 1 a:101-110:+ a:101:+ 255 . . b:5001:+ 33 10 8",
			"placed chr20-2x50-s"+seed+" p1 2 a:301-310:- a:301:- 255 . . a:301:- 12 . .")
	}
	if got := b.content("list"); got != want {
		t.Errorf("list\n got %s\nwant %s", got, want)
	}
}

func TestFillRunsThePeersOnly(t *testing.T) {
	b := newBench(t)
	if out, err := b.run("-fill", "-calibrate"); err != nil || out != "" {
		t.Errorf("output %q, error %v", out, err)
	}
	if got, want := b.content("ran"), strings.Repeat("BWA\nMINIMAP2\nSTROBEALIGN\n", 2); got != want {
		t.Errorf("peers ran: %q, want %q", got, want)
	}
	if got, want := b.content("simulated"), b.path("cache")+" chr20 --pairs 50000 --seed 1 --length 50\n"; !strings.HasPrefix(got, want) {
		t.Errorf("simulate.sh got %q, want %q first", got, want)
	}
}

func TestCalibrationComesAfterTheTable(t *testing.T) {
	b := newBench(t)
	b.ours("p1 99 a 101 60 10M = 301 210 * *", "p1 147 a 301 3 10M = 101 -210 * *")
	out, err := b.run("-alignpipe", b.path("alignpipe"), "-calibrate")
	if err == nil {
		t.Error("no error, though half of the reads are not placed")
	}
	for _, row := range []string{"| 3-9 | 2 | 5.01e-01 | 0.00e+00 | 0 | 0 |", "| 60 | 2 | 1.00e-06 | 0.00e+00 | 0 | 0 |", "PASS: each MAPQ keeps its promise."} {
		if !strings.Contains(out, row+"\n") {
			t.Errorf("output lacks %q:\n%s", row, out)
		}
	}
}

func TestWhatGoesWrongIsAnError(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*bench)
		args  []string
		want  string
	}{
		{"an aligner that fails", func(b *bench) { b.script("alignpipe", "echo no such luck >&2; exit 3") }, nil, "no such luck"},
		{"a peer that fails", func(b *bench) {
			b.script("BWA", "case \"$*\" in */r1*) cat DIR/BWA.sam; echo no memory >&2; exit 1 ;; *) echo 1.0 ;; esac")
		}, nil, "no memory"},
		{"a peer that is missing", func(b *bench) { b.t.Setenv("BWA", b.path("none")) }, nil, "BWA"},
		{"a script that fails", func(b *bench) { b.script("simulate.sh", "echo no disk >&2; exit 1") }, nil, "no disk"},
		{"a script that says too little", func(b *bench) { b.script("simulate.sh", "echo x") }, nil, "printed 1 paths, not 4"},
		{"neither program nor fill", func(*bench) {}, []string{"-alignpipe", ""}, "are needed"},
		{"seeds that are none", func(*bench) {}, []string{"-seeds", "1,x"}, `seed "x"`},
	} {
		b := newBench(t)
		b.ours("p1 99 a 101 60 10M = 301 210 * *", "p1 147 a 301 3 10M = 101 -210 * *")
		c.spoil(b)
		_, err := b.run(append([]string{"-alignpipe", b.path("alignpipe")}, c.args...)...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want it to say %q", c.name, err, c.want)
		}
	}
}
