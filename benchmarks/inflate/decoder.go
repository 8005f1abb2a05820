package main

import (
	"bytes"
	stdgzip "compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/alignpipe/alignpipe/internal/inflate"
	"github.com/klauspost/compress/gzip"
)

// baseline is the decoder that the others are compared with.
const baseline = "klauspost"

// decoder inflates an input to nowhere. It returns the bytes it got, or 0 when it does not know.
type decoder struct {
	name    string
	inflate func(in input) (int64, error)
	command []string // of a program, whose CPU time is a child's
}

func goDecoders() []decoder {
	return []decoder{
		ownDecoder(1),
		{name: baseline, inflate: func(in input) (int64, error) {
			z, err := gzip.NewReader(bytes.NewReader(in.data))
			if err != nil {
				return 0, err
			}
			return drain(z)
		}},
		{name: "compress/gzip", inflate: func(in input) (int64, error) {
			z, err := stdgzip.NewReader(bytes.NewReader(in.data))
			if err != nil {
				return 0, err
			}
			return drain(z)
		}},
	}
}

// drain reads to the end with a buffer as large as a chunk of ours.
func drain(r io.Reader) (n int64, err error) {
	buf := make([]byte, 256<<10)
	for {
		got, err := r.Read(buf)
		n += int64(got)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// ownDecoder is alignpipe's, as its reader uses it.
func ownDecoder(workers int) decoder {
	name := "alignpipe"
	if workers > 1 {
		name = fmt.Sprintf("alignpipe, %d workers", workers)
	}
	return decoder{name: name, inflate: func(in input) (n int64, err error) {
		ctx := context.Background()
		s, err := inflate.Open(ctx, bytes.NewReader(in.data), in.name, inflate.Config{Workers: workers})
		if err != nil {
			return 0, err
		}
		defer s.Close()
		for {
			c, err := s.Next(ctx)
			if err == io.EOF {
				return n, nil
			}
			if err != nil {
				return n, err
			}
			n += int64(len(c.Data))
			c.Release()
		}
	}}
}

// zlibProgram inflates a file of several members with the zlib that Python is linked with.
const zlibProgram = `
import sys, zlib
size, z = 0, zlib.decompressobj(31)
with open(sys.argv[1], "rb") as f:
    while data := f.read(1 << 14):
        while data:
            size += len(z.decompress(data))
            data = z.unused_data
            if z.eof:
                z = zlib.decompressobj(31)
print(size)
`

// installed are the programs that can be run here.
func installed() (found []decoder) {
	for _, d := range []decoder{
		{name: "zlib (python3)", command: []string{"python3", "-c", zlibProgram}},
		{name: "pigz -d -p1", command: []string{"pigz", "-d", "-p1", "-c"}},
		{name: "gzip -d", command: []string{"gzip", "-d", "-c"}},
		{name: "igzip -d", command: []string{"igzip", "-d", "-c"}},
		{name: "libdeflate-gunzip", command: []string{"libdeflate-gunzip", "-c"}},
	} {
		if _, err := exec.LookPath(d.command[0]); err == nil {
			found = append(found, d)
		}
	}
	return found
}

// took is what one run needed.
type took struct{ cpu, wall time.Duration }

// time runs the decoder once.
func (d *decoder) time(in input) (t took, err error) {
	start := time.Now()
	if d.command != nil {
		cmd := exec.Command(d.command[0], append(d.command[1:len(d.command):len(d.command)], in.path)...)
		cmd.Stderr = os.Stderr
		err = cmd.Run() // its output goes to /dev/null
		t.wall = time.Since(start)
		if err == nil {
			t.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		}
	} else {
		before := ownCPU()
		var n int64
		n, err = d.inflate(in)
		t = took{ownCPU() - before, time.Since(start)}
		if err == nil && n != in.plain {
			err = fmt.Errorf("%d bytes instead of %d", n, in.plain)
		}
	}
	if err != nil {
		err = fmt.Errorf("%s: %s: %w", d.name, in.name, err)
	}
	return t, err
}

// ownCPU is the CPU time of this process.
func ownCPU() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
