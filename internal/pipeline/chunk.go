package pipeline

import (
	"context"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// chunk holds encoded records, block sizes included. It goes round: taken from its free
// list, filled by one goroutine, read by another, and free again when that one releases it.
type chunk struct {
	data        []byte
	first, last uint64 // ordinals of the first and the last record, where the filler keeps them
	keep        int    // bytes of capacity that outlive a release
	free        chan *chunk
}

// newChunks makes the free list of n chunks. Their memory comes with their first use.
func newChunks(n, keep int) chan *chunk {
	free := make(chan *chunk, n)
	for range n {
		free <- &chunk{keep: keep, free: free}
	}
	return free
}

// takeChunk waits for an empty chunk: whoever reads them is behind, and stage waits.
func takeChunk(ctx context.Context, free <-chan *chunk, stage *meter.Stage) (*chunk, error) {
	select {
	case c := <-free:
		return c, nil
	default:
	}
	start := time.Now()
	defer func() { stage.AddWait(meter.WaitOut, time.Since(start)) }()
	select {
	case c := <-free:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// release ends a chunk's turn. It never blocks: cap(free) is the number of chunks that exist.
func (c *chunk) release() {
	c.data = c.data[:0]
	if cap(c.data) > c.keep { // one enormous read must not be paid for for ever
		c.data = nil
	}
	c.free <- c
}

// nextRecord cuts the first record, with its block size, off a run of them.
func nextRecord(data []byte) (rec, rest []byte) {
	size := 4 + int(le32(data))
	return data[:size:size], data[size:]
}

func le32(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}
