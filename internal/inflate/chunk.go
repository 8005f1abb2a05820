package inflate

import "github.com/alignpipe/alignpipe/internal/meter"

const (
	// minChunkBytes holds one BGZF block, which is at most 64 KiB before and after compression.
	minChunkBytes = 64 << 10
	// defaultChunkBytes fits in the second-level cache; larger gains nothing.
	defaultChunkBytes = 256 << 10
	// rawBytes is the size of one read from the device.
	rawBytes = 256 << 10
	// rawDepth is how many such reads the device may be ahead.
	rawDepth = 2
	// peekBytes holds a whole BGZF block, so that its length can be read before it is taken.
	peekBytes = 128 << 10
	// windowBytes is how far back a match of DEFLATE reaches.
	windowBytes = 32 << 10
	// decoderBytes is about what one decoder holds: tables, and a window for gzip.
	decoderBytes = 80 << 10
)

// Config sets the size and the meters of a stream. The zero value works.
type Config struct {
	ReadStage    *meter.Stage // the device: bytes, calls, time blocked
	InflateStage *meter.Stage // decompression
	OutStage     *meter.Stage // who calls Next; its waiting is charged here
	Workers      int          // goroutines for BGZF blocks, and from 4 on for gzip too; at least 1
	ChunkBytes   int          // bytes of plain data in a chunk, 0 for 256 KiB, at least 64 KiB
	Depth        int          // chunks ahead of the consumer, 0 for twice the workers
	Alone        bool         // plain gzip takes one goroutine in any case, which saves some 10 MiB a worker

	pieces tuning // for tests
}

// tuning takes the place of the constants of piece.go where it is not zero.
type tuning struct{ bytes, overlap, room int }

// WithDefaults returns the configuration that Open really uses.
func (c Config) WithDefaults() Config {
	c.Workers = max(c.Workers, 1)
	if c.ChunkBytes == 0 {
		c.ChunkBytes = defaultChunkBytes
	}
	c.ChunkBytes = max(c.ChunkBytes, minChunkBytes)
	if c.Depth == 0 {
		c.Depth = 2 * c.Workers
	}
	c.Depth = max(c.Depth, 1)
	return c
}

// MemoryBound is the most memory in bytes that one stream holds, whatever its format.
func (c Config) MemoryBound() int64 {
	c = c.WithDefaults()
	chunk := int64(c.memBytes() + c.srcBytes())
	return int64(rawDepth+2)*rawBytes + int64(c.chunks())*chunk + peekBytes + int64(c.Workers+1)*decoderBytes + c.aheadBytes()
}

// chunks is how many exist: those queued, one being filled, one with the consumer.
func (c Config) chunks() int { return c.Depth + 2 }

// memBytes is the plain side of a chunk: the window, the data, and what a decoder may write
// behind its data.
func (c Config) memBytes() int { return windowBytes + c.ChunkBytes + roomBytes }

// srcBytes bounds the compressed side of a chunk of BGZF blocks.
func (c Config) srcBytes() int { return c.ChunkBytes + minChunkBytes }

// Chunk is a piece of the plain stream. It is the caller's until Release.
type Chunk struct {
	Data []byte // never empty when Next returned it
	Off  int64  // of Data[0] in the plain stream

	mem    []byte // made at first use, kept for ever: a window's place, buf, and roomBytes more
	buf    []byte // Data's memory
	src    []byte // whole BGZF blocks still to be inflated into Data
	srcOff int64  // compressed byte of src[0]
	piece  *piece // what Data is to be resolved from, at byte from; or nil
	from   int    //
	sums   []sum  // of Data, where its checksum is not known yet
	err    error  // of src; Data ends before the block it belongs to
	async  bool   // a worker fills Data and then sends to ready
	ready  chan struct{}
	home   chan *Chunk
}

// Release gives the chunk back to its stream; Data dies here. It never blocks.
func (c *Chunk) Release() {
	c.Data = nil
	c.home <- c // cap(home) is the number of chunks that exist
}

// newPool makes n chunks without memory; small inputs never use most of them.
func newPool(n int) chan *Chunk {
	home := make(chan *Chunk, n)
	for range n {
		home <- &Chunk{ready: make(chan struct{}, 1), home: home}
	}
	return home
}

// reset makes the chunk empty, at offset off of the plain stream.
func (c *Chunk) reset(cfg *Config, off int64) {
	if c.mem == nil {
		c.mem = make([]byte, cfg.memBytes())
		c.buf = c.mem[windowBytes : windowBytes+cfg.ChunkBytes]
	}
	c.Data, c.Off = c.buf[:0], off
	c.src, c.sums, c.err, c.async = c.src[:0], c.sums[:0], nil, false
}
