package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/biogo/hts/bam"

	"github.com/alignpipe/alignpipe/benchmarks/internal/truth"
)

// A peer is an aligner to compare with. It writes SAM to standard output.
type peer struct {
	name    string
	env     string   // names the program where it is not on the PATH
	version []string // what makes it say its version
	index   []string // the command that makes {index} of {ref}; nil when it needs none
	align   []string // the command before the reads
}

var (
	bwa = peer{name: "bwa", env: "BWA",
		index: []string{"index", "-p", "{index}", "{ref}"}, align: []string{"mem", "-t", "{threads}", "-K", "100000000", "{index}"}}
	minimap2 = peer{name: "minimap2", env: "MINIMAP2", version: []string{"--version"},
		index: []string{"-x", "sr", "-d", "{index}", "{ref}"}, align: []string{"-ax", "sr", "-t", "{threads}", "{index}"}}
	strobealign = peer{name: "strobealign", env: "STROBEALIGN", version: []string{"--version"},
		align: []string{"-t", "{threads}", "{ref}"}}
)

// A found peer is one that this machine has.
type found struct {
	peer
	path    string
	release string
}

func (p peer) find() (*found, error) {
	name := os.Getenv(p.env)
	if name == "" {
		name = p.name
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, fmt.Errorf("%w (put it on the PATH or name it with %s)", err, p.env)
	}
	text, _ := exec.Command(path, p.version...).CombinedOutput() // bwa fails when it says its version
	release := regexp.MustCompile(`[0-9]+\.[0-9]+[0-9A-Za-z.-]*`).FindString(string(text))
	if release == "" {
		return nil, fmt.Errorf("%s does not say its version", path)
	}
	return &found{p, path, release}, nil
}

// label is the name and version.
func (f *found) label() string { return f.name + " " + f.release }

// outcomes come from the cache, or from a run that then goes there.
func (f *found) outcomes(o *options, s *sample) (outcomes, error) {
	command := f.label() + " " + strings.Join(f.align, " ")
	file := filepath.Join(o.cache, "outcomes", s.name()+"."+f.name+"-"+f.release+".gob.gz")
	out, err := readOutcomes(file, command, s)
	if out != nil || err != nil {
		return out, err
	}
	if out, err = f.run(o, s); err != nil {
		return nil, err
	}
	return out, writeOutcomes(file, command, out)
}

func (f *found) run(o *options, s *sample) (outcomes, error) {
	index, err := f.buildIndex(o, s)
	if err != nil {
		return nil, err
	}
	o.say("%s: %s", s.name(), f.name)
	cmd := exec.Command(f.path, append(o.fill(f.align, s, index), s.reads...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	j := newJudge(s)
	readErr := truth.EachPrimarySAM(stdout, j.take)
	stdout.Close() // so that it stops writing where we stopped reading
	if err := cmd.Wait(); err != nil && readErr == nil {
		return nil, commandError(cmd, err, stderr.Bytes())
	}
	if readErr != nil {
		return nil, fmt.Errorf("%s on %s: %w\n%s", f.name, s.name(), readErr, stderr.Bytes())
	}
	return j.out, nil
}

// buildIndex keeps one folder for each reference and version. It appears complete: another run
// may be after the same one.
func (f *found) buildIndex(o *options, s *sample) (string, error) {
	if f.index == nil {
		return "", nil
	}
	dir := filepath.Join(o.cache, "index", s.set.reference+"."+f.name+"-"+f.release)
	index := filepath.Join(dir, "index")
	if _, err := os.Stat(dir); err == nil {
		return index, nil
	}
	o.say("%s: %s indexes it", s.set.reference, f.name)
	part := dir + ".part" + strconv.Itoa(os.Getpid())
	defer os.RemoveAll(part)
	if err := os.MkdirAll(part, 0o777); err != nil {
		return "", err
	}
	if _, err := output(exec.Command(f.path, o.fill(f.index, s, filepath.Join(part, "index"))...)); err != nil {
		return "", err
	}
	if err := os.Rename(part, dir); err != nil {
		if _, there := os.Stat(dir); there != nil {
			return "", err
		}
	}
	return index, nil
}

// fill puts names in place of the words in braces.
func (o *options) fill(args []string, s *sample, index string) []string {
	r := strings.NewReplacer("{index}", index, "{ref}", s.fasta, "{threads}", strconv.Itoa(o.threads))
	filled := make([]string, len(args))
	for i, a := range args {
		filled[i] = r.Replace(a)
	}
	return filled
}

// The program under test. Its indexes live as long as the run: they change with its code.
type alignpipe struct {
	path string
	work string // a private folder
}

func (a *alignpipe) outcomes(o *options, s *sample) (outcomes, error) {
	threads := strconv.Itoa(o.threads)
	index := filepath.Join(a.work, s.set.reference+".apx")
	if _, err := os.Stat(index); errors.Is(err, os.ErrNotExist) {
		o.say("%s: alignpipe indexes it", s.set.reference)
		if _, err := output(exec.Command(a.path, "index", "-t", threads, "-o", index, s.fasta)); err != nil {
			return nil, err
		}
	}
	o.say("%s: alignpipe", s.name())
	bamPath := filepath.Join(a.work, "out.bam")
	args := append([]string{"align", "-q", "-t", threads, "-o", bamPath, index}, s.reads...)
	if _, err := output(exec.Command(a.path, args...)); err != nil {
		return nil, err
	}
	j := newJudge(s)
	return j.out, truth.EachPrimary(bamPath, bam.None, j.take)
}
