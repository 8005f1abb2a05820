package main

import (
	"bufio"
	"errors"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
)

// outputs are the files of a run.
type outputs struct {
	reads [2]*output
	truth *output
}

func createOutputs(prefix string, plain bool) (*outputs, error) {
	end := ".gz"
	if plain {
		end = ""
	}
	one, err1 := create(prefix+"_1.fq"+end, !plain)
	two, err2 := create(prefix+"_2.fq"+end, !plain)
	truth, err3 := create(prefix+"_truth.tsv"+end, !plain)
	return &outputs{[2]*output{one, two}, truth}, errors.Join(err1, err2, err3)
}

func (o *outputs) close() error {
	return errors.Join(o.reads[0].close(), o.reads[1].close(), o.truth.close())
}

// output is one file, compressed beside the simulation.
type output struct {
	buf   []byte
	work  chan []byte
	spare chan []byte
	done  chan error
}

const outputBytes = 1 << 20 // of a piece; three of them for each file

func create(path string, compress bool) (*output, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	o := &output{work: make(chan []byte, 1), spare: make(chan []byte, 3), done: make(chan error, 1)}
	for range 3 {
		o.spare <- make([]byte, 0, outputBytes)
	}
	o.buf = <-o.spare
	go func() { o.done <- o.run(file, compress) }()
	return o, nil
}

// run writes pieces, and goes on taking them after an error.
func (o *output) run(file *os.File, compress bool) error {
	bw := bufio.NewWriterSize(file, 1<<20)
	var w io.Writer = bw
	end := func() error { return nil }
	if compress {
		zw, _ := gzip.NewWriterLevel(bw, 1) // the level is a good one
		w, end = zw, zw.Close
	}
	var err error
	for b := range o.work {
		if err == nil {
			_, err = w.Write(b)
		}
		o.spare <- b[:0]
	}
	return errors.Join(err, end(), bw.Flush(), file.Close())
}

func (o *output) write(b []byte) {
	o.buf = append(o.buf, b...)
	if len(o.buf) > outputBytes-outputBytes/8 {
		o.work <- o.buf
		o.buf = <-o.spare
	}
}

func (o *output) close() error {
	o.work <- o.buf
	close(o.work)
	return <-o.done
}
