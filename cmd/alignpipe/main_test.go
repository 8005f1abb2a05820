package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alignpipe/alignpipe/internal/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

const data = "../../testdata/"

// asProgram is set for a test binary that is to be the program itself.
const asProgram = "ALIGNPIPE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// call runs the program in this process.
func call(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, talk bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(stdin), &out, &talk)
	return code, out.String(), talk.String()
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "o.bam")
	ref, one, two := data+"lambda.fa.gz", data+"lambda_1.fq.gz", data+"lambda_2.fq.gz"
	tests := []struct {
		name           string
		args           string // blanks separate
		stdin          string
		code           int
		stdout, stderr string // substrings
	}{
		{"no command", "", "", 64, "", "error: no command was given\nalignpipe: hint: alignpipe help\n"},
		{"an unknown command", "alinge", "", 64, "", `there is no command "alinge"`},
		{"the version is one line", "--version", "", 0, "alignpipe " + version + "\n", ""},
		{"an unknown flag", "align --frobnicate", "", 64, "", "unknown flag: --frobnicate"},
		{"no output", "align " + ref + " " + one, "", 64, "", "no output was given"},
		{"no reads", "align -o " + out + " " + ref, "", 64, "", "1 files were given"},
		{"a bad size", "align -m 12X -o " + out + " " + ref + " " + one, "", 64, "", `--memory: "12X" is not a size`},
		{"a bad read group", `align -R foo -o ` + out + " " + ref + " " + one, "", 64, "", "does not start with @RG"},
		{"a bad level", "align -l 10 -o " + out + " " + ref + " " + one, "", 64, "", "level 10"},
		{"a bad word", "align --format cram -o " + out + " " + ref + " " + one, "", 64, "", `--format cannot be "cram"`},
		{"a report of no known kind", "align --report x.xml -o " + out + " " + ref + " " + one, "", 64, "", "x.xml"},
		{"no threads", "align -t 0 -o " + out + " " + ref + " " + one, "", 64, "", "--threads 0"},
		{"a folder as a file", "align -o " + dir + " " + ref + " " + one, "", 64, "", "is a folder"},
		{"an index for a stream", "align --index bai -o - " + ref + " " + one, "", 64, "", "cannot have an index"},
		{"an index for input order", "align --sort none --index csi -o " + out + " " + ref + " " + one, "", 64, "", "cannot have an index\nalignpipe: hint: "},
		{"shards in input order", "align --sort none --shards 2 -o " + dir + " " + ref + " " + one, "", 64, "", "shards are coordinate ranges"},
		{"an index of records by name", "align --sort name --index bai -o " + out + " " + ref + " " + one, "", 64, "", "hint: leave --index out"},
		{"an unknown order", "align --sort size -o " + out + " " + ref + " " + one, "", 64, "", `--sort cannot be "size"`},
		{"too little memory for input order", "align --sort none -m 10M -o " + out + " " + ref + " " + one, "", 64, "", "hint: give -m "},
		{"input order", "align --sort none -o - " + ref + " " + one, "", 0, "\x1f\x8b", "reads: 2000"},
		{"an empty input in input order", "align --sort none -o " + out + " " + ref + " -", "", 0, "", "reads: 0"},
		{"too little memory", "align -m 10M -o " + out + " " + ref + " " + one, "", 64, "", "hint: give -m "},
		{"a reference that is not there", "align -o " + out + " no.fa " + one, "", 1, "", "no.fa"},
		{"an output folder that is not there", "align -o " + dir + "/no/o.bam " + ref + " " + one, "", 74, "", "/no: no such file"},
		{"reads in place of a reference", "align -o " + out + " " + one + " " + one, "", 65, "", "lambda_1.fq.gz"},
		{"a bad record is named", "align -o " + out + " " + ref + " -", "@a\nACGT\n+\nIII\n", 65, "", "alignpipe: error: stdin: record 1 (line 5, byte 15): "},
		{"a bad record is skipped", "align --on-bad-record skip -o - " + ref + " -", "@a\nACGT\n+\nIII\n@b\nACGT\n+\nIIII\n", 0, "", "skipped: 1 bad records"},
		{"checksum of pairs", "checksum --pair " + one + " " + two, "", 0, "4000:31b1f7ccefcd056d17ca4e816707108f  " + one + " " + two + "\n", ""},
		{"checksum of standard input", "checksum -", "@a\nACGT\n+\nIIII\n", 0, "1:", ""},
		{"checksum with half a pair", "checksum --pair " + one, "", 64, "", "has no second file"},
		{"verify without a BAM", "verify " + one, "", 64, "", "--bam is missing"},
		{"a check of what is no index", "index --check " + ref, "", 65, "", "not an .apx index"},
		{"a check that would write", "index --check -o " + out + " " + ref, "", 64, "", "--output makes no sense"},
		{"an empty input is a whole output", "align -o " + out + " " + ref + " -", "", 0, "", "reads: 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := call(t, tt.stdin, strings.Fields(tt.args)...)
			if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("exit %d, stdout %.200q, stderr %q\nwant %d, %q, %q", code, stdout, stderr, tt.code, tt.stdout, tt.stderr)
			}
			if code != 0 && (stdout != "" || !strings.HasPrefix(stderr, "alignpipe: error: ")) {
				t.Errorf("a failure talks on stderr only: stdout %.100q, stderr %q", stdout, stderr)
			}
		})
	}
}

