package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// The names of the memory's ceilings.
const (
	nameChase = "pointer chase"
	nameCopy  = "copy"
)

const (
	lineBytes  = 64
	chaseSteps = 1 << 20 // of one repeat
)

// measureMemory takes latency and bandwidth of the memory, the latter with one thread and with all.
func measureMemory(ctx context.Context, threads int, effort effort) ([]Ceiling, error) {
	chase, err := measureChase(ctx, effort)
	if err != nil {
		return nil, err
	}
	out := []Ceiling{chase}
	for _, n := range []int{1, threads} {
		if n == 1 && len(out) > 1 {
			continue
		}
		c, err := measureCopy(ctx, n, effort)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// measureChase follows a chain through memory that no cache holds: what a look-up in the
// index costs when nothing else is under way.
func measureChase(ctx context.Context, effort effort) (c Ceiling, err error) {
	memory, err := vfs.Alloc(effort.chaseBytes)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, vfs.Free(memory)) }()
	rng := rng{3}
	linkLines(memory, &rng)
	at := 0
	columns, err := repeat(ctx, effort.repeats, func() ([]float64, error) {
		start := time.Now()
		at = follow(memory, at, chaseSteps)
		return []float64{time.Since(start).Seconds() / chaseSteps}, nil
	})
	if err != nil {
		return c, err
	}
	return Ceiling{Name: nameChase, Streams: 1, Values: []Value{valueOf(unitSeconds, columns[0])}}, nil
}

// linkLines makes one cycle through all cache lines, in an order that no prefetcher guesses
// (Sattolo's shuffle). A line starts with the number of the next.
func linkLines(memory []byte, rng *rng) {
	n := len(memory) / lineBytes
	line := func(i int) []byte { return memory[i*lineBytes : i*lineBytes+4] }
	for i := range n {
		binary.LittleEndian.PutUint32(line(i), uint32(i))
	}
	for i := n - 1; i > 0; i-- {
		j := rng.below(i)
		a, b := binary.LittleEndian.Uint32(line(i)), binary.LittleEndian.Uint32(line(j))
		binary.LittleEndian.PutUint32(line(i), b)
		binary.LittleEndian.PutUint32(line(j), a)
	}
}

// follow takes steps along the chain and returns where it ends.
func follow(memory []byte, at, steps int) int {
	for range steps {
		at = int(binary.LittleEndian.Uint32(memory[at*lineBytes:]))
	}
	return at
}

// measureCopy copies memory with some threads, each its own. Each byte copied is read once and
// written once.
func measureCopy(ctx context.Context, threads int, effort effort) (c Ceiling, err error) {
	memory, err := vfs.Alloc(threads * 2 * effort.copyBytes)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, vfs.Free(memory)) }()
	for i := 0; i < len(memory); i += pageBytes {
		memory[i] = 1 // now the pages exist
	}
	columns, err := repeat(ctx, effort.repeats, func() ([]float64, error) {
		var g errgroup.Group
		start := time.Now()
		for i := range threads {
			part := memory[2*i*effort.copyBytes:]
			g.Go(func() error { copy(part[:effort.copyBytes], part[effort.copyBytes:2*effort.copyBytes]); return nil })
		}
		_ = g.Wait()
		return []float64{float64(threads*effort.copyBytes) / time.Since(start).Seconds()}, nil
	})
	if err != nil {
		return c, err
	}
	return Ceiling{Name: nameCopy, Streams: threads, Values: []Value{valueOf(bytesPerSecond, columns[0])}}, nil
}
