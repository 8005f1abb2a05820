package host

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// system is where this package looks; tests give it other roots and another environment.
type system struct {
	env      func(string) string
	root     string       // "/" for the real machine
	affinity func() []int // CPUs the scheduler lets this process run on; nil when unknown
	numCPUs  int          // where nothing else is known
}

func thisSystem() system {
	return system{env: os.Getenv, root: "/", affinity: affinity, numCPUs: runtime.NumCPU()}
}

func (s system) path(parts ...string) string {
	return filepath.Join(append([]string{s.root}, parts...)...)
}

// read returns a file's text, "" where there is none.
func (s system) read(parts ...string) string {
	data, err := os.ReadFile(s.path(parts...))
	if err != nil {
		return ""
	}
	return string(data)
}

// orNotHere is a reason of Linux, or that this is another system.
func orNotHere(reason string) string {
	if runtime.GOOS != "linux" {
		return notHere
	}
	return reason
}

// because is the reason for a source that cannot be read.
func because(err error) string { return orNotHere(err.Error()) }

const notHere = "measured on Linux only"

// positive parses a positive decimal number; anything else, such as "max", is 0.
func positive(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// number parses a whole decimal number without garbage.
func number(b []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(b), 10, 64)
	return n, err == nil
}

// numbers fills dst with the numbers that data begins with, and returns how many there were.
func numbers(data []byte, dst []int64) int {
	i := 0
	for f := range bytes.FieldsSeq(data) {
		if i == len(dst) {
			break
		}
		n, ok := number(f)
		if !ok {
			break
		}
		dst[i] = n
		i++
	}
	return i
}

// value finds the line "key N", "key: N" or "key N unit" and returns N.
func value(data []byte, key string) (int64, bool) {
	for len(data) > 0 {
		var line []byte
		line, data, _ = bytes.Cut(data, newline)
		if len(line) <= len(key) || string(line[:len(key)]) != key {
			continue
		}
		rest := line[len(key):]
		if rest[0] != ':' && rest[0] != ' ' && rest[0] != '\t' {
			continue // a longer key
		}
		var n [1]int64
		return n[0], numbers(rest[1:], n[:]) == 1
	}
	return 0, false
}

var newline = []byte("\n")

// source is a small file of the kernel that is read again and again through one descriptor.
type source struct {
	path string
	file *os.File
	err  error // from opening; not tried again
}

func (s system) source(parts ...string) *source { return &source{path: s.path(parts...)} }

// scratch is the memory that files are read into, and how much was read: the kernel adds that to
// the process's own input.
type scratch struct {
	buf  []byte
	read int64
}

func newScratch(size int) *scratch { return &scratch{buf: make([]byte, size)} }

// read returns the file's content, which lies in b until the next read; b grows where it is too small.
func (s *source) read(b *scratch) ([]byte, error) {
	if s.file == nil && s.err == nil {
		s.file, s.err = os.Open(s.path)
	}
	if s.err != nil {
		return nil, s.err
	}
	for {
		n, err := s.file.ReadAt(b.buf, 0)
		b.read += int64(n)
		if n < len(b.buf) {
			if n > 0 {
				err = nil // the end of the file
			}
			return b.buf[:n], err
		}
		b.buf = make([]byte, 2*len(b.buf))
	}
}

func (s *source) close() {
	if s.file != nil {
		s.file.Close()
	}
}
