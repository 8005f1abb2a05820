package whatif

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/alignpipe/alignpipe/internal/deflate"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/report"
	"github.com/alignpipe/alignpipe/internal/verdict"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// level compresses a sample of the run's own output again, at its level and at the other.
func (k Knobs) level(r *report.Report, c *verdict.Change, basis *string) error {
	if k.Level == nil || *k.Level == r.Options.Level {
		return nil
	}
	if r.Options.Format != "bam" || r.Options.OutputFile == "" {
		return fmt.Errorf("the output is no BAM file to take a sample of: %w", verdict.ErrNoData)
	}
	blocks, err := sampleBlocks(r.Options.OutputFile)
	if err != nil {
		return errors.Join(verdict.ErrNoData, fmt.Errorf("no sample of the output: %w", err))
	}
	before, err := measure(blocks, r.Options.Level)
	if err != nil {
		return err
	}
	after, err := measure(blocks, *k.Level)
	if err != nil {
		return err
	}
	c.CPU[meter.NameDeflate] = after.perByte / before.perByte
	ratio := float64(after.bytes) / float64(before.bytes)
	c.Bytes[verdict.KnobOutputDisk], c.Bytes[verdict.KnobDownstream] = ratio, ratio
	*basis = fmt.Sprintf("demands of this run; %d blocks of its output compressed at both levels: %.2f times the CPU, %.2f times the size",
		len(blocks), c.CPU[meter.NameDeflate], ratio)
	return nil
}

const (
	sampled  = 64       // blocks
	maxBlock = 64 << 10 // of BGZF, compressed or not
	header   = 18       // of a BGZF block with nothing but its size in the extra field
	trailer  = 8
)

// sampleBlocks inflates blocks from all over a BGZF file.
func sampleBlocks(path string) ([][]byte, error) {
	f, err := vfs.OS.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var blocks [][]byte
	buf := make([]byte, 3*maxBlock)
	for i := range sampled {
		n, err := f.ReadAt(buf, info.Size()*int64(i)/sampled)
		if err != nil && err != io.EOF {
			return nil, err
		}
		if b := firstBlock(buf[:n]); len(b) > 0 {
			blocks = append(blocks, b)
		}
	}
	if len(blocks) < sampled/8 {
		return nil, fmt.Errorf("%s: %d blocks are too few", path, len(blocks))
	}
	return blocks, nil
}

var magic = []byte{0x1f, 0x8b, 8, 4}

// firstBlock inflates the first whole block that begins in data; nil where there is none.
func firstBlock(data []byte) []byte {
	for at := 0; ; at++ {
		i := bytes.Index(data[at:], magic)
		if i < 0 || at+i+header > len(data) {
			return nil
		}
		at += i
		b := data[at:]
		size := int(binary.LittleEndian.Uint16(b[16:])) + 1
		if binary.LittleEndian.Uint16(b[10:]) != 6 || b[12] != 'B' || b[13] != 'C' || size > len(b) || size < header+trailer {
			continue
		}
		plain, err := io.ReadAll(flate.NewReader(bytes.NewReader(b[header : size-trailer])))
		if err == nil && len(plain) == int(binary.LittleEndian.Uint32(b[size-4:])) && len(plain) > 0 {
			return plain
		}
	}
}

// cost is what compressing took.
type cost struct {
	perByte float64 // seconds of CPU
	bytes   int64   // that came out
}

// measure compresses all blocks three times and takes the fastest.
func measure(blocks [][]byte, level int) (cost, error) {
	e, err := deflate.New(level)
	if err != nil {
		return cost{}, err
	}
	var in int64
	for _, b := range blocks {
		in += int64(len(b))
	}
	var best time.Duration
	var c cost
	var out []byte
	for round := range 4 { // the first only warms up
		c.bytes = 0
		start := time.Now()
		for _, b := range blocks {
			out = e.Append(out[:0], b)
			c.bytes += int64(len(out)) + header + trailer
		}
		if took := time.Since(start); round > 0 && (best == 0 || took < best) {
			best = took
		}
	}
	c.perByte = best.Seconds() / float64(in)
	return c, nil
}