// TestHelpIsGolden pins the help texts, which fit a screen and show two examples each.
func TestHelpIsGolden(t *testing.T) {
	for _, name := range []string{"", "align", "index", "gather", "checksum", "verify", "model", "bench"} {
		t.Run("help "+name, func(t *testing.T) {
			args := strings.Fields("help " + name)
			code, text, _ := call(t, "", args...)
			if lines := strings.Count(text, "\n"); code != 0 || lines > 40 {
				t.Errorf("exit %d, %d lines", code, lines)
			}
			for line := range strings.Lines(text) {
				if len(line) > 101 {
					t.Errorf("a line of %d: %s", len(line), line)
				}
			}
			if _, examples, _ := strings.Cut(text, "Examples:\n"); strings.Count(examples, "alignpipe") < 2 {
				t.Error("fewer than two examples")
			}
			golden := filepath.Join("testdata", strings.Join(args, "_")+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || string(want) != text {
				t.Errorf("differs from %s (%v); go test -update renews it", golden, err)
			}
			if name != "" {
				if _, short, _ := call(t, "", name, "-h"); short != text {
					t.Error("-h prints something else")
				}
			}
		})
	}
}

func TestMainJobFromEndToEnd(t *testing.T) {
	dir := t.TempDir()
	out, report := filepath.Join(dir, "o.bam"), filepath.Join(dir, "r.json")
	ref, one, two := data+"lambda.fa.gz", data+"lambda_1.fq.gz", data+"lambda_2.fq.gz"
	code, stdout, stderr := call(t, "", "align", "-t", "2", "-o", out, "--report", report, "-R", `@RG\tID:1\tSM:s`, ref, one, two)
	if code != 0 || stdout != "" || !strings.HasPrefix(stderr, "verdict: ") {
		t.Fatalf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if _, err := os.Stat(report); err != nil {
		t.Error(err)
	}
	if code, stdout, stderr := call(t, "", "verify", "--bam", out, one, two); code != 0 || !strings.HasPrefix(stdout, "ok: 4000 reads") {
		t.Errorf("verify: exit %d, %q, %q", code, stdout, stderr)
	}
	if code, _, stderr := call(t, "", "verify", "--bam", out, two, one); code != 65 || !strings.Contains(stderr, "not the same") {
		t.Errorf("verify with mates exchanged: exit %d, %q", code, stderr)
	}
	_, ofBAM, _ := call(t, "", "checksum", out)
	_, ofReads, _ := call(t, "", "checksum", "--pair", one, two)
	if a, b := strings.Fields(ofBAM)[0], strings.Fields(ofReads)[0]; a != b {
		t.Errorf("checksum of the BAM %s, of the reads %s", a, b)
	}
}

// TestTheReportOfAnUnsortedRun: all stages are told, those of the sort idle, and the accounts close.
func TestTheReportOfAnUnsortedRun(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "r.json")
	code, _, stderr := call(t, "", "align", "--sort", "none", "-t", "2", "-o", filepath.Join(dir, "o.bam"), "--report", file,
		data+"lambda.fa.gz", data+"lambda_1.fq.gz", data+"lambda_2.fq.gz")
	if code != 0 {
		t.Fatalf("exit %d, %s", code, stderr)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r report.Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	items, lifetime := map[string]int64{}, map[string]float64{}
	for _, s := range r.Stages {
		if s.Phase != "stream" && (s.Phase != "sync" || !slices.Contains([]string{"write", "sync"}, s.Name)) {
			t.Errorf("stage %s in phase %s", s.Name, s.Phase)
		}
		items[s.Name] += s.Items
		lifetime[s.Name] += s.LifetimeSeconds
	}
	for name, s := range lifetime {
		if idle := s == 0; idle != slices.Contains([]string{"sort", "spill-write", "duplicates", "merge-read", "merge"}, name) {
			t.Errorf("stage %s was there for %g s", name, s)
		}
	}
	for _, name := range []string{"parse", "map", "order", "collect", "deflate", "write"} {
		if items[name] != 4000 {
			t.Errorf("%s: %d items", name, items[name])
		}
	}
	if c := r.Closure; c.ItemsLost != 0 || c.BatchesLost != 0 || c.StatesResidual > 0.005 || r.Sort.Records != 0 {
		t.Errorf("closure %+v, sort %+v", c, r.Sort)
	}
}

func TestIndexCheckFindsDamageThatOpeningDoesNot(t *testing.T) {
	index := filepath.Join(t.TempDir(), "lambda.apx")
	if code, _, stderr := call(t, "", "index", "-o", index, data+"lambda.fa.gz"); code != 0 {
		t.Fatal(stderr)
	}
	if code, stdout, stderr := call(t, "", "index", "--check", index); code != 0 || stdout != "ok: "+index+"\n" {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	file, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	file[len(file)-200] ^= 1
	if err := os.WriteFile(index, file, 0o666); err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := call(t, "", "index", "--check", index); code != 65 || stdout != "" || !strings.Contains(stderr, "damaged") {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
}

// program prepares the test binary to be alignpipe.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "TMPDIR="+t.TempDir())
	return cmd
}

func TestStopSignalsEndTheRunByThatSignal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGXCPU} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cmd := program(t, "align", "-v", "-o", filepath.Join(dir, "o.bam"), data+"lambda.fa.gz", "-")
			stdin, err := cmd.StdinPipe() // never written: the run is stuck in it
			if err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			stderr, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			talk := bufio.NewReader(stderr)
			if line, err := talk.ReadString('\n'); err != nil { // the memory plan: work has begun
				t.Fatalf("%q, %v", line, err)
			}
			begun := time.Now()
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			rest, _ := io.ReadAll(talk)
			err = cmd.Wait()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != sig {
				t.Errorf("ended by %v, stderr %q", err, rest)
			}
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
			if entries, _ := os.ReadDir(dir); len(entries) != 0 {
				t.Errorf("left %v", entries)
			}
			for _, env := range cmd.Env {
				if tmp, ok := strings.CutPrefix(env, "TMPDIR="); ok && strings.HasPrefix(tmp, filepath.Dir(filepath.Dir(dir))) {
					if entries, _ := os.ReadDir(tmp); len(entries) != 0 {
						t.Errorf("left %v", entries)
					}
				}
			}
		})
	}
}

