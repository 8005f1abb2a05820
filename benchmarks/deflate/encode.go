package main

import (
	"bytes"
	stdflate "compress/flate"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"syscall"

	"github.com/klauspost/compress/flate"

	"github.com/alignpipe/alignpipe/internal/deflate"
)

const framing = 26 // bytes of header and trailer per BGZF block

// An encoder appends the DEFLATE stream of a payload to dst.
type encoder func(dst, payload []byte) ([]byte, error)

func newEncoder(name string, level int) (encoder, error) {
	switch name {
	case "own":
		e, err := deflate.New(level)
		if err != nil {
			return nil, err
		}
		return func(dst, payload []byte) ([]byte, error) { return e.Append(dst, payload), nil }, nil
	case "klauspost":
		w, err := flate.NewWriter(nil, level)
		return streaming(w), err
	case "std":
		w, err := stdflate.NewWriter(nil, level)
		return streaming(w), err
	}
	return nil, fmt.Errorf("no such encoder: %s", name)
}

type resetter interface {
	io.WriteCloser
	Reset(io.Writer)
}

func streaming(w resetter) encoder {
	return func(dst, payload []byte) ([]byte, error) {
		sink := bytes.NewBuffer(dst)
		w.Reset(sink)
		if _, err := w.Write(payload); err != nil {
			return nil, err
		}
		err := w.Close()
		return sink.Bytes(), err
	}
}

// encodeAll returns the CPU seconds, and the bytes of all blocks.
func encodeAll(encode encoder, data []byte) (seconds float64, size int, err error) {
	out := make([]byte, 0, 2*deflate.MaxInput)
	sum := uint32(0)
	before := cpuSeconds()
	for at := 0; at < len(data); at += deflate.MaxInput {
		payload := data[at:min(at+deflate.MaxInput, len(data))]
		block, err := encode(out, payload)
		if err != nil {
			return 0, 0, err
		}
		sum ^= crc32.ChecksumIEEE(payload)
		size += framing + len(block)
	}
	seconds = cpuSeconds() - before
	runtime.KeepAlive(sum)
	return seconds, size, nil
}

func cpuSeconds() float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
}
