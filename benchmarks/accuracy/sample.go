package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/biogo/hts/bam"
	"github.com/biogo/hts/sam"

	"github.com/alignpipe/alignpipe/benchmarks/internal/truth"
)

// A sample is what one seed gave for a set: files, and the truth about each read.
type sample struct {
	set       set
	seed      int
	fasta     string
	reads     []string // one FASTQ, or two
	truthPath string

	refs  truth.Refs
	names []string       // of fragments, in the order of the truth
	index map[string]int // of a name in names
	want  []place        // mates*fragment + mate
}

// A place is a span and a strand.
type place struct {
	truth.Span
	reverse bool
}

// name tells samples apart in files and lists.
func (s *sample) name() string {
	return fmt.Sprintf("%s-s%d", s.set.name, s.seed)
}

// readName is the name of the read at an index of want, and its mate, 1 or 2.
func (s *sample) readName(i int) (name string, mate int) {
	return s.names[i/s.set.mates], i%s.set.mates + 1
}

// loadSample has simulate.sh make what is missing, and reads the truth.
func loadSample(o *options, set set, seed int) (*sample, error) {
	args := append([]string{o.simulate, o.cache}, set.simulateArgs(seed, o.yeast)...)
	out, err := output(exec.Command("bash", args...))
	if err != nil {
		return nil, err
	}
	paths := strings.Split(strings.TrimSpace(out), "\n")
	if len(paths) != 2+set.mates {
		return nil, fmt.Errorf("%s printed %d paths, not %d", o.simulate, len(paths), 2+set.mates)
	}
	s := &sample{set: set, seed: seed, fasta: paths[0], reads: paths[1 : 1+set.mates], truthPath: paths[1+set.mates]}
	return s, s.loadTruth()
}

// loadTruth numbers references as the FASTA index lists them.
func (s *sample) loadTruth() error {
	fai, err := os.ReadFile(s.fasta + ".fai")
	if err != nil {
		return err
	}
	s.refs = truth.Refs{}
	for line := range strings.Lines(string(fai)) {
		name, _, _ := strings.Cut(line, "\t")
		s.refs.ID(name)
	}
	s.index = map[string]int{}
	return truth.EachPrimary(s.truthPath, bam.AllVariableLengthData, s.learn)
}

func (s *sample) learn(rec *sam.Record) error {
	name := truth.BaseName(rec.Name)
	fragment, ok := s.index[name]
	if !ok {
		fragment = len(s.names)
		s.index[name] = fragment
		s.names = append(s.names, name)
		s.want = append(s.want, make([]place, s.set.mates)...)
	}
	mate := truth.Mate(rec)
	if mate >= s.set.mates {
		return fmt.Errorf("second mate of %s in a set of single ends", name)
	}
	s.want[fragment*s.set.mates+mate] = s.placeOf(rec)
	return nil
}

func (s *sample) placeOf(rec *sam.Record) place {
	return place{s.refs.SpanOf(rec), rec.Flags&sam.Reverse != 0}
}

// refNames is the inverse of refs.
func (s *sample) refNames() []string {
	names := make([]string, len(s.refs))
	for name, id := range s.refs {
		names[id] = name
	}
	return names
}

// output runs a command and returns its standard output; what it said on standard error
// comes with the error.
func output(cmd *exec.Cmd) (string, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", commandError(cmd, err, stderr.Bytes())
	}
	return string(out), nil
}

func commandError(cmd *exec.Cmd, err error, stderr []byte) error {
	const most = 2000 // bytes; the end says why
	text := bytes.TrimSpace(stderr)
	text = text[max(0, len(text)-most):]
	return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, text)
}

// replaceFile writes a file so that a reader sees all of it or none.
func replaceFile(path string, write func(*os.File) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	part := path + ".part" + strconv.Itoa(os.Getpid())
	defer os.Remove(part)
	f, err := os.Create(part)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(part, path)
}