func TestAClosedPipeEndsTheRunQuietly(t *testing.T) {
	cmd := program(t, "align", "-o", "-", data+"lambda.fa.gz", data+"lambda_1.fq.gz")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stdout.Close()
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 74 || stderr.Len() != 0 {
		t.Errorf("ended by %v, stderr %q; want exit 74 and silence", err, stderr.String())
	}
}

func TestAnOutputThatIsAStreamIsWrittenInPlace(t *testing.T) {
	dir := t.TempDir()
	fifo, file := filepath.Join(dir, "fifo"), filepath.Join(dir, "o.bam")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip(err)
	}
	got := make(chan []byte)
	go func() {
		data, _ := os.ReadFile(fifo)
		got <- data
	}()
	for _, out := range []string{fifo, file} {
		if code, _, stderr := call(t, "", "align", "-q", "-o", out, data+"lambda.fa.gz", data+"lambda_1.fq.gz"); code != 0 {
			t.Fatalf("%s: exit %d, %s", out, code, stderr)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(<-got, want) {
		t.Errorf("the stream differs from the file (%v)", err)
	}
	if info, err := os.Lstat(fifo); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the fifo became %v, %v", info.Mode(), err)
	}
	if code, _, stderr := call(t, "", "align", "-q", "-o", os.DevNull, data+"lambda.fa.gz", data+"lambda_1.fq.gz"); code != 0 {
		t.Errorf("%s: exit %d, %s", os.DevNull, code, stderr)
	}
}

func TestStoppedBeforeTheStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, talk bytes.Buffer
	code := run(ctx, []string{"align", "-o", filepath.Join(t.TempDir(), "o.bam"), data + "lambda.fa.gz", data + "lambda_1.fq.gz"}, nil, &out, &talk)
	if code != 1 || !strings.Contains(talk.String(), "stopped") {
		t.Errorf("exit %d, %q", code, talk.String())
	}
}
