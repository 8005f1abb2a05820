package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/markdup"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

const flagDuplicate = 0x400

// shown is how many records that differ are printed.
const shown = 20

func (j job) compare(stdout io.Writer) (err error) {
	dir, err := os.MkdirTemp(j.temp, "dupcheck-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	names := numbers{}
	ours, err := j.decide(dir, names, stdout)
	if err != nil {
		return err
	}
	defer ours.Close()
	bad, err := j.against(ours, names, filepath.Join(dir, "stats"), stdout)
	if err == nil && bad > 0 {
		err = fmt.Errorf("%s: %d differences", j.path, bad)
	}
	return err
}

// decide runs our half.
func (j job) decide(dir string, names numbers, stdout io.Writer) (d *markdup.Decisions, err error) {
	m, err := markdup.New(markdup.Config{FS: vfs.OS, Dir: dir, MemBytes: j.memory, Workers: j.workers, OpticalDistance: j.distance})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	pairs, adding, err := j.add(m, names)
	if err != nil {
		return nil, err
	}
	before := cpu()
	if d, err = m.Decide(context.Background()); err != nil {
		return nil, err
	}
	deciding := cpu() - before
	fmt.Fprintf(stdout, "ours: %d records are duplicates, %d pairs are optical; CPU: add %v, decide %v; %d templates, %d bytes spilled\n",
		d.Metrics.Records(), d.Metrics.ReadPairOpticalDups, adding, deciding, pairs, m.SpilledBytes())
	return d, d.Metrics.WritePicard(stdout, "dupcheck", filepath.Base(j.path), "")
}

// add enters all records, mates together, and returns the number of templates and the time it took
// without the reading.
func (j job) add(m *markdup.Marker, names numbers) (int, time.Duration, error) {
	f, err := os.Open(j.path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	src, err := newRecords(f)
	if err != nil {
		return 0, 0, err
	}
	feed := feeder{m: m, waiting: map[uint64][]byte{}}
	for {
		rec, err := src.next()
		if err == io.EOF {
			if len(feed.waiting) > 0 {
				err = fmt.Errorf("%d reads have no mate", len(feed.waiting))
			} else {
				err = nil
			}
			return len(names), feed.time, err
		}
		if err == nil {
			err = feed.add(names.ordinal(rec), rec)
		}
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", j.path, err)
		}
	}
}

// feeder brings mates together.
type feeder struct {
	m       *markdup.Marker
	waiting map[uint64][]byte // first seen mates by template
	time    time.Duration     // in Writer.Add
}

func (f *feeder) add(ord uint64, rec []byte) error {
	const mapped = bamrec.FlagPaired
	template := ord >> markdup.OrdShift
	flag := bamrec.Flag(rec)
	if !primary(rec) || flag&(bamrec.FlagPaired|bamrec.FlagUnmapped|0x8) != mapped {
		return f.give(ord, rec)
	}
	mate, ok := f.waiting[template]
	if !ok {
		f.waiting[template] = append([]byte(nil), rec...)
		return nil
	}
	delete(f.waiting, template)
	one, two := mate, rec
	if flag&bamrec.FlagFirst != 0 {
		one, two = rec, mate
	}
	if err := f.give(template<<markdup.OrdShift, one); err != nil {
		return err
	}
	return f.give(template<<markdup.OrdShift|1<<(markdup.OrdShift-1), two)
}

func (f *feeder) give(ord uint64, rec []byte) error {
	w := f.m.Writer(0)
	began := time.Now()
	err := w.Add(context.Background(), ord, rec)
	f.time += time.Since(began)
	return err
}

func cpu() time.Duration {
	user, system := meter.CPUNow()
	return user + system
}

// against runs samtools and returns how much differs.
func (j job) against(ours *markdup.Decisions, names numbers, stats string, stdout io.Writer) (int, error) {
	args := []string{"markdup", "-u", "-f", stats}
	if j.distance > 0 {
		args = append(args, "-d", strconv.Itoa(j.distance))
	}
	cmd := exec.Command(j.samtools, append(args, "-O", "bam", j.path, "-")...)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	bad, err := compareFlags(pipe, ours, names, stdout)
	if err = errors.Join(err, cmd.Wait()); err != nil {
		return bad, err
	}
	text, err := os.ReadFile(stats)
	if err != nil {
		return bad, err
	}
	optical := regexp.MustCompile(`DUPLICATE PAIR OPTICAL: (\d+)`).FindSubmatch(text)
	if optical == nil {
		return bad, fmt.Errorf("what samtools counted is not there: %s", text)
	}
	if n, _ := strconv.ParseInt(string(optical[1]), 10, 64); n/2 != ours.Metrics.ReadPairOpticalDups {
		fmt.Fprintf(stdout, "optical: samtools has %d records\n", n)
		bad++
	}
	return bad, nil
}

func compareFlags(theirs io.Reader, ours *markdup.Decisions, names numbers, stdout io.Writer) (bad int, err error) {
	src, err := newRecords(theirs)
	if err != nil {
		return 0, err
	}
	n, marked := 0, 0
	for ; ; n++ {
		rec, err := src.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return bad, err
		}
		theirs := bamrec.Flag(rec)&flagDuplicate != 0
		if theirs {
			marked++
		}
		if ours.Duplicate(names.ordinal(rec)) == theirs {
			continue
		}
		if bad++; bad <= shown {
			fmt.Fprintf(stdout, "%s flag %#x at %d:%d: samtools says %t\n", bamrec.Name(rec), bamrec.Flag(rec), bamrec.Ref(rec), bamrec.Pos(rec)+1, theirs)
		}
	}
	_, err = io.Copy(io.Discard, src.src)
	fmt.Fprintf(stdout, "samtools: %d of %d records are duplicates; %d flags differ\n", marked, n, bad)
	return bad, err
}
